"""No step of a pass grows faster than n log n: counted in calls, which no other work on the machine disturbs."""

import sys
import threading
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from tests.benchmarks.growth_step import STEPS, Step, step_of
from tests.benchmarks.scenes import SCENES, Scene, observed

SMALL, TIMES = 150, 8
#: n log n would give 1.4 times as many again, and n squared eight times.
SLACK = 1.6


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("scene", SCENES)
def test_eight_times_the_machines_take_hardly_more_than_eight_times_the_calls(scene: Scene, step: Step) -> None:
    small, large = (calls(step_of(observed(size, scene), step)) for size in (SMALL, SMALL * TIMES))
    assert large <= small * TIMES * SLACK


def calls(action: Callable[[], object]) -> int:
    """Calls of functions, Python's and C's, in all threads that it starts."""
    counter, before = count(), sys.getprofile()

    def note(frame: Any, event: str, argument: Any) -> None:
        if event in ("call", "c_call"):
            next(counter)

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        action()
    finally:
        sys.setprofile(before)
        threading.setprofile(None)
    return next(counter)
