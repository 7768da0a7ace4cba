"""Where a command's text goes: the result to standard output, everything else to standard error."""

import os
import sys
from typing import Any, TextIO

import click

from controller.errors import WatchdogError
from controller.report.safe import on_one_line


def out(text: str, end: str = "\n") -> None:
    """The result. A reader who has seen enough (``| head``) has gone, and that is no error."""
    _write(text + end, sys.stdout)


def err(text: str, end: str = "\n") -> None:
    """All that is not the result: questions, progress, warnings, errors."""
    _write(text + end, sys.stderr)


def complain(error: WatchdogError) -> None:
    """What happened, to what, and what to do."""
    for line in [*error.message.splitlines(), error.hint]:
        if line:
            err(on_one_line(line))


def is_colourful(stream: Any) -> bool:
    """Whether colours go to this stream: a terminal, and nobody has asked for none (no-color.org)."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")


def is_terminal(stream: Any) -> bool:
    """Whether a person sees this stream as it comes; a closed one is None."""
    return stream is not None and bool(stream.isatty())


def _write(text: str, stream: TextIO) -> None:
    try:
        click.echo(text, file=stream, nl=False)
    except BrokenPipeError:
        # Nothing may be said to a closed pipe any more, not even when the interpreter flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
