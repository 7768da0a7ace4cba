"""The rate limit: a number of requests in a window, for all tokens of a user together (Cloudflare docs: limits).

A user who exceeds it is blocked for a whole further window. Every answer says what is left.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from math import ceil
from threading import Lock

from controller.sandbox.cloudflare.errors import error

QUOTA = 1200
WINDOW = 300.0


class Budget:
    """What is left of the quota. A test may set ``quota`` and ``left``, to be near the end of it."""

    def __init__(self, clock: Callable[[], datetime], quota: int = QUOTA, window: float = WINDOW) -> None:
        self.clock = clock
        self.quota = quota
        self.window = timedelta(seconds=window)
        self.left = quota
        self._resets_at = clock() + self.window
        self._blocked = False
        self._lock = Lock()

    def spend(self, requests: int = 1) -> None:
        """Charge requests to the budget, or refuse with 429."""
        with self._lock:
            self._roll_over()
            if self._blocked or requests > self.left:
                self._block()
                refusal = error(971)
                refusal.headers = {"retry-after": str(self._seconds_to_reset())}
                raise refusal
            self.left -= requests

    def headers(self) -> Mapping[str, str]:
        """Return the two headers of every answer: what is left, and the policy."""
        with self._lock:
            window = int(self.window.total_seconds())
            return {
                "ratelimit": f'"default";r={self.left};t={self._seconds_to_reset()}',
                "ratelimit-policy": f'"default";q={self.quota};w={window}',
            }

    def _roll_over(self) -> None:
        if self.clock() >= self._resets_at:
            self._resets_at = self.clock() + self.window
            self.left = self.quota
            self._blocked = False

    def _block(self) -> None:
        """Start the block with the first request too many. Further requests do not prolong it."""
        self.left = 0
        if not self._blocked:
            self._blocked = True
            self._resets_at = self.clock() + self.window

    def _seconds_to_reset(self) -> int:
        """Return whole seconds, rounded up."""
        return max(0, ceil((self._resets_at - self.clock()).total_seconds()))
