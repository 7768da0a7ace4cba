"""The overview as one HTML page that stands alone: for a bucket, a phone, a screen on the wall."""

from collections.abc import Iterator

from controller.report.as_html import page_start
from controller.report.safe import in_html
from controller.status import words
from controller.status.overview import Line, Overview, Seat, Standing

#: The style sheet's class for each standing: its colour.
_CLASSES = {
    Standing.CANNOT_JOIN: "deleted",
    Standing.NOT_KNOWN: "updated",
    Standing.STARTING: "updated",
    Standing.READY: "created",
    Standing.QUIET: "quiet",
}


def render(seen: Overview, *, everything: bool = False) -> str:
    """Return the page, the worst meetings first."""
    title = f"Who can join: {in_html(seen.target.domain_root)}"
    lines = words.shown(seen, everything=everything)
    parts = [
        page_start(title),
        f"<header>\n<h1>{title}</h1>",
        f'<p class="sentence">{in_html(words.sentence(seen))}</p>',
        *(f"<p>{in_html(each)}</p>" for each in words.unread(seen)),
        f"<p>{in_html(words.heading(seen))}</p>\n</header>\n<main>",
        f"<ul>\n{''.join(_meeting(line, seen) for line in lines)}</ul>" if lines else "<p>No meeting to list.</p>",
        "</main>\n</body>\n</html>",
    ]
    return "\n".join(parts) + "\n"


def _meeting(line: Line, seen: Overview) -> str:
    head = " ".join(f"<span>{in_html(part)}</span>" for part in (words.time_of(line, seen.now), words.status_of(line)))
    seats = "".join(_seat(seat, seen) for seat in line.seats)
    return (
        f'<li class="{_CLASSES[line.standing]}"><p class="what"><code>{in_html(line.meeting)}</code> {head} '
        f"<strong>{line.standing}</strong></p><dl>{seats}</dl>{''.join(_reasons(line))}</li>\n"
    )


def _seat(seat: Seat, seen: Overview) -> str:
    machine = (
        f"<code>{in_html(seat.machine)}</code> {in_html(words.machine_of(seat, seen.now))}, " if seat.machine else ""
    )
    said = f"{machine}record {words.record_of(seat)}, link {seat.link}, can join: {in_html(words.join_of(seat))}"
    return f"<div><dt>{in_html(seat.role)}</dt><dd>{said}</dd></div>"


def _reasons(line: Line) -> Iterator[str]:
    return (f"<p>{in_html(role)}: {in_html(reason)}</p>" for role, reason in words.reasons(line))
