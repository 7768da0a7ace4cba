"""Limit a pass's time, and count its calls to each cloud. No other module of a pass knows a clock.

An interrupted pass starts no more writes. A call in flight keeps its time, and the pass may still look at its result.
"""

import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from datetime import UTC, datetime
from typing import Protocol

from controller.errors import DeadlineError

_LOGGER = logging.getLogger("elephant_dns")


class Clock(Protocol):
    """Time as the controller sees it. Tests bring their own."""

    def now(self) -> datetime:
        """Return the wall clock's time, in UTC."""

    def monotonic(self) -> float:
        """Return seconds on a clock that never goes back."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's own time. ``wake`` ends every wait."""

    def __init__(self, wake: threading.Event | None = None) -> None:
        self.wake = wake or threading.Event()

    def now(self) -> datetime:
        """Return the wall clock's time, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the seconds since some moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self.wake.wait(seconds)


class Budget:
    """One pass's time and calls, shared by its threads. Setting ``stop`` ends the pass early.

    The pass reserves ``reserve`` of its ``seconds`` to report how it ended.
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

    def within(self, seconds: float) -> "Budget":
        """Return a budget for a part of the pass: it ends after these seconds or with the pass."""
        part = copy(self)
        part._seconds = min(self._seconds, self.elapsed() + seconds)
        return part

    def elapsed(self) -> float:
        """Return the seconds since the pass began."""
        return self.clock.monotonic() - self._start

    def remaining(self) -> float:
        """Return the seconds until the pass must end, never negative."""
        return max(0.0, self._seconds - self.elapsed())

    def timeout(self, limit: float) -> float:
        """Return the seconds that one request may take: the limit, or what is left.

        Raises DeadlineError if nothing is left: then the pass could not wait for the answer.
        """
        left = self.remaining()
        if left <= 0:
            seconds = math.ceil(self._asked)
            raise DeadlineError(
                f"The pass's {seconds} second{' is' if seconds == 1 else 's are'} over.",
                "The next pass continues. On the command line a longer --deadline also helps.",
            )
        return min(limit, left)

    @property
    def is_stopped(self) -> bool:
        """Return whether the pass was interrupted: then it waits for nothing and retries nothing."""
        return self._stop.is_set()

    def admit_write(self) -> None:
        """Raise DeadlineError if the pass was interrupted: then it starts no more writes."""
        if self.is_stopped:
            raise DeadlineError("The pass was interrupted before this change.", "The next pass continues.")

    @contextmanager
    def calling(self, service: str, what: str) -> Iterator[Callable[[int | str], None]]:
        """Count one request to a cloud and log how it ended. Yields a function that takes the status."""
        with self._lock:
            self._calls[service] += 1
        start, status = self.elapsed(), list[int | str]()
        try:
            yield status.append
        finally:
            ended = {"status": (status or ["no answer"])[0], "ms": round((self.elapsed() - start) * 1000)}
            _LOGGER.debug("call", extra={"fields": {"service": service, "what": what, **ended}})

    def calls(self) -> dict[str, int]:
        """Return the number of requests so far, by service."""
        with self._lock:
            return dict(self._calls)
