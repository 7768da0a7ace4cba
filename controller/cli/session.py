"""What every command has: its time, how much it may say, and a controller."""

import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from controller.cli import logs
from controller.cli.console import err, is_terminal
from controller.cli.interrupt import Interrupt

if TYPE_CHECKING:
    from controller.bootstrap import Controller


class Session:
    """One command's run. ``seconds`` limits the whole run; the time that a person takes to answer does not count."""

    def __init__(self, seconds: float, *, verbose: bool, quiet: bool, log_format: str = "text") -> None:
        self.verbose, self.quiet = verbose, quiet
        logs.start(log_format, verbose=verbose)
        self.interrupt = Interrupt(quiet=quiet or logs.is_json())
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left."""
        return max(0.0, self._end - time.monotonic())

    def controller(self) -> "Controller":
        """Return a controller for the environment's settings, until the command ends. Raises SettingsError."""
        from controller.bootstrap import build
        from controller.runtime.budget import SystemClock
        from controller.settings import read_settings

        clock = SystemClock(wake=self.interrupt.stop)
        controller = build(read_settings(os.environ), clock=clock, seconds=self.left())
        click.get_current_context().call_on_close(controller.close)
        return controller

    def expects_answers(self) -> None:
        """Raise UsageError where a question has no answer: without a terminal, or in a log for programs."""
        if logs.is_json():
            raise click.UsageError("A JSON log has no room for a question: pass --yes.")
        if not is_terminal(sys.stdin):
            raise click.UsageError("No terminal to ask on: pass --yes.")

    def confirms(self, question: str, nothing: str) -> bool:
        """Return whether a person says yes; else say that ``nothing`` was done."""
        return self._asked(lambda: click.confirm(question, err=True), nothing)

    def types(self, question: str, expected: str, nothing: str, wrong: str) -> bool:
        """Return whether a person types exactly this; else say that it is ``wrong``, and that ``nothing`` was done."""

        def is_typed() -> bool:
            return str(click.prompt(question, default="", show_default=False, err=True)).strip() == expected

        return self._asked(is_typed, nothing, wrong)

    def _asked(self, ask: Callable[[], bool], nothing: str, wrong: str = "") -> bool:
        """Ask, at no cost of time."""
        before = time.monotonic()
        try:
            answer = ask()
        except click.Abort as abort:
            err(f"\n{nothing}")
            if isinstance(abort.__context__, EOFError):  # Ctrl-D is an answer, Ctrl-C is not
                return False
            raise
        self._end += time.monotonic() - before
        if not answer:
            err(f"{wrong} {nothing}".lstrip())
        return answer
