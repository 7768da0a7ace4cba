"""The words that the readable forms of the overview share."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from controller.report.words import counted
from controller.status.overview import Line, Overview, Seat, Standing

#: Characters of somebody's status or time that are shown.
_SHOWN = 30
_UNITS = (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("m", timedelta(minutes=1)), ("s", timedelta(seconds=1)))


def heading(seen: Overview) -> str:
    """Return which deployment it is, and when."""
    target = seen.target
    return f"{target.domain_root} (account {target.account}, {target.region}), {_utc(seen.now)} UTC"


def sentence(seen: Overview) -> str:
    """Return the counts: "48 meetings: 45 ready, 2 starting, 1 cannot join"."""
    order = (Standing.READY, Standing.STARTING, Standing.NOT_KNOWN, Standing.CANNOT_JOIN, Standing.QUIET)
    parts = ", ".join(f"{seen.counts[each]:,} {each}" for each in order if seen.counts[each])
    return f"{counted(len(seen.lines), 'meeting')}{': ' if parts else ''}{parts}"


def unread(seen: Overview) -> tuple[str, ...]:
    """Return a sentence for each cell that could not be read."""
    return tuple(f"Cannot read the cell {cell}, so its machines are not known: {why}" for cell, why in seen.unread)


def shown(seen: Overview, *, everything: bool) -> tuple[Line, ...]:
    """Return the meetings to list: all, or those that are not quiet."""
    return tuple(line for line in seen.lines if everything or line.standing is not Standing.QUIET)


def time_of(line: Line, now: datetime) -> str:
    """Return when the meeting begins, in UTC: without the date if that is today, as the row has it if unreadable."""
    if line.begins is None:
        return "no time" if line.meet_time is None else str(line.meet_time)[:_SHOWN]
    begins = line.begins.astimezone(UTC)
    return f"{begins:%H:%M}" if begins.date() == now.astimezone(UTC).date() else f"{begins:%Y-%m-%d %H:%M}"


def status_of(line: Line) -> str:
    """Return what the row says."""
    return "no status" if line.status is None else str(line.status)[:_SHOWN]


def machine_of(seat: Seat, now: datetime) -> str:
    """Return the machine's state, and for how long it has been launched: "running 12m"."""
    if seat.machine is None:
        return "-"
    if seat.state is None:
        return "not known"
    return f"{seat.state} {age(now - seat.launched_at)}" if seat.launched_at else seat.state


def age(span: timedelta) -> str:
    """Return a span in its largest unit: "45s", "12m", "3h", "2d"."""
    for unit, size in _UNITS:
        if span >= size:
            return f"{span // size}{unit}"
    return "0s"


def record_of(seat: Seat) -> str:
    """Return what stands at the name, and how long after the launch it was there: "ok +65s"."""
    after = seat.seconds_to_record
    return str(seat.record) if after is None else f"{seat.record} +{age(timedelta(seconds=after))}"


def join_of(seat: Seat) -> str:
    """Return whether its user can join; "works" where a probe of the link went through."""
    if not seat.can_join:
        return "no" if seat.is_known else "?"
    return "yes" if seat.probed is None else "works" if seat.probed == "works" else f"yes ({seat.probed})"


def reasons(line: Line) -> Iterator[tuple[str, str]]:
    """Yield each role that cannot join, and why."""
    if line.standing is not Standing.QUIET:
        yield from ((seat.role, seat.because) for seat in line.seats if not seat.can_join)


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
