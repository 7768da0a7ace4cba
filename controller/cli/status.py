"""``status``: all meetings on one screen."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.cli.codes import Code
from controller.cli.console import err, is_colourful, is_terminal, out, width_of
from controller.cli.options import FORMS, common, written
from controller.cli.session import Session

if TYPE_CHECKING:
    from controller.bootstrap import Controller
    from controller.status.overview import Overview

#: Seconds between two looks of ``--watch``, and for each call to Cloudflare that one look took: with a tenth of its
#: limit (1,200 calls in 300 s) the others who use the token are not held up.
EVERY, PER_CALL = 5.0, 2.5


@click.command(short_help="Show who can join, meeting by meeting.")
@click.option("--all", "everything", is_flag=True, help="Also the meetings that are over, or not due yet.")
@click.option("--probe", is_flag=True, help="Open each link as a browser would.")
@click.option("--watch", is_flag=True, help="Look again every few seconds, until Ctrl-C. On a terminal only.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when somebody cannot join.")
@written(*FORMS)
@common
def status(
    session: Session,
    everything: bool,
    probe: bool,
    watch: bool,
    detailed_exitcode: bool,
    form: str,
    output: Path | None,
) -> int:
    """Show who can join, meeting by meeting: the worst first. Reads only.

    "running 25m" is the time since the launch; "record ok +2m" came two minutes after it.

    \b
    Examples:
      elephant-dns status
      elephant-dns status --watch
      elephant-dns status --probe --detailed-exitcode    for a monitor
      elephant-dns status --output status.html           for cron and a bucket
    """
    if watch and (form != "text" or output or not is_terminal(sys.stdout)):
        raise click.UsageError("Cannot --watch without a terminal, or with --format or --output.")
    controller = session.controller()
    seconds = session.left()
    while True:
        seen, calls = _look(controller, seconds if watch else session.left(), probe=probe)
        if watch:
            click.clear()
        _show(seen, form, output, everything=everything, quiet=session.quiet)
        if not watch:
            return _code(seen, detailed=detailed_exitcode)
        controller.clock.sleep(max(EVERY, calls * PER_CALL))


def _code(seen: "Overview", *, detailed: bool) -> Code:
    """Return the exit code. It is an error if not every cell was read."""
    if seen.unread:
        return Code.FAILED
    return Code.CHANGES if detailed and seen.somebody_cannot_join else Code.DONE


def _look(controller: "Controller", seconds: float, *, probe: bool) -> "tuple[Overview, int]":
    """Look once at everything; return the overview, and how many calls to Cloudflare it took."""
    from controller.model import Mode
    from controller.observe import Observer
    from controller.reconcile import check_place
    from controller.status.overview import overview

    context = controller.begin(Mode.PLAN, seconds)
    check_place(context.settings)
    world = Observer(context.readers, context.settings, context.budget).everything()
    away = context.readers.unread()
    seen = overview(world, context.settings, context.target)
    seen = replace(seen, unread=tuple((cell, str(away[cell])) for cell in sorted(away)))
    if probe:
        from controller.probe.ask import probe as probe_links
        from controller.probe.links import in_use
        from controller.probe.verdict import Kind
        from controller.rules.facts import Facts
        from controller.status.overview import probed

        links = in_use(Facts.of(world, context.settings), ())
        works = {Kind.WORKS: True, Kind.BROKEN: False, Kind.UNKNOWN: None}
        verdicts = zip(links, probe_links(links, context.settings, context.budget), strict=True)
        said = {link.instance: (works[v.kind], v.because) for link, v in verdicts if v}
        seen = probed(seen, said)
    return seen, context.budget.calls().get("cloudflare", 0)


def _show(seen: "Overview", form: str, output: Path | None, *, everything: bool, quiet: bool) -> None:
    from controller.cli.reports import write
    from controller.status import as_html, as_json, as_markdown, as_text
    from controller.status.words import sentence

    if form == "json":
        text = as_json.render(seen)
    elif form == "markdown":
        text = as_markdown.render(seen, everything=everything)
    elif form == "html":
        text = as_html.render(seen, everything=everything)
    elif quiet:
        text = f"{sentence(seen)}\n"
    else:
        stream = sys.stdout
        text = as_text.render(
            seen,
            everything=everything,
            width=80 if output else width_of(stream),
            colour=not output and is_colourful(stream),
        )
    if output is None:
        out(text, end="")
        return
    write(text, output)
    if not quiet:
        err(sentence(seen))
