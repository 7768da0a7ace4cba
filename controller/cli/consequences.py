"""What ``retire`` causes beside the deletions. It is said before them, and never stops them."""

import sys

from controller.bootstrap import Controller
from controller.cli.console import err, width_of
from controller.cli.session import Session
from controller.clients import aws_clients
from controller.doctor.rules import Rules
from controller.errors import WatchdogError
from controller.model import Mode
from controller.report.report import Report
from controller.report.safe import on_one_line
from controller.report.words import counted
from controller.report.wrap import wrapped
from controller.retire import lead_to_machines_that_are_up
from controller.runtime.budget import Budget
from controller.runtime.threads import Task
from controller.template import FUNCTION, RULES

#: Seconds for a check that nothing depends on.
PATIENCE = 15.0
_STAYS = (
    "Meeting rows stay as they are, and their links will lead nowhere. Records that do not carry exactly this "
    "deployment's mark stay as well."
)


def warn(session: Session, controller: Controller, function: str, planned: Report) -> None:
    """Say which machines lose their names, and whether the deployment would create new records."""
    seconds = min(PATIENCE, session.left() / 2)
    budget = Budget(controller.clock, seconds)
    machines = Task(lambda: _machines(controller, seconds, planned), budget)
    rules = Task(lambda: _rules(controller, function, budget), budget)
    err("")
    for said in (_said(machines, "Whether machines are up"), _said(rules, "Whether the deployed rules are on"), _STAYS):
        err("\n".join(wrapped(on_one_line(said), width_of(sys.stderr))))
    err("")


def _said(look: Task[str], what: str) -> str:
    try:
        return look.result()
    except WatchdogError as error:
        return f"{what} could not be checked: {error}"


def _machines(controller: Controller, seconds: float, planned: Report) -> str:
    readers = controller.begin(Mode.PLAN, seconds).readers
    by_cell = lead_to_machines_that_are_up(planned.results, readers.fleet)
    up, records = by_cell.total(), counted(len(planned.results), "record")
    lead, their = ("leads to a machine that is", "Its") if up == 1 else ("lead to machines that are", "Their")
    cells = ", ".join(f"{cell} {number:,}" for cell, number in sorted(by_cell.items(), key=str) if cell)
    said = f"{up:,} {lead} up{f' ({cells})' if cells else ''}. {their} users lose the way to it."
    unread = readers.unread()
    return " ".join(
        (
            f"Of {records} to delete {said if up else 'none leads to a machine that is up.'}",
            *(f"Cannot read the cell {c}, so machines there may be up as well: {unread[c]}" for c in sorted(unread)),
        )
    )


def _rules(controller: Controller, function: str, budget: Budget) -> str:
    aws = aws_clients(controller.settings, controller.session)
    try:
        suffix = function.removeprefix(FUNCTION) if function.startswith(FUNCTION) else ""
        names = [f"{rule}{suffix}" for rule in RULES]
        on = [name for name in names if Rules(aws, budget).is_on(name)]
    finally:
        aws.close()
    if not on:
        return f"The rules {_listed(names)} are off, or not there. Switch off cron jobs and timers, too."
    those, are = ("The rule", "is") if len(on) == 1 else ("The rules", "are")
    return (
        f"{those} {_listed(on)} {are} ON: passes that they start create records of running machines again. "
        "Deploy with Enabled=false first, and switch off cron jobs and timers."
    )


def _listed(names: list[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
