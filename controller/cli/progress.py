"""Progress of an apply: one moving line on a terminal, elsewhere a line for each tenth of many changes."""

import os
import shutil
import sys
import threading

from controller.cli.console import err, is_terminal
from controller.model import Outcome, Result
from controller.report.report import Report
from controller.report.safe import on_one_line

_CLEAR = "\r\x1b[K"
#: Changes from which on lines are worth the room that they take in a log or a mail.
_MANY = 10


class Progress:
    """Counts the changes that have ended. Several threads report them, the last perhaps after ``close``."""

    def __init__(self, *, quiet: bool, moves: bool) -> None:
        self._quiet = quiet
        self._moves = moves and is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb"
        self._lock = threading.Lock()
        self._total = 0
        self._ended = set[tuple[str, ...]]()

    def start(self, planned: Report) -> None:
        """Take the number of planned changes."""
        self._total = planned.count(Outcome.PLANNED)

    def ended(self, result: Result) -> None:
        """Count a change that has ended."""
        with self._lock:
            if not self._quiet and result.change.ident not in self._ended:
                self._ended.add(result.change.ident)
                self._show(result)

    def close(self) -> None:
        """Clear the line for the report."""
        with self._lock:
            if self._ended and self._moves:
                err(_CLEAR, end="")
            self._quiet = True

    def _show(self, result: Result) -> None:
        # Where a record fails, the removal of a dead link may take the place of its link: one more than was planned.
        done, total = len(self._ended), max(self._total, len(self._ended))
        line = f"{done} of {total} changes"
        if self._moves:
            width = shutil.get_terminal_size().columns - 1
            err(_CLEAR + on_one_line(f"{line}: {result.change.key} {result.outcome}")[:width], end="")
        elif total >= _MANY and (done == total or done % -(-total // 10) == 0):
            err(line)
