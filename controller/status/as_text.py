"""The overview as a table for a terminal, in 80 columns where there are no more."""

from collections.abc import Iterator

from controller.report.as_text import Pen
from controller.report.safe import on_one_line
from controller.status import words
from controller.status.overview import Line, Overview, Seat, Standing

#: The sign and the colour of each standing.
_LOOKS = {
    Standing.CANNOT_JOIN: ("!", "31"),
    Standing.NOT_KNOWN: ("?", "33"),
    Standing.STARTING: ("~", "33"),
    Standing.READY: ("+", "32"),
    Standing.QUIET: (" ", "2"),
}
_BOLD = "1"


def render(seen: Overview, *, everything: bool = False, width: int = 80, colour: bool = False) -> str:
    """Return the table, worst first, and the counts as the last line."""
    pen, lines = Pen(width, colour), words.shown(seen, everything=everything)
    missing = (
        pen.painted(_LOOKS[Standing.CANNOT_JOIN][1], line) for each in words.unread(seen) for line in pen.lines(each)
    )
    text = [*pen.lines(words.heading(seen)), *missing, ""]
    for line in lines:
        text += _meeting(line, seen, pen)
    hidden = len(seen.lines) - len(lines)
    note = f" (--all lists the {hidden:,} quiet)" if hidden else ""
    return "\n".join([*text, *([""] if lines else []), *_bold(f"{words.sentence(seen)}{note}", pen)]) + "\n"


def _bold(text: str, pen: Pen) -> list[str]:
    return [pen.painted(_BOLD, line) for line in pen.lines(text)]


def _meeting(line: Line, seen: Overview, pen: Pen) -> Iterator[str]:
    parts = (line.meeting, words.time_of(line, seen.now), words.status_of(line), str(line.standing))
    head = "  ".join(on_one_line(part) for part in parts)
    sign, colour = _LOOKS[line.standing]
    yield from (pen.painted(colour, each) for each in pen.lines(head, f"{sign} "))
    width = max(len(seat.role) for seat in line.seats)
    for seat in line.seats:
        yield from pen.lines(_seat(seat, seen, width), "    ")
    for role, reason in words.reasons(line):
        yield from pen.lines(f"{role}: {reason}", "      ")


def _seat(seat: Seat, seen: Overview, width: int) -> str:
    columns = (f"{seat.role:<{width}}", f"{seat.machine or '-':<19}", f"{words.machine_of(seat, seen.now):<11}")
    return f"{' '.join(columns)} record {words.record_of(seat):<7} link {seat.link:<5} join {words.join_of(seat)}"
