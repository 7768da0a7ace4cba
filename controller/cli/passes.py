"""``plan`` and ``apply``: one pass, shown or applied."""

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.cli import logs
from controller.cli.codes import Code
from controller.cli.options import FORMS, common, formatted, scoped, written
from controller.cli.session import Session
from controller.report.safe import on_one_line

if TYPE_CHECKING:
    from controller.model import Mode, Request
    from controller.settings import Settings


def _digest(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is None or re.fullmatch(r"[0-9a-f]{64}", value):
        return value
    raise click.BadParameter(
        f"Invalid digest {on_one_line(value)!r}: expected 64 hex digits, the digest that `plan` shows."
    )


@click.command(short_help="Show what would be changed, and why.")
@scoped
@written(*FORMS)
@click.option("--force", is_flag=True, help="Plan as apply --force would.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes, guarded ones included.")
@common
def plan(
    session: Session,
    instances: tuple[str, ...],
    cells: tuple[str, ...],
    form: str,
    output: Path | None,
    force: bool,
    detailed_exitcode: bool,
) -> int:
    """Show what would be changed, and why. Reads only; needs read permissions only.

    \b
    Examples:
      elephant-dns plan
      elephant-dns plan --instance i-0123456789abcdef0
      elephant-dns plan --cell 123456789012/eu-west-1
      elephant-dns plan --output plan.json --detailed-exitcode
    """
    from controller.cli import reports
    from controller.model import Mode

    asked = _asked(Mode.PLAN, instances, cells, force=force)
    controller = session.controller()
    report = controller.run(_in_known_cells(asked, controller.settings), session.left())
    logs.report(report)
    if output:
        reports.save(report, form, output, quiet=session.quiet)
    else:
        reports.show(report, form, quiet=session.quiet)
    if not report.complete:
        return Code.FAILED  # a cell that could not be read must not look like one without changes
    return Code.CHANGES if detailed_exitcode and report.results else Code.DONE


@click.command(short_help="Show the plan, ask, and apply it.")
@scoped
@formatted(*FORMS)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--force", is_flag=True, help="Let guarded changes through, this once.")
@click.option(
    "--expect", metavar="DIGEST", callback=_digest, help="Refuse when the plan is no longer the one with this digest."
)
@common
def apply(
    session: Session,
    instances: tuple[str, ...],
    cells: tuple[str, ...],
    form: str,
    yes: bool,
    force: bool,
    expect: str | None,
) -> int:
    """Show the plan, ask, apply it, and show how each change ended.

    Ctrl-C (or SIGTERM) finishes the calls under way, begins nothing new, and reports what was done: exit
    code 130 (143). A second one ends it at once.

    \b
    Examples:
      elephant-dns apply
      elephant-dns apply --yes                  for cron
      elephant-dns apply --yes --expect DIGEST  the reviewed plan, or nothing
      elephant-dns apply --force                once, after the guard has tripped
      elephant-dns apply --cell 123456789012/eu-west-1
    """
    from controller.cli import reports
    from controller.cli.carrying import carry_out
    from controller.model import Mode, Outcome

    asked = _asked(Mode.APPLY, instances, cells, force=force)
    if not yes:
        session.expects_answers()
    controller = session.controller()
    asked = replace(_in_known_cells(asked, controller.settings), expect=expect)
    if not yes:
        planned = controller.run(replace(asked, mode=Mode.PLAN), session.left())
        if not planned.count(Outcome.PLANNED):
            reports.show(planned, form, quiet=session.quiet)
            return reports.code_of(planned)
        reports.preview(planned, quiet=session.quiet)
        if not session.confirms("Apply these changes?", "Nothing was applied."):
            return Code.FAILED
        asked = replace(asked, expect=planned.digest)
    return carry_out(session, controller, asked, form, is_shown=not yes)


def _asked(mode: "Mode", instances: tuple[str, ...], cells: tuple[str, ...], *, force: bool) -> "Request":
    """Return the request. Raises UsageError for options that do not go together."""
    from controller.events import parse_scope
    from controller.model import Request

    if instances and force:
        raise click.UsageError("--force has no effect with --instance: the guard holds only what a full pass decides.")
    if instances and cells:
        raise click.UsageError("--cell has no effect with --instance: an instance lives in one cell. Drop --cell.")
    scope = parse_scope(instances) if instances else None
    return Request(mode, scope, force=force, cells=frozenset(cells) or None)


def _in_known_cells(asked: "Request", settings: "Settings") -> "Request":
    """Return the request. Raises UsageError if it names a cell that this deployment does not have."""
    known = settings.cells or (settings.place,)
    for cell in sorted(asked.cells or ()):
        if cell not in known:
            raise click.UsageError(f"Unknown cell {on_one_line(cell)!r}: expected one of {', '.join(map(str, known))}.")
    return asked
