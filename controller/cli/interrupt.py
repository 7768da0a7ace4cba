"""Ctrl-C, and SIGTERM of a supervisor, while changes are applied: nothing is left in an unknown state.

The pass finishes the calls under way, begins no new change, and reports how far it got. Before the first change, and at
a second signal, the process ends at once.
"""

import os
import signal
import threading
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)
_NOTICE = b"\nStopping: finishing the calls under way, beginning nothing new.\nPress again to end at once.\n"


class Interrupt:
    """Catches the signals from ``arm`` until the end of its context. The first of them sets ``stop``."""

    def __init__(self, *, quiet: bool) -> None:
        self.stop = threading.Event()
        self._quiet = quiet
        self._signal: int | None = None
        self._before: dict[int, signal._HANDLER] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def arm(self) -> None:
        """Let a signal ask the pass to stop. One that is ignored (in a background job) stays ignored."""
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._caught)

    @property
    def code(self) -> int | None:
        """Return the exit code after a signal, by the shells' convention; None where none came."""
        return None if self._signal is None else 128 + self._signal

    def _caught(self, number: int, _: FrameType | None) -> None:
        for each in self._before:
            signal.signal(each, signal.SIG_DFL)
        self._signal = number
        self.stop.set()
        if not self._quiet:
            with suppress(OSError):
                os.write(2, _NOTICE)  # straight out: what was interrupted may have been printing
