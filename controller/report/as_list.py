"""The report of ``retire`` as text: a line for each record to delete, and how many stay."""

from collections.abc import Collection
from dataclasses import replace

from controller.model import Finding, Outcome, Result
from controller.report.as_text import Pen, failures, findings_lines
from controller.report.report import Report
from controller.report.words import counted, ending_of, endings


def render(report: Report, *, width: int = 80, colour: bool = False) -> str:
    """Return the whole report: nobody can agree to a deletion that is not shown."""
    pen, target = Pen(width, colour), report.target
    head = [
        *pen.lines(f"retire for {target.domain_root}"),
        *pen.lines(f"zone {target.zone}, owner {target.owner}"),
    ]
    return "\n".join([*head, *_body(report, pen), *_foot(report, pen)]) + "\n"


def render_ends(report: Report, known: Collection[Finding], *, width: int = 80, colour: bool = False) -> str:
    """Return how it ended, for a person who has just read the list: what was not deleted, and new findings."""
    pen = Pen(width, colour)
    rest = replace(
        report,
        results=tuple(result for result in report.results if result.outcome is not Outcome.APPLIED),
        findings=tuple(finding for finding in report.findings if finding not in known),
    )
    return "\n".join([*_body(rest, pen), *_foot(report, pen)]) + "\n"


def render_short(report: Report, *, width: int = 80, colour: bool = False) -> str:
    """Return the outcome in one sentence, and each record that was not deleted, with the cause."""
    return "\n".join([_sentence(report), *failures(report, Pen(width, colour))]) + "\n"


def _sentence(report: Report) -> str:
    """Return how many records go, and how many stay."""
    stay = report.observed[1] - len(report.results)
    rest = f"{counted(stay, 'other record')} at machines' names {'stays' if stay == 1 else 'stay'}"
    ends = ", ".join(f"{number:,} {end}" for end, number in endings(report))
    planned = f"{counted(len(report.results), 'record')} to delete" if report.results else "nothing to delete"
    return f"retire: {ends or planned}; {rest}."


def _body(report: Report, pen: Pen) -> list[str]:
    records = [line for result in report.results for line in _record(result, pen)]
    findings = findings_lines(report.findings, pen)
    return [*([""] if records else []), *records, *([""] if findings else []), *findings]


def _record(result: Result, pen: Pen) -> list[str]:
    """Return the record with its address and the hint behind the mark in its comment."""
    before, end = dict(result.change.before), ending_of(result)
    hint = str(before["comment"]).partition(" ")[2]
    parts = (result.change.key, str(before["content"]), hint, f"[{end}]" if end else "")
    error = pen.lines(result.error, "      ! ") if result.error else []
    return [*pen.signed("-", "  ".join(filter(None, parts))), *error]


def _foot(report: Report, pen: Pen) -> list[str]:
    return ["", *pen.lines(_sentence(report))]
