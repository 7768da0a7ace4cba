"""The same world gives the same plan and the same digest, in whatever order it was read."""

from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.model import Result
from tests.model.properties.many import Note, hold_in_many_worlds
from tests.model.properties.passes import planned
from tests.model.properties.profiles import PROMISE
from tests.model.properties.random_worlds import cases
from tests.support.state import Case

K = TypeVar("K")
V = TypeVar("V")


def shuffled(values: Mapping[K, V], rng: Random) -> dict[K, V]:
    items = list(values.items())
    rng.shuffle(items)
    return dict(items)


def identity(results: tuple[Result, ...]) -> list[str]:
    return [repr(result) for result in results]


@PROMISE
@given(cases(), st.randoms(use_true_random=False), st.booleans())
def test_the_order_of_reading_does_not_matter(case: Case, rng: Random, force: bool) -> None:
    state = case.state
    other = replace(
        state,
        instances=shuffled(state.instances, rng),
        records=shuffled(state.records, rng),
        rows={key: shuffled(row, rng) for key, row in shuffled(state.rows, rng).items()},
    )
    mine, theirs = planned(case, force=force), planned(replace(case, state=other), force=force)
    assert mine.report is not None
    assert theirs.report is not None
    assert identity(mine.results) == identity(theirs.results)
    assert mine.report.digest == theirs.report.digest
    assert mine.report.findings == theirs.report.findings


@pytest.mark.proof
def test_order_of_reading_in_many_worlds(record_property: Note) -> None:
    hold_in_many_worlds(
        test_the_order_of_reading_does_not_matter,
        "worlds read in another order",
        record_property,
        force=lambda rng: rng.random() < 0.5,
    )


@PROMISE
@given(cases())
def test_another_plan_has_another_digest(case: Case) -> None:
    now, later = planned(case, force=True), planned(replace(case, settings=replace(case.settings, dcv_port=2053)))
    assert now.report is not None
    assert later.report is not None
    is_same_plan = identity(now.results) == identity(later.results)
    assert is_same_plan or now.report.digest != later.report.digest
