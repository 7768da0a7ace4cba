"""The sandbox's edge: before a zone alone, and before both clouds."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.support.edge import Desk, running_edge

if TYPE_CHECKING:
    from controller.sandbox.edge import Edge
    from tests.support.servers import Clouds


@pytest.fixture(scope="session")
def started_desk() -> Iterator[Desk]:
    """Start a zone with an edge once."""
    with running_edge() as desk:
        yield desk


@pytest.fixture
def desk(started_desk: Desk) -> Desk:
    """Return them as they are for a new zone."""
    started_desk.reset()
    return started_desk


@pytest.fixture(scope="session")
def started_edge(running_clouds: "Clouds") -> "Iterator[Edge]":
    """Start an edge before the clouds once."""
    from controller.sandbox.edge import Edge

    with Edge(running_clouds.cloudflare) as edge:
        yield edge


@pytest.fixture
def edge(clouds: "Clouds", started_edge: "Edge") -> "Edge":
    """Return it with the settings of a new zone; the clouds are empty."""
    started_edge.reset()
    return started_edge
