"""A clock that does not wait: a sleep takes no time and moves the clock on."""

import threading
import time
from datetime import UTC, datetime


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
