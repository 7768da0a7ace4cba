"""Fixtures of the tests with faults, as a plugin that their files name."""

import logging
from collections.abc import Iterator

import pytest

from tests.support.servers import Clouds
from tests.system.faults.calls import Proxy
from tests.system.faults.trial import Ends, Workshop


@pytest.fixture(scope="session")
def session_workshop(running_clouds: Clouds) -> Iterator[Workshop]:
    """Controllers for the whole session."""
    workshop = Workshop(running_clouds)
    yield workshop
    workshop.close()


@pytest.fixture
def workshop(session_workshop: Workshop) -> Iterator[Workshop]:
    """Controllers for trials, which log for themselves."""
    logger = logging.getLogger("elephant_dns")
    before = logger.handlers[:], logger.propagate, logger.level
    yield session_workshop
    logger.handlers[:], logger.propagate = before[:2]
    logger.setLevel(before[2])
    session_workshop.clouds.reset()  # wakes what still hangs


@pytest.fixture
def proxy(clouds: Clouds) -> Iterator[Proxy]:
    """A proxy before both clouds, without a rule."""
    proxy = Proxy(clouds)
    proxy.install()
    yield proxy
    clouds.reset()


@pytest.fixture(scope="session")
def ends(session_workshop: Workshop) -> Ends:
    """How each scenario ends when nothing fails."""
    return Ends(session_workshop)
