"""A report as a command shows it, and the exit code that it comes to."""

import sys
from pathlib import Path

from controller.cli.codes import Code
from controller.cli.console import err, is_colourful, out
from controller.errors import WatchdogError
from controller.report import as_text
from controller.report.forms import FORMS
from controller.report.report import Report
from controller.report.words import summary_line


def preview(planned: Report) -> None:
    """A plan, for a person to think about."""
    err(as_text.render(planned, colour=is_colourful(sys.stderr)), end="")


def show(report: Report, form: str, *, quiet: bool) -> None:
    """The result of a command, on standard output."""
    out(_rendered(report, form, quiet=quiet, colour=is_colourful(sys.stdout)), end="")


def save(report: Report, form: str, path: Path, *, quiet: bool) -> None:
    """The result of a command, in a file."""
    try:
        path.write_text(_rendered(report, form, quiet=quiet, colour=False), encoding="utf-8")
    except OSError as error:
        raise WatchdogError(
            f"The report cannot be written to {path}: {error.strerror}.", "Name another file."
        ) from error


def code_of(report: Report) -> Code:
    """How a pass has ended."""
    if report.guard.tripped:
        return Code.GUARD
    return Code.DONE if report.complete else Code.FAILED


def _rendered(report: Report, form: str, *, quiet: bool, colour: bool) -> str:
    if form != "text":
        return FORMS[form](report)
    return summary_line(report) + "\n" if quiet else as_text.render(report, colour=colour)
