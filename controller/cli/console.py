"""Where a command's text goes: the result to standard output, everything else to standard error."""

import os
import shutil
import sys
from contextlib import suppress
from typing import Any

import click

from controller.errors import WatchdogError
from controller.report.safe import on_one_line


def out(text: str, end: str = "\n") -> None:
    """The result. A reader who has seen enough (``| head``) has gone, and that is no error.

    Raises WatchdogError where it cannot be written for another reason.
    """
    try:
        click.echo(text + end, nl=False)
    except OSError as error:
        # Nothing may be written there any more, not even when the interpreter flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise WatchdogError(f"The result cannot be written: {error.strerror}.", "Write it elsewhere.") from error


def err(text: str, end: str = "\n") -> None:
    """All that is not the result: progress, warnings, errors. Where it cannot be said, the work goes on."""
    with suppress(OSError):
        click.echo(text + end, nl=False, err=True)


def complain(error: WatchdogError) -> None:
    """What happened, to what, and what to do."""
    for line in [*error.message.splitlines(), error.hint]:
        if line:
            err(on_one_line(line))


def is_colourful(stream: Any) -> bool:
    """Whether colours go to this stream: a terminal, and nobody has asked for none (no-color.org)."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")


def width_of(stream: Any) -> int:
    """Columns of the lines that go to this stream: 80, and fewer on a terminal that has no more."""
    return min(80, shutil.get_terminal_size().columns) if is_terminal(stream) else 80


def is_terminal(stream: Any) -> bool:
    """Whether a person sees this stream as it comes; a closed one is None."""
    return stream is not None and bool(stream.isatty())
