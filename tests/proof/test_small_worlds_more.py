"""Every small world of two machines for one role, of two meetings that may name each other's, and of three machines."""

from collections.abc import Callable

import pytest

from tests.proof.chunks import Part, explored, parts
from tests.proof.small_worlds import ONE_ROLE, THREE, TWO_MEETINGS
from tests.proof.tally import counted


@pytest.mark.proof
@pytest.mark.parametrize("part", parts(ONE_ROLE, TWO_MEETINGS, THREE), ids=str)
def test_every_small_world(part: Part, record_property: Callable[[str, object], None]) -> None:
    found, counts = explored(part.family, part.worlds)
    for what, count in counts.items():
        record_property(counted(what), count)
    assert found == {}
