"""``explain``: one machine or meeting on one screen, or what the id of a finding means."""

import sys
from collections.abc import Collection, Iterable
from functools import partial
from typing import TYPE_CHECKING

import click

from controller.cli.codes import Code
from controller.cli.console import err, is_colourful, out, width_of
from controller.cli.options import common
from controller.cli.session import Session
from controller.report.safe import on_one_line

if TYPE_CHECKING:
    from controller.bootstrap import Controller
    from controller.cli.entries import Entry
    from controller.explain import Explanation
    from controller.model import Result
    from controller.probe.verdict import Link, Verdict
    from controller.report.as_text import Pen


@click.command("explain", short_help="Say why, for one machine, meeting or finding.")
@click.argument("name", metavar="ID")
@click.option("--probe", is_flag=True, help="Go the way of a user's browser, and say where it ends.")
@common
def command(session: Session, name: str, probe: bool) -> int:
    """Say whether teacher and student can join, and why. Reads only.

    Shows what each source says of ID, what is wanted, and what the next pass would do. ID is an instance,
    the name of its record, its join link, or a meeting. Exits with 1 when no source knows it.

    Of a finding, a rule or a check of doctor in the runbook it says what that means and what to do; this needs
    no settings.

    \b
    Examples:
      elephant-dns explain i-0123456789abcdef0
      elephant-dns explain i-0123456789abcdef0.example.com
      elephant-dns explain algebra-17
      elephant-dns explain algebra-17 --probe
      elephant-dns explain unmarked-record
    """
    if not name.strip():
        raise click.UsageError("ID is empty: give an instance, a record's name or a meeting.")
    from controller.cli.entries import entries

    if entry := entries().get(name):
        out("\n".join(_entry(name, entry)))
        return Code.DONE
    from controller.cli.history import rows_naming
    from controller.explain import explain, why_unknown
    from controller.model import Mode
    from controller.report.as_text import Pen

    controller = _controller(session, name)
    context = controller.begin(Mode.PLAN, session.left())
    found = explain(name, context, partial(rows_naming, controller.dynamodb, context))
    if found is None:
        err(f"Unknown name {on_one_line(name)}: EC2, Cloudflare and DynamoDB have nothing of that name.")
        why = why_unknown(name, controller.settings, context.readers.unread())
        err(on_one_line(f"{why} {_nearest(name)}".rstrip()))
        return Code.FAILED
    pen = Pen(width_of(sys.stdout), is_colourful(sys.stdout))
    if not probe:
        out("\n".join(_lines(found, pen)))
        return Code.DONE
    from controller.explain import with_verdicts
    from controller.probe.ask import probe as probe_links

    judged = tuple(zip(found.links, probe_links(found.links, context.settings, context.budget), strict=True))
    out("\n".join([*_lines(with_verdicts(found, judged), pen), *_probed(judged, pen)]))
    return Code.DONE


def _controller(session: Session, name: str) -> "Controller":
    """Return a controller for a name. Raises UsageError without settings where the name is almost a finding's."""
    from controller.errors import SettingsError

    try:
        return session.controller()
    except SettingsError as error:
        if _is_check(name):
            raise click.UsageError(_nearest(name)) from error
        if near := _nearest(name):
            unknown = f"No finding, rule or check is called {on_one_line(name)}. {near}"
            raise click.UsageError(
                f"{unknown} For a machine or a meeting of this name, set what a pass needs."
            ) from error
        raise


def _is_check(name: str) -> bool:
    """Return whether doctor has a check of this name in every deployment."""
    from controller.doctor.examine import PARTS

    return any(name in part.ids for part in PARTS)


def _nearest(name: str) -> str:
    from controller.cli.entries import nearest

    if _is_check(name):
        return f"{name} is a check of doctor: elephant-dns doctor says what it found and what to do."
    found = nearest(name)
    return f"Did you mean {' or '.join(found)}?" if found else ""


def _entry(id: str, entry: "Entry") -> Iterable[str]:
    """Yield what the runbook says of this id."""
    from controller.report.as_text import Pen

    pen = Pen(width_of(sys.stdout), is_colourful(sys.stdout))
    yield from pen.title(f"{entry.kind} {id}")[1:]
    for label, text in (("means", entry.means), ("do", entry.do), ("more", entry.page)):
        if text:
            yield from pen.lines(text, f"  {label:<8}")


def _probed(judged: "Collection[tuple[Link, Verdict | None]]", pen: "Pen") -> Iterable[str]:
    """Yield what the probe saw of each link."""
    yield from pen.title("the way of a user's browser, from here")
    for link, verdict in judged:
        kind, because = (verdict.kind, verdict.because) if verdict else ("not probed", "The time was up")
        yield from pen.lines(f"{link.url}: {kind}. {because}.", "  ")
        if verdict and verdict.remedy:
            yield from pen.lines(verdict.remedy, "      ")
    if not judged:
        yield from pen.lines("Not probed: no name has led to its machine for a minute.", "  ")


def _lines(found: "Explanation", pen: "Pen") -> Iterable[str]:
    from controller.report.as_text import findings_lines

    for answer in found.answers:
        yield from pen.lines(answer)
    yield from pen.title(found.title)[1:]
    before = ""
    for source, text in (*found.facts, *(("wanted", text) for text in found.wanted)):
        yield from pen.lines(text, f"  {'' if source == before else source:<12}")
        before = source
    yield from pen.title("the next pass would do")
    for result in found.results:
        yield from _change(result, pen)
    if not found.results:
        yield "  nothing"
    if found.findings:
        yield from pen.title("findings (seen, and left alone)")
    yield from findings_lines(found.findings, pen)


def _change(result: "Result", pen: "Pen") -> Iterable[str]:
    """Yield the change in short, with its rule: the facts above say what is there, and ``plan`` shows each value."""
    from controller.model import Outcome
    from controller.report.words import sign_of, thing_of, words_of

    change = result.change
    held = "  [guarded]" if result.outcome is Outcome.GUARDED else ""
    yield from pen.signed(sign_of(change), f"{words_of(change.action)} {thing_of(change)}".rstrip() + held)
    yield from map(pen.dim, pen.lines(f"{change.rule}: {change.reason}", "      "))
