"""``retire``: the end of a deployment."""

from dataclasses import replace
from functools import partial

import click

from controller.cli import reports
from controller.cli.carrying import carry_out
from controller.cli.codes import Code
from controller.cli.consequences import warn
from controller.cli.doctor import FUNCTION
from controller.cli.options import common, formatted
from controller.cli.reports import RETIRE
from controller.cli.session import Session
from controller.model import Mode, Request
from controller.report.safe import on_one_line
from controller.retire import decide


@click.command(short_help="Take the deployment down: delete every record of ours.")
@formatted("text", "json")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--function", default=FUNCTION, show_default=True, metavar="NAME", help="The deployed Lambda function.")
@common
def retire(session: Session, form: str, yes: bool, function: str) -> int:
    """Take the deployment down: delete every record with its mark, whatever the machine does.

    Lists them, says how many lead to machines that are up and whether the deployed rules are on, and asks
    for the owner id. Rows are neither read nor written. Records that are unmarked (also with
    ADOPT_UNMARKED) or carry another mark stay; where nothing else is there, it lists their owners and
    exits with 1.

    \b
    Examples:
      elephant-dns retire
      elephant-dns retire --yes --format json
      elephant-dns retire --function ElephantDNSWatchdog-staging
    """
    if not yes:
        session.expects_answers()
    controller, expect = replace(session.controller(), decide=decide), None
    tell = partial(warn, session, controller, function)
    if not yes:
        planned = controller.run(Request(Mode.PLAN), session.left())
        if not planned.results:
            reports.show(planned, form, quiet=session.quiet, look=RETIRE)
            return Code.DONE
        reports.preview(planned, RETIRE, quiet=session.quiet)
        owner, count = planned.target.owner, len(planned.results)
        tell(planned)
        question = f"Type the owner id {on_one_line(owner)} to delete all {count} records"
        if not session.types(question, owner, "Nothing was deleted.", "That is not the owner id."):
            return Code.FAILED
        expect = planned.digest
    request = Request(Mode.APPLY, expect=expect)
    return carry_out(session, controller, request, form, is_shown=not yes, look=RETIRE, warn=tell)
