"""Whoever does what when: no pass does anything that it may not, and in the end the world is right."""

from collections import Counter
from collections.abc import Callable
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.proof.system import System
from tests.model.proof.tally import counted
from tests.model.properties.profiles import PROMISE

Note = Callable[[str, object], None]
#: Hypothesis makes some histories shorter: 40 steps on average.
PARTS, EXAMPLES, STEPS = 10, 300, 50


def run(examples: int, steps: int, note: Note) -> None:
    """So many random histories of at most so many steps; what was counted is noted however it ends."""

    class Counted(System):
        counts: ClassVar[Counter[str]] = Counter()

    try:
        run_state_machine_as_test(Counted, settings=settings(PROMISE, max_examples=examples, stateful_step_count=steps))
    finally:
        for what, count in Counted.counts.items():
            note(counted(what), count)


def test_a_few_hundred_steps_of_random_systems(record_property: Note) -> None:
    run(15, 30, record_property)


@pytest.mark.proof
@pytest.mark.parametrize("part", range(PARTS))
def test_a_hundred_thousand_steps_of_random_systems(part: int, record_property: Note) -> None:
    run(EXAMPLES, STEPS, record_property)
