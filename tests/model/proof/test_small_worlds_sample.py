"""Some of the small worlds, others every day; `make proof` explores all of them."""

import random
from collections.abc import Callable

import pytest

from tests.model.proof.chunks import explored
from tests.model.proof.product_of_factors import Family
from tests.model.proof.seed import seed_of_today
from tests.model.proof.small_worlds import FAMILIES
from tests.model.proof.tally import counted

WORLDS = 300


@pytest.mark.proof  # worlds that change by the day
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name.replace(" ", "-"))
def test_a_sample_of_the_small_worlds(family: Family, record_property: Callable[[str, object], None]) -> None:
    seed = seed_of_today()
    numbers = random.Random(seed).sample(range(len(family)), WORLDS)
    found, counts = explored(family, numbers)
    record_property(counted("small worlds"), counts["small worlds"])
    assert found == {}, f"the worlds of these numbers in {family.name!r}; the seed was PROOF_SEED={seed}"
