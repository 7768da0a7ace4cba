"""``make bench-report``: the document about speed, from the figures that ``make bench`` has kept."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.benchmarks.aims import aims, waits
from tests.benchmarks.suite import tables_of
from tests.benchmarks.table import as_markdown

HEAD = """\
## How it was measured

`make bench` measures on the machine that it runs on, beside what one would use instead. `make bench-report` writes this
page.

* **octoDNS** with its Cloudflare provider, as it comes: the usual tool for keeping a zone as it should be.
* **The naive function**: one Lambda function that does what each event says, as one would write it at a first try
  (`tests/benchmarks/naive/`). It is quick where it can be: clients created at import, one call a step.

Everything runs on one machine against the sandbox's servers on loopback, and is measured in processes of its own.
Counts and ratios hold anywhere; the times are those of this machine: {machine}."""


def rendered(figures: Mapping[str, Any]) -> str:
    """The whole page."""
    tables = [aims(figures), *tables_of(figures)]
    head = ["# How fast it is", as_markdown(waits(figures)), HEAD.format(machine=figures["machine"])]
    return "\n\n".join([*head, *map(as_markdown, tables)]) + "\n"


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    target.parent.mkdir(exist_ok=True)
    target.write_text(rendered(json.loads(source.read_text(encoding="utf-8"))), encoding="utf-8")
