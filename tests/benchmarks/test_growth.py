"""No step of a pass grows faster than n log n: counted in calls, which no other work on the machine disturbs."""

import pytest

from tests.benchmarks.calls import calls
from tests.benchmarks.growth_step import STEPS, Step, step_of
from tests.benchmarks.scenes import SCENES, Scene, observed

SMALL, TIMES = 150, 8
#: n log n would give 1.4 times as many again, and n squared eight times.
SLACK = 1.6


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("scene", SCENES)
def test_calls_grow_with_the_number_of_machines(scene: Scene, step: Step) -> None:
    small, large = (calls(step_of(observed(size, scene), step)) for size in (SMALL, SMALL * TIMES))
    assert large <= small * TIMES * SLACK
