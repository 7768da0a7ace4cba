"""A report as a command shows it, and the exit code that it comes to."""

import sys
from pathlib import Path
from typing import Any

from controller.cli.codes import Code
from controller.cli.console import is_colourful, out
from controller.errors import WatchdogError
from controller.report import as_json, as_text
from controller.report.report import Report

FORMATS = ("text", "json")


def text(report: Report, stream: Any) -> str:
    """The report for this stream."""
    return as_text.render(report, colour=is_colourful(stream))


def show(report: Report, form: str, *, quiet: bool) -> None:
    """The result of a command, on standard output."""
    out(_rendered(report, form, sys.stdout, quiet=quiet).rstrip("\n"))


def save(report: Report, form: str, path: Path, *, quiet: bool) -> None:
    """The result of a command, in a file."""
    try:
        path.write_text(_rendered(report, form, None, quiet=quiet), encoding="utf-8")
    except OSError as error:
        raise WatchdogError(
            f"The report cannot be written to {path}: {error.strerror}.", "Name another file."
        ) from error


def code_of(report: Report) -> Code:
    """How an apply has ended."""
    if report.guard.tripped:
        return Code.GUARD
    return Code.DONE if report.complete else Code.FAILED


def _rendered(report: Report, form: str, stream: Any, *, quiet: bool) -> str:
    if form == "json":
        return as_json.render(report)
    return as_text.summary_line(report) + "\n" if quiet else text(report, stream)
