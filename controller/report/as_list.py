"""The report of ``retire`` as text: a line for each record that goes, and how many stay."""

from collections.abc import Collection
from dataclasses import replace

from controller.model import Finding, Outcome, Result
from controller.report.as_text import Pen, finding_lines
from controller.report.report import Report
from controller.report.words import counted, ending_of, endings


def render(report: Report, *, width: int = 80, colour: bool = False) -> str:
    """The whole report: nobody agrees to a deletion that is not shown."""
    pen, target = Pen(width, colour), report.target
    head = [
        *pen.lines(f"retire for {target.domain_root}"),
        *pen.lines(f"zone {target.zone}, owner {target.owner}"),
    ]
    return "\n".join([*head, *_body(report, pen), *_foot(report, pen)]) + "\n"


def render_ends(report: Report, known: Collection[Finding], *, width: int = 80, colour: bool = False) -> str:
    """How it ended, for somebody who has just read the list: what was not deleted, and what was found on the way."""
    pen = Pen(width, colour)
    rest = replace(
        report,
        results=tuple(result for result in report.results if result.outcome is not Outcome.APPLIED),
        findings=tuple(finding for finding in report.findings if finding not in known),
    )
    return "\n".join([*_body(rest, pen), *_foot(report, pen)]) + "\n"


def sentence(report: Report) -> str:
    """What goes and what stays."""
    stay = report.observed[1] - len(report.results)
    rest = f"{counted(stay, 'other record')} at machines' names {'stays' if stay == 1 else 'stay'}"
    ends = ", ".join(f"{number:,} {end}" for end, number in endings(report))
    planned = f"{counted(len(report.results), 'record')} to delete" if report.results else "nothing to delete"
    return f"retire: {ends or planned}; {rest}."


def _body(report: Report, pen: Pen) -> list[str]:
    records = [line for result in report.results for line in _record(result, pen)]
    findings = [line for finding in report.findings for line in finding_lines(finding, pen)]
    return [*([""] if records else []), *records, *([""] if findings else []), *findings]


def _record(result: Result, pen: Pen) -> list[str]:
    """The record, and behind the mark in its comment whose it was."""
    before, end = dict(result.change.before), ending_of(result)
    whose = str(before["comment"]).partition(" ")[2]
    parts = (result.change.key, str(before["content"]), whose, f"[{end}]" if end else "")
    error = pen.lines(result.error, "      ! ") if result.error else []
    return [*pen.signed("-", "  ".join(filter(None, parts))), *error]


def _foot(report: Report, pen: Pen) -> list[str]:
    return ["", *pen.lines(sentence(report))]
