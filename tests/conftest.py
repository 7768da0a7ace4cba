"""One pair of servers for each test process; every test gets them empty."""

from collections.abc import Iterator
from functools import cache

import pytest
from botocore.loaders import JSONFileLoader

from controller.sandbox.aws import AwsServer
from controller.sandbox.cloudflare import CloudflareServer
from tests.clouds import Clouds
from tests.openapi import is_there, validator
from tests.proof.tally import pytest_terminal_summary  # noqa: F401  # pytest finds it by its name

# Every botocore session parses the same large service models again: half a second for each controller of a test.
_load_by_path = cache(JSONFileLoader().load_file)
JSONFileLoader.load_file = lambda self, file_path: _load_by_path(file_path)  # type: ignore[method-assign]  # a cache


@pytest.fixture(scope="session")
def running_clouds() -> Iterator[Clouds]:
    """The servers, started once."""
    with AwsServer() as aws, CloudflareServer("example.com", plan="pro") as cloudflare:
        yield Clouds(aws, cloudflare)


@pytest.fixture
def clouds(running_clouds: Clouds) -> Iterator[Clouds]:
    """The servers, empty."""
    running_clouds.reset()
    yield running_clouds
    running_clouds.close()


@pytest.fixture
def requests_judged(clouds: Clouds) -> Iterator[None]:
    """Afterwards each of our requests is held against Cloudflare's own schemas, where these are at hand."""
    yield
    if is_there():
        for exchange in clouds.cloudflare.requests:
            validator().check_request(exchange)


@pytest.fixture
def judged(clouds: Clouds) -> Iterator[Clouds]:
    """The servers, empty; afterwards each request and answer is held against Cloudflare's schemas, if at hand."""
    yield clouds
    for exchange in clouds.cloudflare.requests if is_there() else ():
        validator().check(exchange)
