"""The tables of the pages as ``elephant-dns explain`` shows them: ``make golden`` writes the packaged file again."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGED = ROOT / "controller" / "cli" / "entries.json"
#: Page, heading and kind of each table. The first column has the ids, the second the meaning, the third what to do.
TABLES = (
    ("runbook", "Findings", "finding"),
    ("runbook", "What breaks links at Cloudflare", "check"),
    ("how-it-works", "The rules by name", "rule"),
)
_LINK = re.compile(r"\[([^]]+)\]\(([^)\s]+)\)")


def rows(page: str, heading: str) -> Iterator[list[str]]:
    """Yield the cells of the table under this heading, without its two lines of head."""
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    section = re.split(r"^##+ ", text.partition(f"## {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    for line in lines[2:]:
        yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def plain(cell: str, page: str) -> str:
    """Return a cell as text for a terminal: no marks, and the place of a link beside its words."""

    def named(found: re.Match[str]) -> str:
        words, target = found.groups()
        place = target if "://" in target else f"docs/{target if target.partition('#')[0] else f'{page}.md{target}'}"
        return f"{words} ({place})"

    pieces = _LINK.sub(named, cell).split("`")  # every second one is code, where an asterisk means itself
    text = "".join(piece if number % 2 else piece.replace("*", "") for number, piece in enumerate(pieces))
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') or not text else '.'}"


def document() -> str:
    """Return the packaged file as it should be. The first row of an id counts."""
    found: dict[str, dict[str, str]] = {}
    for page, heading, kind in TABLES:
        anchor = heading.lower().replace(" ", "-")
        for ids, means, *rest in rows(page, heading):
            do = plain(rest[0], page) if rest else ""
            own = re.search(r'<a id="([^"]+)"', ids)
            place = f"docs/{page}.md#{own[1] if own else anchor}"
            for id in re.findall(r"`([^`]+)`", ids):
                found.setdefault(id, {"kind": kind, "means": plain(means, page), "do": do, "page": place})
    return json.dumps(dict(sorted(found.items())), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PACKAGED.write_text(document(), encoding="utf-8", newline="\n")
