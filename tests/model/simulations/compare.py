"""Compare controllers in the same lying worlds: ``python -m`` this, with ``NAME=CHECKOUT`` for each.

Each folder is a checkout with a ``controller`` to try; the worlds, the lies and the judge are always those beside
this file. Without folders the controller of this checkout is tried alone. Prints a table in Markdown, and with
``--json FILE`` keeps all figures. 70 worlds of each family take a few minutes; ``--families a,b`` takes some only.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[3]
#: What is counted, and how the table says it.
FIGURES = {
    "cut_off": "minutes cut off",
    "astray": "minutes astray",
    "ended": "ended while up",
    "never_ended": "never ended",
    "back_and_forth": "back and forth",
    "links_moved": "links moved in a lesson",
    "broken": "promises broken",
}
SERVICES = ("ec2", "dynamodb", "cloudflare")

Figures = dict[str, float]


def use(folder: Path) -> None:
    """Let ``controller`` be that of this folder, whatever the search path says."""
    package = folder / "controller"
    spec = importlib.util.spec_from_file_location(
        "controller", package / "__init__.py", submodule_search_locations=[str(package)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["controller"] = module
    spec.loader.exec_module(module)


def figures_of(family: str, seeds: range) -> Figures:
    """The sums over these worlds."""
    from tests.model.simulations.simulation import play  # only now, since the controller is chosen first

    total = Counter[str]()
    for seed in seeds:
        played = play(family, seed)
        verdict = played.verdict
        total["cut_off"] += round(verdict.minutes_cut_off * 2)
        total["astray"] += round(verdict.minutes_astray * 2)
        total["ended"] += verdict.ended_while_up
        total["never_ended"] += len(played.never_ended)
        total["back_and_forth"] += verdict.back_and_forth
        total["links_moved"] += verdict.links_moved
        total["broken"] += len(played.wrong)
        total["passes"] += played.passes
        total.update({service: played.calls[service] for service in SERVICES})
    halves = {"cut_off": 2, "astray": 2}
    return {name: total[name] / halves.get(name, 1) for name in (*FIGURES, "passes", *SERVICES)}


def measure(families: Sequence[str], seeds: int) -> dict[str, Figures]:
    """Every family's figures, with the controller that is in use."""
    parts = [(family, range(first, min(first + 10, seeds))) for family in families for first in range(0, seeds, 10)]
    found: dict[str, Figures] = {family: {} for family in families}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for (family, _), part in zip(parts, pool.map(figures_of, *zip(*parts, strict=True)), strict=True):
            found[family] = {name: found[family].get(name, 0.0) + count for name, count in part.items()}
    return found


def table(measured: Mapping[str, Mapping[str, Figures]], families: Iterable[str]) -> str:
    """Markdown: a row for each family, each figure as it is with each controller."""
    names = " → ".join(measured)
    lines = [
        f"| family ({names}) | {' | '.join(FIGURES.values())} | calls a pass: EC2 | DynamoDB | Cloudflare |",
        f"|---|{'---:|' * (len(FIGURES) + len(SERVICES))}",
    ]
    for family in families:
        each = [figures[family] for figures in measured.values()]
        cells = [" → ".join(f"{figures[name]:,.0f}" for figures in each) for name in FIGURES]
        cells += [" → ".join(f"{figures[name] / figures['passes']:.1f}" for figures in each) for name in SERVICES]
        lines.append(f"| {family.replace('_', ' ')} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Try each controller in a process of its own, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", default=[f"this={ROOT}"], metavar="NAME=FOLDER")
    parser.add_argument("--seeds", type=int, default=70)
    parser.add_argument("--families", type=lambda text: text.split(","), default=None)
    parser.add_argument("--json", type=Path, default=None)
    parser.add_argument("--only", type=Path, default=None, help=argparse.SUPPRESS)  # one controller, figures as JSON
    given = parser.parse_args()
    use(given.only or ROOT)
    from tests.model.simulations.families import FAMILIES

    families = given.families or list(FAMILIES)
    if given.only:
        print(json.dumps(measure(families, given.seeds)))
        return
    measured = {name: _apart(Path(folder), families, given.seeds) for name, folder in map(_pair, given.folders)}
    if given.json:
        given.json.write_text(json.dumps(measured, indent=1) + "\n", "utf-8")
    print(table(measured, families))


def _pair(text: str) -> tuple[str, str]:
    name, _, folder = text.partition("=")
    return name, folder


def _apart(folder: Path, families: Sequence[str], seeds: int) -> dict[str, Figures]:
    words = [sys.executable, "-m", "tests.model.simulations.compare", "--only", str(folder.resolve())]
    words += ["--seeds", str(seeds), "--families", ",".join(families)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Figures] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main()
