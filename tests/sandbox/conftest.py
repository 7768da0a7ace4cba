"""Servers that are reset for each test, and clients that add nothing of their own."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from cloudflare import Cloudflare

from controller.sandbox.aws import AwsServer
from controller.sandbox.cloudflare import CloudflareServer
from tests.support.openapi import is_there, validator
from tests.support.servers import Clouds

PROJECT = [{"Name": "tag:Project", "Values": ["Elephant"]}]


class Raw:
    """Plain HTTP. Paths are below the records of the zone unless they begin with a slash."""

    def __init__(self, server: CloudflareServer) -> None:
        self.server = server
        # Loading certificates takes longer than most tests here, and loopback needs none.
        self.http = httpx.Client(base_url=server.base_url, verify=False, trust_env=False)

    def __call__(self, method: str, path: str = "", *, token: str | None = None, **options: Any) -> httpx.Response:
        below = f"/zones/{self.server.zone_id}/dns_records"
        url = path if path.startswith("/") else f"{below}/{path}".rstrip("/")
        headers = {"authorization": f"Bearer {token or self.server.token}", **options.pop("headers", {})}
        return self.http.request(method, url, headers=headers, **options)

    def result(self, method: str, path: str = "", **options: Any) -> Any:
        """The result of a call that has to go well."""
        response = self(method, path, **options)
        assert response.status_code == 200, response.text
        return response.json()["result"]

    def refusal(self, method: str, path: str = "", **options: Any) -> tuple[int, int]:
        """Status and code of a call that has to be refused."""
        response = self(method, path, **options)
        body = response.json()
        assert body["success"] is False
        assert body["result"] is None
        return response.status_code, body["errors"][0]["code"]


@pytest.fixture
def sdk(server: CloudflareServer) -> Iterator[Cloudflare]:
    """The official SDK, which checks what it is answered against its types."""
    client = Cloudflare(
        api_token=server.token,
        base_url=server.base_url,
        max_retries=0,
        http_client=httpx.Client(verify=False, trust_env=False),
        _strict_response_validation=True,
    )
    with client:
        yield client


@pytest.fixture(scope="module")
def running() -> Iterator[CloudflareServer]:
    with CloudflareServer("example.com", plan="pro") as server:
        yield server


@pytest.fixture
def server(running: CloudflareServer) -> CloudflareServer:
    running.reset()
    return running


@pytest.fixture
def raw(server: CloudflareServer) -> Iterator[Raw]:
    client = Raw(server)
    with client.http:
        yield client


@pytest.fixture
def judged(server: CloudflareServer) -> Iterator[None]:
    """Afterwards each request and what the API answered is held against Cloudflare's own schemas, if at hand."""
    yield
    assert server.requests
    for exchange in server.requests if is_there() else ():
        validator().check(exchange)


@pytest.fixture
def aws(running_clouds: Clouds) -> Iterator[AwsServer]:
    running_clouds.aws.reset()
    yield running_clouds.aws
    running_clouds.aws.reset()


def described(aws: AwsServer, **arguments: Any) -> dict[str, Any]:
    """Every instance that DescribeInstances brings, by id, page after page."""
    found, token = dict[str, Any](), dict[str, str]()
    while True:
        page = aws.client("ec2").describe_instances(**arguments, **token)
        found.update({i["InstanceId"]: i for r in page["Reservations"] for i in r["Instances"]})
        if not page.get("NextToken"):
            return found
        token = {"NextToken": page["NextToken"]}
