"""A part of a pass has a budget of its own that never outlasts the pass."""

import threading
from datetime import UTC, datetime

import pytest

from controller.runtime.budget import Budget


class StillClock:
    """Moves only by its sleeps."""

    seconds = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.mark.parametrize(("asked", "left"), [(5, 5), (60, 20)])
def test_part_ends_after_its_time_or_with_the_pass(asked: float, left: float) -> None:
    clock = StillClock()
    budget = Budget(clock, 30)
    clock.sleep(10)
    part = budget.within(asked)
    assert part.remaining() == left
    clock.sleep(left)
    assert part.remaining() == 0


def test_part_stops_with_the_pass() -> None:
    stop = threading.Event()
    part = Budget(StillClock(), 30, stop).within(5)
    assert not part.is_stopped
    stop.set()
    assert part.is_stopped
