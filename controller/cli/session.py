"""What every command has: its time, how much it may say, and a controller."""

import os
import sys
import time

import click

from controller.bootstrap import Controller, build
from controller.log import start_logging
from controller.settings import read_settings


class Session:
    """One command's run. ``seconds`` is what it may take in all; what a person takes to answer does not count."""

    def __init__(self, seconds: float, *, verbose: bool, quiet: bool) -> None:
        self.quiet = quiet
        self._end = time.monotonic() + seconds
        if verbose:
            start_logging("DEBUG", sys.stderr)

    def left(self) -> float:
        """Seconds that are left."""
        return max(0.0, self._end - time.monotonic())

    def controller(self) -> Controller:
        """A controller for the environment's settings. Raises SettingsError."""
        return build(read_settings(os.environ), seconds=self.left())

    def confirm(self, question: str) -> bool:
        """Ask, at no cost of time."""
        before = time.monotonic()
        answer = click.confirm(question, err=True)
        self._end += time.monotonic() - before
        return answer
