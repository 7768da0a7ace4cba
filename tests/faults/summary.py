"""What a run of pytest says at its end: how many trials with a fault there were."""

from typing import Any

#: What a test notes by ``record_property``: how many trials it made.
TRIALS = "trials"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line, where there were any."""
    reports = [report for group in terminalreporter.stats.values() for report in group]
    counts = [
        value
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, value in report.user_properties
        if name == TRIALS
    ]
    if counts:
        terminalreporter.write_line(f"{sum(counts)} faults were tried, in {len(counts)} tests.")
