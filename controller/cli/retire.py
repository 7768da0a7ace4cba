"""``retire``: the end of a deployment."""

import click

from controller.cli import reports
from controller.cli.carrying import carry_out
from controller.cli.codes import Code
from controller.cli.console import err
from controller.cli.options import common, formatted
from controller.cli.reports import RETIRE
from controller.cli.session import Session
from controller.report.safe import on_one_line
from controller.request import Mode, Request
from controller.retire import decide

_WARNING = """
Any pass that still runs will make records of running machines again. Switch off
first: the rules ElephantReconcile and ElephantEC2StateWatch, and cron.
Meeting rows stay as they are, and their links will lead nowhere. Records that
do not carry exactly this deployment's mark stay as well.
"""


@click.command(short_help="Take the deployment down: delete every record of ours.")
@formatted("text", "json")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
def retire(session: Session, form: str, yes: bool) -> int:
    """Take the deployment down: delete every record with its mark, whatever the machine does.

    Lists them, and asks for the owner id first. Rows are neither read nor written, and records that are
    unmarked (also with ADOPT_UNMARKED) or carry another mark stay.

    \b
    Examples:
      elephant-dns retire
      elephant-dns retire --yes --format json
    """
    if not yes:
        session.expects_answers()
    controller, expect = session.controller(), None
    if not yes:
        planned = controller.run(Request(Mode.PLAN), session.left(), decide=decide)
        if not planned.results:
            reports.show(planned, form, quiet=session.quiet, look=RETIRE)
            return Code.DONE
        reports.preview(planned, RETIRE, quiet=session.quiet)
        owner, count = planned.target.owner, len(planned.results)
        err(_WARNING)
        question = f"Type the owner id {on_one_line(owner)} to delete all {count} records"
        if not session.types(question, owner, "Nothing was deleted.", "That is not the owner id."):
            return Code.FAILED
        expect = planned.digest
    request = Request(Mode.APPLY, expect=expect)
    return carry_out(session, controller, request, form, is_shown=not yes, look=RETIRE, decide=decide, warning=_WARNING)
