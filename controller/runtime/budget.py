"""What one pass may spend and has spent: its time, and its calls to each cloud. The only place that knows a clock.

A pass that is told to stop begins no more writes; what is under way keeps its time, and may still be looked at.
"""

import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Protocol

from controller.errors import DeadlineError

_LOGGER = logging.getLogger("elephant_dns")


class Clock(Protocol):
    """Time as the controller sees it; tests bring their own."""

    def now(self) -> datetime:
        """The wall clock's time, in UTC."""

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's own time; ``wake`` ends every wait."""

    def __init__(self, wake: threading.Event | None = None) -> None:
        self.wake = wake or threading.Event()

    def now(self) -> datetime:
        """The wall clock's time, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self.wake.wait(seconds)


class Budget:
    """One pass's time and calls; shared by its threads. ``stop`` is set by whoever wants the pass to end early.

    Of its ``seconds`` the pass keeps ``reserve`` to say how it ended.
    """

    def __init__(
        self, clock: Clock, seconds: float, stop: threading.Event | None = None, *, reserve: float = 0
    ) -> None:
        self.clock = clock
        self._stop = stop or threading.Event()
        self._start = clock.monotonic()
        self._asked = seconds
        self._seconds = max(0.0, seconds - reserve)
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()

    def elapsed(self) -> float:
        """Seconds since the pass began."""
        return self.clock.monotonic() - self._start

    def remaining(self) -> float:
        """Seconds until the pass must have ended; never negative."""
        return max(0.0, self._seconds - self.elapsed())

    def timeout(self, limit: float) -> float:
        """The time one request may take: the limit, or what is left.

        Raises DeadlineError when nothing is left, so that no request is started that cannot be waited for.
        """
        left = self.remaining()
        if left <= 0:
            seconds = math.ceil(self._asked)
            raise DeadlineError(
                f"The pass's {seconds} second{' is' if seconds == 1 else 's are'} over.",
                "The next pass carries on; a longer deadline (on the command line --deadline) also helps.",
            )
        return min(limit, left)

    def part(self, seconds: float) -> "Budget":
        """Return a budget for a part of the pass: it ends after ``seconds``, or with the pass, and stops with it."""
        return Budget(self.clock, min(seconds, self.remaining()), self._stop)

    @property
    def is_stopped(self) -> bool:
        """Whether the pass was told to stop: nothing is waited for or tried again."""
        return self._stop.is_set()

    def admit_write(self) -> None:
        """Raises DeadlineError where the pass was told to stop: a write is not begun any more."""
        if self.is_stopped:
            raise DeadlineError("The pass was interrupted before this was begun.", "The next pass carries on.")

    @contextmanager
    def calling(self, service: str, what: str) -> Iterator[Callable[[int | str], None]]:
        """Count one request to a cloud, and tell the debug log how it went; what is yielded takes its status."""
        with self._lock:
            self._calls[service] += 1
        start, status = self.elapsed(), list[int | str]()
        try:
            yield status.append
        finally:
            ended = {"status": (status or ["no answer"])[0], "ms": round((self.elapsed() - start) * 1000)}
            _LOGGER.debug("call", extra={"fields": {"service": service, "what": what, **ended}})

    def calls(self) -> dict[str, int]:
        """Requests so far, by service."""
        with self._lock:
            return dict(self._calls)
