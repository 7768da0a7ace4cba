"""The overview as Markdown: one table, for a job's summary or a chat."""

from collections.abc import Iterator

from controller.report.as_markdown import MOST
from controller.report.safe import in_markdown
from controller.status import words
from controller.status.overview import Line, Overview, Seat

_HEAD = (
    "| meeting | time (UTC) | status | role | machine | record | link | can join |\n|---|---|---|---|---|---|---|---|\n"
)
#: Characters kept for what is said about rows that are left out.
_REST = 200


def render(seen: Overview, *, everything: bool = False) -> str:
    """Return the table in fewer than 65,000 characters, the worst first; it says how many meetings it leaves out."""
    lines = words.shown(seen, everything=everything)
    text = f"### {in_markdown(words.heading(seen))}\n\n**{words.sentence(seen)}**\n"
    text += "".join(f"\n{in_markdown(each)}\n" for each in words.unread(seen))
    room = MOST - len(text) - len(_HEAD) - _REST
    rows: list[str] = []
    for line in lines:
        row = "".join(_rows(line, seen))
        room -= len(row)
        if room < 0:
            break
        rows.append(row)
    left_out = len(lines) - len(rows)
    table = f"\n{_HEAD}{''.join(rows)}" if rows else ""
    return text + table + (f"\n{left_out:,} more meetings are left out here.\n" if left_out else "")


def _rows(line: Line, seen: Overview) -> Iterator[str]:
    why = dict(words.reasons(line))
    for number, seat in enumerate(line.seats):
        first = (
            in_markdown(line.meeting),
            in_markdown(words.time_of(line, seen.now)),
            in_markdown(words.status_of(line)),
        )
        said = (
            in_markdown(seat.role),
            f"{in_markdown(seat.machine)} {in_markdown(words.machine_of(seat, seen.now))}" if seat.machine else "",
            words.record_of(seat),
            str(seat.link),
            f"{_joins(seat)}{': ' + in_markdown(why[seat.role]) if seat.role in why else ''}",
        )
        yield f"| {' | '.join((*(first if number == 0 else ('', '', '')), *said))} |\n"


def _joins(seat: Seat) -> str:
    """Return whether its user can join; a verdict that is not known quotes what the probe has heard."""
    said = words.join_of(seat)
    return said if said.isalpha() else in_markdown(said)
