"""Carrying out a plan in front of a person: the plan, how far it has got, how each change ended."""

from collections.abc import Callable

from controller.bootstrap import Controller
from controller.cli import reports
from controller.cli.console import err
from controller.cli.progress import Progress
from controller.cli.reports import PASS, Look
from controller.cli.session import Session
from controller.model import Outcome
from controller.reconcile import Decide, decide
from controller.report.report import Report
from controller.report.words import counted
from controller.request import Request


def carry_out(
    session: Session,
    controller: Controller,
    request: Request,
    form: str,
    *,
    is_shown: bool,
    look: Look = PASS,
    decide: Decide = decide,
    warn: Callable[[Report], None] = lambda _: None,
) -> int:
    """Apply, and show the outcomes; returns the exit code.

    The plan comes first unless it was shown, or the report alone says it all: as text that nobody reads as it comes.
    ``warn`` says what has to be said of a plan that was not shown before.
    """
    progress = Progress(quiet=session.quiet, moves=not session.verbose)
    is_read = form == "text" and reports.is_on_screen()
    plans = list[Report]()

    def begin(planned: Report) -> None:
        if planned.results and not (is_shown or session.quiet):
            if is_read or form != "text":
                reports.preview(planned, look, quiet=False)
            warn(planned)
        plans.append(planned)
        progress.start(planned)
        session.interrupt.arm()

    with session.interrupt as interrupt:
        report = controller.run(
            request, session.left(), on_plan=begin, on_result=progress.ended, stop=interrupt.stop, decide=decide
        )
        progress.close()
        read = plans[0] if is_read and plans[0].results else None
        reports.show(report, form, quiet=session.quiet, look=look, read=read)
        if interrupt.code:
            err(_interrupted(report))
    return interrupt.code or reports.code_of(report)


def _interrupted(report: Report) -> str:
    """What an interrupted pass has left."""
    if left := report.count(Outcome.NOT_REACHED):
        return f"Interrupted, with {counted(left, 'change')} not reached; run it again to go on."
    if report.count(Outcome.FAILED) or report.count(Outcome.GUARDED):
        return "Interrupted; what failed or was held back is in the report."
    return "Interrupted, with nothing left."
