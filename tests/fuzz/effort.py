"""How many inputs a test makes up: a few each time, many more in `make proof`."""

from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.proof.tally import counted
from tests.properties.profiles import PROMISE

T = TypeVar("T")
Note = Callable[[str, object], None]

#: How many times the usual number of inputs.
EFFORT = pytest.mark.parametrize("effort", [1, pytest.param(25, marks=pytest.mark.proof)])


def try_all(check: Callable[[T], None], inputs: st.SearchStrategy[T], count: int, note: Note) -> None:
    """Hold what is to be true against so many inputs."""
    settings(PROMISE, max_examples=count)(given(inputs)(check))()
    note(counted("fuzzed inputs"), count)
