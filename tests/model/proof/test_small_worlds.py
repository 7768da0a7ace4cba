"""Every small world: of one machine, of two for one role or for both, of two meetings, of three; rare ones."""

from collections.abc import Callable

import pytest

from tests.model.proof.chunks import Part, explored, parts
from tests.model.proof.small_worlds import FAMILIES
from tests.model.proof.tally import counted


@pytest.mark.proof
@pytest.mark.parametrize("part", parts(*FAMILIES), ids=str)
def test_every_small_world(part: Part, record_property: Callable[[str, object], None]) -> None:
    found, counts = explored(part.family, part.worlds)
    for what, count in counts.items():
        record_property(counted(what), count)
    assert found == {}
