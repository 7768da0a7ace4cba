"""The figures in docs/internals/proof.md: what the last ``make proof`` and ``make mutants`` counted."""

import json
import re
from pathlib import Path
from typing import Any

from tests.model.proof.tally import FOLDER

PAGE = Path(__file__).parents[3] / "docs" / "internals" / "proof.md"
_HEAD = ["| what | tried | in tests | failed | commit |", "| --- | ---: | ---: | ---: | --- |"]


def figures(lines: list[dict[str, Any]]) -> str:
    """A table with a line for each thing that was counted, and the seed of what was sampled."""
    rows = [
        f"| {line['what']} | {line['count']:,} | {line.get('tests', '-')} | {line['failed']:,} | {line['commit']} |"
        for line in sorted(lines, key=lambda line: str(line["what"]))
    ]
    seeds = sorted({f"`PROOF_SEED={line['seed']}`" for line in lines if "seed" in line})
    sampled = ["", f"Sampled with {', '.join(seeds)}."] if seeds else []
    return "\n".join([*_HEAD, *rows, *sampled])


def with_figures(page: str, table: str) -> str:
    """The page with this table in its place."""
    return re.sub(
        r"(<!-- figures -->\n).*(<!-- /figures -->)", lambda m: f"{m[1]}{table}\n{m[2]}", page, flags=re.DOTALL
    )


if __name__ == "__main__":
    kept = [json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))]
    PAGE.write_text(with_figures(PAGE.read_text("utf-8"), figures(kept)), "utf-8")
