"""In worlds with clouds that lie every promise is kept, by the judge that knows the truth."""

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import product

import pytest

from tests.model.proof.seed import seed_of_today
from tests.model.proof.tally import counted
from tests.model.simulations.families import FAMILIES, LIMITS
from tests.model.simulations.simulation import play

FIXED = 20_261_127
WORLDS = 1
ALL_WORLDS = 400

HELD = [family for family in FAMILIES if family not in LIMITS]


def wrong(family: str, seed: int) -> list[str]:
    return play(family, seed).wrong


@pytest.mark.parametrize("family", HELD)
def test_worlds_of_a_fixed_seed(family: str) -> None:
    assert {seed: found for seed in range(FIXED, FIXED + WORLDS) if (found := wrong(family, seed))} == {}


#: Worlds in which something was wrong once, be it with a pass or with the judge.
FOUND = [("renamed_meetings", 386)]


@pytest.mark.parametrize(("family", "seed"), FOUND)
def test_world_that_was_wrong_once_is_right(family: str, seed: int) -> None:
    assert wrong(family, seed) == []


@pytest.mark.proof  # a world that changes by the day may fail a change that has nothing to do with it
@pytest.mark.parametrize("family", HELD)
def test_a_world_of_a_rotating_seed(family: str) -> None:
    seed = seed_of_today()
    assert wrong(family, seed) == [], f"play({family!r}, {seed})"


def test_the_same_seed_is_the_same_world() -> None:
    assert play("all_at_once", FIXED) == play("all_at_once", FIXED)


@pytest.mark.proof
def test_many_worlds(record_property: Callable[[str, object], None]) -> None:
    worlds = list(product(HELD, range(ALL_WORLDS)))
    with ProcessPoolExecutor(os.cpu_count() or 1) as pool:
        found = dict(zip(worlds, pool.map(wrong, *zip(*worlds, strict=True), chunksize=20), strict=True))
    record_property(counted("lying worlds"), len(worlds))
    assert {world: sentences for world, sentences in found.items() if sentences} == {}
