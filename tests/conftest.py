"""One pair of servers for each test process; every test gets them empty.

The servers are imported where a test asks for them: moto costs seconds, and most tests need none.
"""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.model.proof.tally import pytest_terminal_summary  # noqa: F401  # pytest finds it by its name

if TYPE_CHECKING:
    from tests.support.servers import Clouds


@pytest.fixture(scope="session")
def running_clouds() -> "Iterator[Clouds]":
    """The servers, started once."""
    from controller.sandbox.aws import AwsServer
    from controller.sandbox.cloudflare import CloudflareServer
    from tests.support.servers import Clouds

    _parse_models_once()
    with AwsServer() as aws, CloudflareServer("example.com", plan="pro") as cloudflare:
        yield Clouds(aws, cloudflare)


def _parse_models_once() -> None:
    """Every botocore session parses the same large service models again: half a second for each controller."""
    from botocore.loaders import JSONFileLoader

    load = cache(JSONFileLoader().load_file)
    JSONFileLoader.load_file = lambda self, file_path: load(file_path)  # type: ignore[method-assign]  # a cache


@pytest.fixture
def clouds(running_clouds: "Clouds") -> "Iterator[Clouds]":
    """The servers, empty."""
    running_clouds.reset()
    yield running_clouds
    running_clouds.close()


@pytest.fixture
def requests_judged(clouds: "Clouds") -> Iterator[None]:
    """Afterwards each of our requests is held against Cloudflare's own schemas, where these are at hand."""
    from tests.support.openapi import is_there, validator

    yield
    if is_there():
        for exchange in clouds.cloudflare.requests:
            validator().check_request(exchange)


@pytest.fixture
def judged(clouds: "Clouds") -> "Iterator[Clouds]":
    """The servers, empty; afterwards each request and answer is held against Cloudflare's schemas, if at hand."""
    from tests.support.openapi import is_there, validator

    yield clouds
    for exchange in clouds.cloudflare.requests if is_there() else ():
        validator().check(exchange)
