"""The log of a command, on standard error: sentences for a person, or the function's JSON lines.

========================  ==================================================================
``-v``, LOG_LEVEL=DEBUG   a line for each call to the clouds, with its status and duration
``--log-format json``     a line for each change, finding, pass, note and error; nothing else
========================  ==================================================================

No line holds a secret.
"""

import logging
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from controller.errors import WatchdogError
from controller.report.safe import on_one_line
from controller.settings import read_log_level

if TYPE_CHECKING:
    from controller.report.report import Report

FORMS = ("text", "json")
_LOGGER = logging.getLogger("elephant_dns")


class _Calls(logging.Handler):
    """Shows calls to a person."""

    def emit(self, record: logging.LogRecord) -> None:
        call = getattr(record, "fields", {})
        text = f"{call.get('service')} {call.get('what')}: {call.get('status')}, {call.get('ms')} ms"
        with suppress(OSError):  # the work goes on where nobody can read of it
            click.echo(on_one_line(text), err=True)


class _Form:
    """What the log of this process looks like."""

    is_json = False


def start(form: str, *, verbose: bool) -> None:
    """Log in this form from now on. LOG_LEVEL counts from the beginning; the settings report one that is malformed."""
    level = "DEBUG" if verbose else read_log_level(os.environ)
    _Form.is_json = form == "json"
    if is_json():
        from controller.telemetry.log import start_logging

        start_logging(level, sys.stderr)
        # Libraries' warnings come as lines as well, or a program could not read the log.
        logging.getLogger().handlers[:] = _LOGGER.handlers
    elif level == "DEBUG":
        _LOGGER.handlers[:] = [_Calls()]
        _LOGGER.setLevel(level)
        _LOGGER.propagate = False


def is_json() -> bool:
    """Return whether standard error takes JSON lines and nothing else."""
    return _Form.is_json


def note(text: str) -> None:
    """Log a sentence that a person would read beside the result."""
    from controller.telemetry.log import log_note

    if sentence := " ".join(text.split()):
        log_note(sentence)


def error(error: WatchdogError) -> None:
    """Log why the command failed."""
    from controller.telemetry.log import log_error

    log_error(error)


def report(report: "Report") -> None:
    """Log the report of a pass, where the log is for programs: each change, each finding, and the pass."""
    if is_json():
        from controller.telemetry.log import log_report

        log_report(report)
