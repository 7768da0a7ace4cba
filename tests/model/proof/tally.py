"""What a proof has counted: said at the end of a run of pytest, and kept in build/proof for whoever writes it up.

A test counts by ``record_property(counted("small worlds"), 1000)``: properties reach the process that sums them up
from every worker. Each thing that was counted has a file of its own with one line, which a later run replaces:
``{"what": "small worlds", "count": 1000, "tests": 4, "failed": 0, "seed": 739580, "commit": "1a2b3c4"}``
"""

import json
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.model.proof.seed import seed_of_today

FOLDER = Path(__file__).parents[3] / "build" / "proof"
_PREFIX = "counted: "


def counted(what: str) -> str:
    """The name of a test's property that holds such a count."""
    return _PREFIX + what


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """A line for each thing that was counted, and the seed; the counts of proofs are kept."""
    reports = [report for group in terminalreporter.stats.values() for report in group]
    called = [report for report in reports if getattr(report, "when", "") == "call"]
    seed = seed_of_today()
    sums = _sums(called)
    for what, counts in sorted(sums.items()):
        terminalreporter.write_line(f"{sum(counts):,} {what}, in {len(counts)} tests.")
    if sums:
        terminalreporter.write_line(f"What was sampled, was with PROOF_SEED={seed}.")
    proofs = [report for report in called if "proof" in report.keywords]
    failed = _sums([report for report in proofs if report.outcome != "passed"])
    for what, counts in _sums(proofs).items():
        keep(what, count=sum(counts), tests=len(counts), failed=len(failed.get(what, [])), seed=seed)


def keep(what: str, **numbers: int) -> None:
    """Write this one line, with the commit that it holds for."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    line = {"what": what, **numbers, "commit": _commit()}
    (FOLDER / f"{what.replace(' ', '-')}.json").write_text(json.dumps(line) + "\n", "utf-8")


def _commit() -> str:
    """What was tried, as git calls it: with ``-dirty`` where files have been changed since."""
    words = ["git", "describe", "--always", "--dirty", "--abbrev=7", "--exclude=*"]
    return subprocess.run(words, cwd=FOLDER.parents[1], capture_output=True, text=True, check=False).stdout.strip()


def _sums(reports: list[Any]) -> dict[str, list[int]]:
    found = defaultdict[str, list[int]](list)
    for report in reports:
        for name, value in report.user_properties:
            if name.startswith(_PREFIX):
                found[name.removeprefix(_PREFIX)].append(value)
    return found
