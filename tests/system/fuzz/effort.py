"""How many inputs a test makes up: a few each time, many more in `make proof`."""

from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.model.proof.tally import counted
from tests.model.properties.profiles import PROMISE

T = TypeVar("T")
Note = Callable[[str, object], None]

#: How many times the usual number of inputs.
EFFORT = pytest.mark.parametrize("effort", [1, pytest.param(25, marks=pytest.mark.proof)])


def try_all(check: Callable[[T], None], inputs: st.SearchStrategy[T], count: int, note: Note) -> None:
    """Hold what is to be true against so many inputs."""
    tried = 0

    def counting(each: T) -> None:
        nonlocal tried
        tried += 1
        check(each)

    try:
        settings(PROMISE, max_examples=count)(given(inputs)(counting))()
    finally:
        note(counted("fuzzed inputs"), tried)
