"""Where a command's text goes: the result to standard output, everything else to standard error."""

import os
import shutil
import sys
from contextlib import suppress
from typing import Any

import click

from controller.cli import logs
from controller.errors import WatchdogError
from controller.report.safe import on_one_line

#: Columns of text that goes to no terminal, and the most that a line of prose may take on a wide one.
COLUMNS, MOST_COLUMNS = 80, 140


def out(text: str, end: str = "\n") -> None:
    """Write the result. A reader who has left (``| head``) is not an error.

    Raises WatchdogError where it cannot be written for another reason.
    """
    try:
        # The caller decides on colours; click would strip them again wherever it sees no terminal.
        click.echo(text + end, nl=False, color=True)
    except OSError as error:
        # Nothing may be written there any more, not even when the interpreter flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise WatchdogError(f"Cannot write the result: {error.strerror}.", "Write it elsewhere.") from error


def err(text: str, end: str = "\n") -> None:
    """Write what is not the result: progress, warnings, errors. Where that fails, the work goes on."""
    with suppress(OSError):
        if logs.is_json():
            logs.note(text)
        else:
            click.echo(text + end, nl=False, err=True, color=True)


def complain(error: WatchdogError) -> None:
    """Say what failed, on what, and what to do."""
    if logs.is_json():
        logs.error(error)
        return
    for line in [*error.message.splitlines(), error.hint]:
        if line:
            err(on_one_line(line))


def refuse(error: click.ClickException) -> None:
    """Say what is wrong with the command line."""
    if logs.is_json():
        logs.error(WatchdogError(error.format_message()))
    else:
        error.show()


def is_colourful(stream: Any) -> bool:
    """Return whether colours go to this stream, by the rules that Python's own tools follow.

    ``NO_COLOR`` wins over ``FORCE_COLOR``, and each counts where it is set and not empty (no-color.org,
    force-color.org). Else a terminal has colours, unless ``TERM`` is ``dumb``.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return os.environ.get("TERM") != "dumb" and is_terminal(stream)


def width_of(stream: Any) -> int:
    """Return the columns of the lines that go to this stream: the terminal's, up to 140, and 80 elsewhere."""
    return min(MOST_COLUMNS, shutil.get_terminal_size().columns) if is_terminal(stream) else COLUMNS


def is_terminal(stream: Any) -> bool:
    """Return whether a person sees this stream as it comes; a closed one is None."""
    return stream is not None and bool(stream.isatty())
