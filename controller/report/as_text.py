"""The report as text for a terminal: grouped by meeting, what differs, why, and what to do about the rest."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from controller.model import Change, Finding, Outcome, RecordChange, Result
from controller.report.report import Report
from controller.report.safe import on_one_line
from controller.report.sections import Excerpt, by_meeting, excerpt, is_long
from controller.report.words import (
    Difference,
    differences,
    ending_of,
    readable,
    seen,
    sign_of,
    summary_line,
    thing_of,
    title_of,
    words_of,
)
from controller.report.wrap import columns, wrapped

#: Changes and findings shown of a report that is too long to read.
SHOWN = 40

_BOLD = "1"
_SIGNS = {"+": "32", "~": "33", "-": "31", "!": "36"}
_ENDS = {Outcome.APPLIED: "32", Outcome.FAILED: "31", Outcome.NOT_REACHED: "31"}


@dataclass(frozen=True, slots=True)
class Pen:
    """How wide lines may be, in columns, and whether they have colours."""

    width: int = 80
    colour: bool = False

    def lines(self, text: str, lead: str = "") -> list[str]:
        """Anybody's text in lines that fit."""
        return wrapped(on_one_line(text), max(self.width, 40), lead)

    def painted(self, colour: str, text: str) -> str:
        """The text in a colour (ECMA-48's number), where colours are wanted."""
        return f"\x1b[{colour}m{text}\x1b[0m" if self.colour else text

    def title(self, text: str, lead: str = "") -> list[str]:
        """A heading of a section."""
        return ["", *(self.painted(_BOLD, line) for line in self.lines(text, lead))]

    def signed(self, sign: str, text: str) -> list[str]:
        """A heading of a change or finding."""
        first, *rest = self.lines(text, f"  {sign} ")
        return [f"  {self.painted(_SIGNS[sign], sign)}{first[3:]}", *rest]


def render(report: Report, *, width: int = 80, colour: bool = False) -> str:
    """The report; what is too long to read is shown by the first of each kind, and how many more there are."""
    pen, report = Pen(width, colour), readable(report)
    part = part_of(report)
    lines = [*_head(report, pen), *_body(part, pen), *left_out(part, pen), "", *_foot(report, pen)]
    return "\n".join(lines) + "\n"


def render_ends(report: Report, known: Collection[Finding], *, width: int = 80, colour: bool = False) -> str:
    """How it ended, for somebody who has just read the plan and its findings.

    What was applied takes a line each; what was not is shown in full, and so is what was found on the way.
    """
    pen = Pen(width, colour)
    part = part_of(replace(report, findings=tuple(f for f in report.findings if f not in known)))
    done = [result for result in part.results if result.outcome is Outcome.APPLIED]
    rest = replace(part, results=tuple(result for result in part.results if result.outcome is not Outcome.APPLIED))
    lines = [line for result in done for line in _head_of(result, _named(result.change), pen)]
    return "\n".join([*lines, *_body(rest, pen), *left_out(rest, pen), "", *_foot(report, pen)]) + "\n"


def part_of(report: Report) -> Excerpt:
    """All of the report, or of one that is too long to read the first of each kind."""
    return excerpt(report, SHOWN if is_long(report) else len(report.results) + len(report.findings), lambda _: 1)


def _named(change: Change) -> str:
    """What is changed, where no heading names the meeting."""
    return change.key if isinstance(change, RecordChange) else f"{change.key} {change.role or ''}".rstrip()


def _head(report: Report, pen: Pen) -> list[str]:
    target = report.target
    mode, domain, where = title_of(report)
    return [
        *pen.lines(f"{mode} for {domain}: {where}"),
        *pen.lines(f"table {target.table}, zone {target.zone}, owner {target.owner}"),
        *pen.lines(f"seen: {seen(report)}"),
        *_guard(report, pen),
    ]


def _guard(report: Report, pen: Pen) -> list[str]:
    """What a person must read, at both ends of a report that may be long."""
    if not report.guard.tripped:
        return []
    return [pen.painted(_SIGNS["-"], line) for line in pen.lines(f"GUARD: {report.guard.reason}")]


def _body(part: Excerpt, pen: Pen) -> list[str]:
    lines = []
    for section in by_meeting(part.results):
        lines += (
            pen.title(section.meeting, "meeting ") if section.meeting else pen.title("machines of no known meeting")
        )
        for result in section.results:
            lines += change_lines(result, pen)
    if part.findings:
        lines += pen.title("findings (seen, and left alone)")
        for finding in part.findings:
            lines += finding_lines(finding, pen)
    return lines


def change_lines(result: Result, pen: Pen) -> list[str]:
    """One change: what it does, what differs, why, and how it ended."""
    lines = _head_of(result, thing_of(result.change), pen)
    for difference in differences(result.change):
        lines += _difference(difference, pen)
    lines += pen.lines(result.change.reason, "      ")
    return [*lines, *(pen.lines(result.error, "      ! ") if result.error else ())]


def _head_of(result: Result, thing: str, pen: Pen) -> list[str]:
    end = ending_of(result)
    what = f"{words_of(result.change.action)} {thing}".rstrip()
    lines = pen.signed(sign_of(result.change), what + (f"  [{end}]" if end else ""))
    if end:
        lines[-1] = lines[-1].removesuffix(f"[{end}]") + pen.painted(_ENDS.get(result.outcome, "33"), f"[{end}]")
    return lines


def _difference(difference: Difference, pen: Pen) -> list[str]:
    name, old, new = difference.name, difference.old, difference.new
    if old is None or new is None:
        return pen.lines(f"{name}: {old or new}", "      ")
    line = f"      {name}: {on_one_line(old)} → {on_one_line(new)}"
    if columns(line) <= pen.width:
        return [line]
    return [*pen.lines(f"{name}: {old}", "      "), *pen.lines(new, "      → ")]


def finding_lines(finding: Finding, pen: Pen) -> list[str]:
    """One finding: its name, the thing, what is the matter, and what to do."""
    return [
        *pen.signed("!", f"{finding.id} {finding.key}"),
        *pen.lines(finding.message, "      "),
        *pen.lines(finding.hint, "      → "),
    ]


def left_out(part: Excerpt, pen: Pen) -> list[str]:
    """What is not shown, where anything is not."""
    if not part.left_out:
        return []
    return [*pen.title("and many more (--format html and json show all of them)"), *left_out_lines(part)]


def left_out_lines(part: Excerpt) -> list[str]:
    """How many of each kind are not shown."""
    return [f"  {kind:<28}{number:>9,}" for kind, number in part.left_out]


def _foot(report: Report, pen: Pen) -> list[str]:
    sentence = [pen.painted(_BOLD, line) for line in pen.lines(summary_line(report))]
    is_plan = report.mode == "plan" and report.results
    return [*_guard(report, pen), *sentence, *(pen.lines(f"digest {report.digest}") if is_plan else ())]
