"""What one pass may spend and has spent: its time, and its calls to each cloud. The only place that knows a clock."""

import logging
import threading
import time
from collections import Counter
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
    """The machine's own time."""

    def now(self) -> datetime:
        """The wall clock's time, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class Budget:
    """One pass's time and calls; shared by its threads."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self.clock = clock
        self._start = clock.monotonic()
        self._seconds = seconds
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
            raise DeadlineError(
                f"The pass's {self._seconds:.0f} seconds are over.",
                "The next pass carries on; a longer deadline also helps.",
            )
        return min(limit, left)

    def count(self, service: str, what: str) -> None:
        """Note one request to a cloud; ``what`` is for the debug log."""
        _LOGGER.debug("call", extra={"fields": {"service": service, "what": what, "elapsed": round(self.elapsed(), 3)}})
        with self._lock:
            self._calls[service] += 1

    def calls(self) -> dict[str, int]:
        """Requests so far, by service."""
        with self._lock:
            return dict(self._calls)
