"""A deployment for the tests of this folder."""

import pytest

from tests.support.servers import Clouds
from tests.system.doctor.cell_world import CELLS, Cells
from tests.system.doctor.deployed import Deployment


@pytest.fixture
def deployment(clouds: Clouds) -> Deployment:
    """Nothing is deployed yet."""
    return Deployment(clouds)


@pytest.fixture
def cells(deployment: Deployment) -> Cells:
    """The hub and three cells, everything right."""
    made = Cells(deployment)
    made.whole(*CELLS)
    return made
