"""What every command has: its time, how much it may say, and a controller."""

import os
import sys
import time
from collections.abc import Callable

import click

from controller.bootstrap import Controller, build
from controller.cli.console import err, is_terminal
from controller.cli.interrupt import Interrupt
from controller.cli.verbose import show_calls
from controller.runtime.budget import SystemClock
from controller.settings import read_settings


class Session:
    """One command's run. ``seconds`` is what it may take in all; what a person takes to answer does not count."""

    def __init__(self, seconds: float, *, verbose: bool, quiet: bool) -> None:
        self.verbose, self.quiet = verbose, quiet
        self.interrupt = Interrupt(quiet=quiet)
        self._end = time.monotonic() + seconds
        if verbose:
            show_calls()

    def left(self) -> float:
        """Seconds that are left."""
        return max(0.0, self._end - time.monotonic())

    def controller(self) -> Controller:
        """A controller for the environment's settings. Raises SettingsError."""
        clock = SystemClock(wake=self.interrupt.stop)
        return build(read_settings(os.environ), clock=clock, seconds=self.left())

    def expects_answers(self) -> None:
        """Raises UsageError where nobody is there to be asked."""
        if not is_terminal(sys.stdin):
            raise click.UsageError("Nobody is here to answer; use --yes to go on without asking.")

    def confirms(self, question: str, nothing: str) -> bool:
        """Whether a person says yes; else ``nothing`` was done, and that is told."""
        return self._asked(lambda: click.confirm(question, err=True), nothing)

    def types(self, question: str, expected: str, nothing: str, wrong: str) -> bool:
        """Whether a person types exactly this; else it is ``wrong``, ``nothing`` was done, and that is told."""

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
            if isinstance(abort.__context__, EOFError):  # Ctrl-D is an answer, Ctrl-C is none
                return False
            raise
        self._end += time.monotonic() - before
        if not answer:
            err(f"{wrong} {nothing}".lstrip())
        return answer
