"""A promise held in many random worlds, for `make proof`; Hypothesis tries a few each time."""

import random
from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

from tests.model.proof.tally import counted
from tests.model.properties.random_worlds import random_case

Note = Callable[[str, object], None]
WORLDS = 5_000


def hold_in_many_worlds(promise: Any, what: str, note: Note, **drawn: Callable[[random.Random], object]) -> None:
    """Hold a property in worlds of fixed seeds, which are counted as ``what``; ``drawn`` draws its other arguments."""
    draw: Mapping[str, Callable[[random.Random], object]] = {"case": random_case, "rng": lambda rng: rng, **drawn}
    check = promise.hypothesis.inner_test
    for seed in range(WORLDS):
        rng = random.Random(seed)
        try:
            check(**{name: draw[name](rng) for name in signature(check).parameters})
        except BaseException as error:
            error.add_note(f"In the world of seed {seed}.")
            raise
    note(counted(what), WORLDS)
