"""Random worlds in which passes fail, are cut off and interfered with: safe at every step, right in the end."""

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import pytest

from tests.model.proof.seed import seed_of_today
from tests.model.proof.tally import counted
from tests.model.properties.simulation import simulate

FIXED = 20_261_123
WORLDS = 300
ALL_WORLDS = 60_000


def failures(seeds: range) -> dict[int, list[str]]:
    return {seed: found for seed in seeds if (found := simulate(seed))}


def test_worlds_of_a_fixed_seed() -> None:
    assert failures(range(FIXED, FIXED + WORLDS)) == {}


def test_worlds_of_a_rotating_seed() -> None:
    first = seed_of_today() * WORLDS
    assert failures(range(first, first + WORLDS)) == {}, "simulate(seed) with these seeds"


@pytest.mark.proof
def test_sixty_thousand_worlds(record_property: Callable[[str, object], None]) -> None:
    workers = os.cpu_count() or 1
    size = 500
    parts = [range(first, first + size) for first in range(0, ALL_WORLDS, size)]
    with ProcessPoolExecutor(workers) as pool:
        found = {seed: wrong for part in pool.map(failures, parts) for seed, wrong in part.items()}
    record_property(counted("random worlds"), ALL_WORLDS)
    assert found == {}
