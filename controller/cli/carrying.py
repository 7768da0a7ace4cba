"""Apply in front of a person: show the plan, the progress, and how each change ended."""

from collections.abc import Callable
from dataclasses import dataclass

from controller.bootstrap import Controller
from controller.cli import logs, reports
from controller.cli.console import err
from controller.cli.progress import Progress
from controller.cli.reports import PASS, Look
from controller.cli.session import Session
from controller.model import Outcome, Request, Result
from controller.ports import Listener
from controller.report.report import Report
from controller.report.words import counted


@dataclass(slots=True)
class _Audience(Listener):
    """Shows the plan to a person first, unless it was shown, and then the progress."""

    session: Session
    show_plan: Callable[[Report], None]
    progress: Progress
    plan: Report | None = None

    def on_plan(self, report: Report) -> None:
        """Show the plan. From now on the first Ctrl-C ends the pass in good order."""
        if report.results and not self.session.quiet:
            self.show_plan(report)
        self.plan = report
        self.progress.start(report)
        self.session.interrupt.arm()

    def on_result(self, result: Result) -> None:
        """Show how many changes have ended."""
        self.progress.ended(result)


def carry_out(
    session: Session,
    controller: Controller,
    request: Request,
    form: str,
    *,
    is_shown: bool,
    look: Look = PASS,
    warn: Callable[[Report], None] = lambda _: None,
) -> int:
    """Apply, show the outcomes, and return the exit code.

    The plan comes first, unless it was shown or the report alone is enough: as text that nobody reads as it comes, or
    in a log for programs. ``warn`` adds the consequences of a plan that was not shown before.
    """
    is_read = form == "text" and reports.is_on_screen()

    def show_plan(planned: Report) -> None:
        if not is_shown:
            if (is_read or form != "text") and not logs.is_json():
                reports.preview(planned, look, quiet=False)
            warn(planned)

    progress = Progress(quiet=session.quiet or logs.is_json(), moves=not session.verbose)
    audience = _Audience(session, show_plan, progress)
    with session.interrupt as interrupt:
        report = controller.run(request, session.left(), audience, interrupt.stop)
        audience.progress.close()
        logs.report(report)
        read = audience.plan if is_read and audience.plan and audience.plan.results else None
        reports.show(report, form, quiet=session.quiet, look=look, read=read)
        if interrupt.code:
            err(_interrupted(report))
    return interrupt.code or reports.code_of(report)


def _interrupted(report: Report) -> str:
    """Return what an interrupted pass left undone."""
    if left := report.count(Outcome.NOT_REACHED):
        return f"Interrupted, with {counted(left, 'change')} not reached; run it again to go on."
    if report.count(Outcome.FAILED) or report.count(Outcome.GUARDED):
        return "Interrupted; what failed or was held back is in the report."
    return "Interrupted, with nothing left."
