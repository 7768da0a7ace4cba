"""The report as text for a terminal: grouped by meeting, what differs, why, and what to do about the rest."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from controller.model import Change, Finding, Outcome, RecordChange, Result
from controller.report.report import OTHERS, Report
from controller.report.safe import on_one_line
from controller.report.sections import Excerpt, alike, by_meeting, by_message, excerpt, is_long
from controller.report.words import (
    LEGEND,
    Difference,
    cells_seen,
    counted,
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

_BOLD, _DIM = "1", "2"
_SIGNS = {"+": "32", "~": "33", "-": "31", "!": "36"}
_ENDS = {Outcome.APPLIED: "32", Outcome.FAILED: "31", Outcome.NOT_REACHED: "31"}
_FAILED = (Outcome.FAILED, Outcome.NOT_REACHED)


@dataclass(frozen=True, slots=True)
class Pen:
    """How wide lines may be, in columns, and whether they have colours."""

    width: int = 80
    colour: bool = False

    def lines(self, text: str, lead: str = "") -> list[str]:
        """Return a foreign text in lines that fit."""
        return wrapped(on_one_line(text), max(self.width, 40), lead)

    def painted(self, colour: str, text: str) -> str:
        """Return the text in a colour (ECMA-48's number), where colours are wanted. The blanks before it have none."""
        rest = text.lstrip(" ")
        return f"{text[: -len(rest)]}\x1b[{colour}m{rest}\x1b[0m" if self.colour and rest else text

    def dim(self, text: str) -> str:
        """Return a line that may be skipped while reading."""
        return self.painted(_DIM, text)

    def title(self, text: str, lead: str = "") -> list[str]:
        """Return the heading of a section."""
        return ["", *(self.painted(_BOLD, line) for line in self.lines(text, lead))]

    def signed(self, sign: str, text: str) -> list[str]:
        """Return the heading of a change or finding, in the colour of its sign."""
        return [self.painted(_SIGNS[sign], line) for line in self.lines(text, f"  {sign} ")]

    def ended(self, sign: str, text: str, outcome: Outcome) -> list[str]:
        """Return the heading of a change that has ended, with the end in its own colour."""
        end = f"[{outcome}]"
        *lines, last = self.lines(f"{text}  {end}", f"  {sign} ")
        last = last.removesuffix(end)
        painted = [
            self.painted(_SIGNS[sign], line.rstrip(" ")) + line[len(line.rstrip(" ")) :] for line in (*lines, last)
        ]
        painted[-1] += self.painted(_ENDS.get(outcome, "33"), end)
        return painted


def render(report: Report, *, width: int = 80, colour: bool = False) -> str:
    """Return the report; of a long one the first of each kind, and how many more there are."""
    pen, report = Pen(width, colour), readable(report)
    part = part_of(report)
    lines = [*_head(report, pen), *_body(part, pen), *left_out(part, pen), "", *_foot(report, pen)]
    return "\n".join(lines) + "\n"


def render_ends(report: Report, known: Collection[Finding], *, width: int = 80, colour: bool = False) -> str:
    """Return how it ended, for a person who has just read the plan and its findings.

    An applied change takes a line. Other changes are shown in full, and so are new findings.
    """
    pen = Pen(width, colour)
    part = part_of(replace(report, findings=tuple(f for f in report.findings if f not in known)))
    done = [result for result in part.results if result.outcome is Outcome.APPLIED]
    rest = replace(part, results=tuple(result for result in part.results if result.outcome is not Outcome.APPLIED))
    lines = [line for result in done for line in _head_of(result, _named(result.change), pen)]
    return "\n".join([*lines, *_body(rest, pen), *left_out(rest, pen), "", *_foot(report, pen)]) + "\n"


def render_short(report: Report, *, width: int = 80, colour: bool = False) -> str:
    """Return the pass in one sentence, and what could not be read, failed or was not reached, with the cause."""
    pen = Pen(width, colour)
    unread = (line for c in report.unread for line in pen.lines(f"Cannot read the cell {c.name}: {c.error}"))
    return "\n".join([summary_line(report), *_guard(report, pen), *unread, *failures(report, pen)]) + "\n"


def failures(report: Report, pen: Pen) -> list[str]:
    """Return the changes that failed or were not reached, each with its error; of many the first of each kind."""
    failed = tuple(result for result in report.results if result.outcome in _FAILED)
    part = part_of(replace(report, results=failed, findings=()))
    lines = [
        line
        for result in part.results
        for line in (*_head_of(result, _named(result.change), pen), *_error(result, pen))
    ]
    return [*lines, *left_out(part, pen)]


def part_of(report: Report) -> Excerpt:
    """Return all of the report, or of a long one the first of each kind."""
    return excerpt(report, SHOWN if is_long(report) else len(report.results) + len(report.findings), lambda _: 1)


def _named(change: Change) -> str:
    """Return what is changed, where no heading names the meeting."""
    return change.key if isinstance(change, RecordChange) else f"{change.key} {change.role or ''}".rstrip()


def _head(report: Report, pen: Pen) -> list[str]:
    target = report.target
    mode, domain, where = title_of(report)
    return [
        *pen.lines(f"{mode} for {domain}: {where}"),
        *pen.lines(f"table {target.table}, zone {target.zone}, owner {target.owner}"),
        *pen.lines(f"seen: {seen(report)}"),
        *(pen.lines(f"cells: {cells}") if (cells := cells_seen(report)) else ()),
        *_guard(report, pen),
        *([_legend(pen)] if report.results or report.findings else ()),
    ]


def _legend(pen: Pen) -> str:
    return ", ".join(pen.painted(_SIGNS[sign], f"{sign} {words}") for sign, words in LEGEND)


def _guard(report: Report, pen: Pen) -> list[str]:
    """Return what a person must read, for both ends of a report that may be long."""
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
        lines += [*pen.title("findings (seen, and left alone)"), *findings_lines(part.findings, pen)]
        lines.append(pen.dim(f"  elephant-dns explain {part.findings[0].id} says more"))
    return lines


def change_lines(result: Result, pen: Pen) -> list[str]:
    """Return one change: what it does, what differs, why, and how it ended."""
    lines = _head_of(result, thing_of(result.change), pen)
    for difference in differences(result.change):
        lines += _difference(difference, pen)
    lines += map(pen.dim, pen.lines(result.change.reason, "      "))
    return [*lines, *_error(result, pen)]


def _head_of(result: Result, thing: str, pen: Pen) -> list[str]:
    sign, what = sign_of(result.change), f"{words_of(result.change.action)} {thing}".rstrip()
    return pen.ended(sign, what, result.outcome) if ending_of(result) else pen.signed(sign, what)


def _error(result: Result, pen: Pen) -> list[str]:
    return [pen.painted(_SIGNS["-"], line) for line in pen.lines(result.error, "      ! ")] if result.error else []


def _difference(difference: Difference, pen: Pen) -> list[str]:
    name, old, new = difference.name, difference.old, difference.new
    if old is None or new is None:
        return pen.lines(f"{name}: {old or new}", "      ")
    line = f"      {name}: {on_one_line(old)} → {on_one_line(new)}"
    if columns(line) <= pen.width:
        return [line]
    return [*pen.lines(f"{name}: {old}", "      "), *pen.lines(new, "      → ")]


def findings_lines(findings: Iterable[Finding], pen: Pen) -> list[str]:
    """Return the findings; several of one kind stand together, above the one hint that they share."""
    return [line for group in alike(findings) for line in _group_lines(group, pen)]


def _group_lines(group: tuple[Finding, ...], pen: Pen) -> Iterator[str]:
    first, *others = group
    if not others:
        yield from pen.signed("!", f"{first.id} {first.key}")
        yield from pen.lines(first.message, "      ")
    else:
        yield from pen.signed("!", f"{first.id}: {counted(sum(f.key != OTHERS for f in group), 'finding')}")
        for message, keys in by_message(group):
            about, rest = (f"{keys[0]}: ", ()) if len(keys) == 1 else ("", pen.lines(", ".join(keys), "        "))
            yield from pen.lines(f"{about}{message}", "      ")
            yield from rest
    yield from pen.lines(first.hint, "      → ")


def left_out(part: Excerpt, pen: Pen) -> list[str]:
    """Return what is not shown, where anything is not."""
    if not part.left_out:
        return []
    return [*pen.title("and many more (--format html and json show all of them)"), *left_out_lines(part)]


def left_out_lines(part: Excerpt) -> list[str]:
    """Return how many of each kind are not shown."""
    return [f"  {kind:<28}{number:>9,}" for kind, number in part.left_out]


def _foot(report: Report, pen: Pen) -> list[str]:
    sentence = [pen.painted(_BOLD, line) for line in pen.lines(summary_line(report))]
    is_plan = report.mode == "plan" and report.results
    return [*_guard(report, pen), *sentence, *(pen.lines(f"digest {report.digest}") if is_plan else ())]
