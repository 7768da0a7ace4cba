"""``doctor``: checks all that a pass and its deployment stand on."""

import os
import sys

import click

from controller.cli.codes import Code
from controller.cli.console import is_colourful, out, width_of
from controller.cli.options import common, formatted
from controller.cli.session import Session
from controller.template import FUNCTION


@click.command(short_help="Check what a pass and its deployment stand on.")
@common
@formatted("text", "json")
@click.option("--function", default=FUNCTION, show_default=True, metavar="NAME", help="The deployed Lambda function.")
@click.option("--invoke", is_flag=True, help="Compare the function's plan with one from here.")
def doctor(session: Session, function: str, form: str, invoke: bool) -> int:
    """Check settings, token, zone, table, permissions, the deployed function and its rules. Changes nothing.

    \b
    Examples:
      elephant-dns doctor
      elephant-dns doctor --quiet    only what needs a look
      elephant-dns doctor --invoke   let the deployed function plan, and compare
      elephant-dns doctor --function ElephantDNSWatchdog-staging --format json
    """
    from controller.doctor import as_json, as_text
    from controller.doctor.examine import examine
    from controller.runtime import threads
    from controller.runtime.budget import Budget, SystemClock

    budget = Budget(SystemClock(), session.left(), reserve=2 * threads.LAST_WORDS_SECONDS)
    diagnosis = examine(os.environ, function, budget, invoke=invoke)
    if form == "json":
        out(as_json.render(diagnosis))
    else:
        colour, width = is_colourful(sys.stdout), width_of(sys.stdout)
        out(as_text.render(diagnosis, width=width, colour=colour, quiet=session.quiet).rstrip("\n"))
    return Code.DONE if diagnosis.healthy else Code.FAILED
