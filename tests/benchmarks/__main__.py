"""``make bench``: measure, print tables, and keep the figures as JSON."""

import json
import platform
from argparse import ArgumentParser
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.aims import aims
from tests.benchmarks.functions import packaged
from tests.benchmarks.machine import described
from tests.benchmarks.sizes import FULL
from tests.benchmarks.suite import SUITE, tables_of
from tests.benchmarks.table import as_text


def main() -> None:
    """Measure what is named, or everything. What the file has of other measurements stays in it."""
    parser = ArgumentParser(prog="make bench", description="Measure, and compare with what one would use instead.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SUITE)}; without one, all")
    parser.add_argument("--output", type=Path, required=True, help="the JSON file for the figures")
    options = parser.parse_args()
    if platform.system() != "Linux":
        parser.error("this needs Linux: processes are measured with its means")
    if unknown := set(options.names) - set(SUITE):
        parser.error(f"there is no measurement {', '.join(sorted(unknown))}, only {', '.join(SUITE)}")
    _run(options.names or list(SUITE), options.output)


def _run(names: list[str], output: Path) -> None:
    figures = json.loads(output.read_text(encoding="utf-8")) if output.exists() else {}
    output.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        functions = cache(lambda: packaged(Path(folder)))
        for name in names:
            figures |= {"machine": described(), name: SUITE[name].measure(FULL, functions)}
            output.write_text(json.dumps(figures, indent=1), encoding="utf-8")
            for table in tables_of({name: figures[name]}):
                print(as_text(table), end="\n\n", flush=True)
    print(as_text(aims(figures)))


if __name__ == "__main__":
    main()
