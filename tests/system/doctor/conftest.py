"""A deployment for the tests of this folder."""

import pytest

from tests.support.servers import Clouds
from tests.system.doctor.deployed import Deployment


@pytest.fixture
def deployment(clouds: Clouds) -> Deployment:
    """Nothing is deployed yet."""
    return Deployment(clouds)
