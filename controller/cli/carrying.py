"""Carrying out a plan in front of a person: the plan, how far it has got, how each change ended."""

from controller.bootstrap import Controller
from controller.cli import reports
from controller.cli.progress import Progress
from controller.cli.session import Session
from controller.reconcile import Decide, decide
from controller.report.report import Report
from controller.request import Request


def carry_out(
    session: Session, controller: Controller, request: Request, form: str, *, is_shown: bool, decide: Decide = decide
) -> int:
    """Apply, and show the outcomes; the plan first, unless it was shown. Returns the exit code."""
    progress = Progress(quiet=session.quiet, moves=not session.verbose)

    def begin(planned: Report) -> None:
        if not (is_shown or session.quiet):
            reports.preview(planned)
        progress.start(planned)
        session.interrupt.arm()

    with session.interrupt as interrupt:
        report = controller.run(
            request, session.left(), on_plan=begin, on_result=progress.ended, stop=interrupt.stop, decide=decide
        )
        progress.close()
        reports.show(report, form, quiet=session.quiet)
    return interrupt.code or reports.code_of(report)
