"""``retire``: deletes a deployment's records before it is taken down."""

from dataclasses import replace
from functools import partial

import click

from controller.cli.codes import Code
from controller.cli.options import common, formatted
from controller.cli.session import Session
from controller.report.safe import on_one_line
from controller.template import FUNCTION


@click.command(short_help="Delete every record with this deployment's mark.")
@formatted("text", "json")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--function", default=FUNCTION, show_default=True, metavar="NAME", help="The deployed Lambda function.")
@common
def retire(session: Session, form: str, yes: bool, function: str) -> int:
    """Delete every record with this deployment's mark, before it is taken down.

    Lists the records, says how many lead to machines that are up and whether the deployed rules are on, and
    asks for the owner id. Neither reads nor writes rows. Records without a mark (also with ADOPT_UNMARKED)
    or with another mark stay. If it finds none of its own, but other owners' records, it lists these owners
    and exits with 1.

    \b
    Examples:
      elephant-dns retire
      elephant-dns retire --yes --format json
      elephant-dns retire --function ElephantDNSWatchdog-staging
    """
    from controller.cli import reports
    from controller.cli.carrying import carry_out
    from controller.cli.consequences import warn
    from controller.cli.reports import RETIRE
    from controller.model import Mode, Request
    from controller.retire import decide, owner_to_type

    if not yes:
        session.expects_answers()
    controller, expect = session.controller(), None
    owner = owner_to_type(controller.settings)
    controller = replace(controller, decide=decide, target=replace(controller.target, owner=owner))
    tell = partial(warn, session, controller, function)
    if not yes:
        planned = controller.run(Request(Mode.PLAN), session.left())
        if not planned.results:
            reports.show(planned, form, quiet=session.quiet, look=RETIRE)
            return Code.DONE
        reports.preview(planned, RETIRE, quiet=session.quiet)
        tell(planned)
        question = f"Type the owner id {on_one_line(owner)} to delete all {len(planned.results)} records"
        if not session.types(question, owner, "Nothing was deleted.", "That is not the owner id."):
            return Code.FAILED
        expect = planned.digest
    request = Request(Mode.APPLY, expect=expect)
    return carry_out(session, controller, request, form, is_shown=not yes, look=RETIRE, warn=tell)
