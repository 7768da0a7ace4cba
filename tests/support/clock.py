"""Clocks on which a sleep takes no time."""

import threading
import time
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 31, 12, tzinfo=UTC)


class FakeClock:
    """Time that passes by sleeping alone."""

    def __init__(self, now: datetime = START) -> None:
        self.slept: list[float] = []
        self._start = self._now = now

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return (self._now - self._start).total_seconds()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._now += timedelta(seconds=seconds)


class FastClock:
    """Real time plus all that was slept. The wall clock stays real, so that nothing grows old by waiting."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._lock = threading.Lock()
        self._ahead = 0.0

    def now(self) -> datetime:
        """The wall clock's time, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds, those slept included."""
        with self._lock:
            return time.monotonic() + self._ahead

    def sleep(self, seconds: float) -> None:
        """No time passes but on this clock."""
        assert seconds >= 0, "a wait is never negative"
        with self._lock:
            self.slept.append(seconds)
            self._ahead += seconds
