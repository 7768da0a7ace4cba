"""``plan`` and ``apply``: one pass, shown or applied."""

import re
from pathlib import Path

import click

from controller.cli import logs
from controller.cli.codes import Code
from controller.cli.options import FORMS, common, formatted, scoped, written
from controller.cli.session import Session
from controller.report.safe import on_one_line


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
      elephant-dns plan --output plan.json --detailed-exitcode
    """
    from controller.cli import reports
    from controller.model import Mode, Request

    request = Request(Mode.PLAN, _scope(instances, force=force), force=force)
    report = session.controller().run(request, session.left())
    logs.report(report)
    if output:
        reports.save(report, form, output, quiet=session.quiet)
    else:
        reports.show(report, form, quiet=session.quiet)
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
def apply(session: Session, instances: tuple[str, ...], form: str, yes: bool, force: bool, expect: str | None) -> int:
    """Show the plan, ask, apply it, and show how each change ended.

    Ctrl-C (or SIGTERM) finishes the calls under way, begins nothing new, and reports what was done: exit
    code 130 (143). A second one ends it at once.

    \b
    Examples:
      elephant-dns apply
      elephant-dns apply --yes                  for cron
      elephant-dns apply --yes --expect DIGEST  the reviewed plan, or nothing
      elephant-dns apply --force                once, after the guard has tripped
    """
    from controller.cli import reports
    from controller.cli.carrying import carry_out
    from controller.model import Mode, Outcome, Request

    scope = _scope(instances, force=force)
    if not yes:
        session.expects_answers()
    controller = session.controller()
    if not yes:
        planned = controller.run(Request(Mode.PLAN, scope, force=force, expect=expect), session.left())
        if not planned.count(Outcome.PLANNED):
            reports.show(planned, form, quiet=session.quiet)
            return reports.code_of(planned)
        reports.preview(planned, quiet=session.quiet)
        if not session.confirms("Apply these changes?", "Nothing was applied."):
            return Code.FAILED
        expect = planned.digest
    request = Request(Mode.APPLY, scope, force=force, expect=expect)
    return carry_out(session, controller, request, form, is_shown=not yes)


def _scope(instances: tuple[str, ...], *, force: bool) -> frozenset[str] | None:
    from controller.events import parse_scope

    if instances and force:
        raise click.UsageError("--force has no effect with --instance: the guard holds only what a full pass decides.")
    return parse_scope(instances) if instances else None
