"""The report as text for a terminal: grouped by meeting, what differs, why, and what to do about the rest."""

from dataclasses import dataclass

from controller.model import Finding, Outcome, Result
from controller.report.report import Report
from controller.report.safe import on_one_line
from controller.report.sections import Excerpt, by_meeting, excerpt, is_long
from controller.report.words import (
    Difference,
    differences,
    ending_of,
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
    pen = Pen(width, colour)
    part = excerpt(report, SHOWN if is_long(report) else len(report.results) + len(report.findings), lambda _: 1)
    lines = [*_head(report, pen), *_body(part, pen), *_left_out(part, pen), "", *_foot(report, pen)]
    return "\n".join(lines) + "\n"


def _head(report: Report, pen: Pen) -> list[str]:
    target = report.target
    mode, domain, where = title_of(report)
    return [
        *pen.lines(f"{mode} for {domain}: {where}"),
        *pen.lines(f"table {target.table}, zone {target.zone}, owner {target.owner}"),
        *pen.lines(f"seen: {seen(report)}"),
    ]


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
    change, end = result.change, ending_of(result)
    lines = pen.signed(
        sign_of(change.action),
        f"{words_of(change.action)} {thing_of(change)}".rstrip() + (f"  [{end}]" if end else ""),
    )
    if end:
        lines[-1] = lines[-1].removesuffix(f"[{end}]") + pen.painted(_ENDS.get(result.outcome, "33"), f"[{end}]")
    for difference in differences(change):
        lines += _difference(difference, pen)
    lines += pen.lines(change.reason, "      ")
    return [*lines, *(pen.lines(result.error, "      ! ") if result.error else ())]


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


def _left_out(part: Excerpt, pen: Pen) -> list[str]:
    if not part.left_out:
        return []
    return [*pen.title("and many more (--format html and json show all of them)"), *left_out_lines(part)]


def left_out_lines(part: Excerpt) -> list[str]:
    """How many of each kind are not shown."""
    return [f"  {kind:<28}{number:>9,}" for kind, number in part.left_out]


def _foot(report: Report, pen: Pen) -> list[str]:
    lines = []
    if report.guard.tripped:
        lines += [pen.painted(_SIGNS["-"], line) for line in pen.lines(f"GUARD: {report.guard.reason}")]
    lines += [pen.painted(_BOLD, line) for line in pen.lines(summary_line(report))]
    return [*lines, *(pen.lines(f"digest {report.digest}") if report.results else ())]
