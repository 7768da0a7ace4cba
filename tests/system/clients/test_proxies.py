"""Proxies on the way to Cloudflare: which one is taken, and what a refusal means."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from controller.clients import _proxy, cloudflare_api
from controller.cloudflare.api import Api, GivenToken
from controller.cloudflare.reply import Answer
from controller.errors import TransientError
from controller.runtime.budget import Budget
from controller.runtime.retry import ATTEMPTS
from controller.settings import CLOUDFLARE_URL
from tests.support.build import settings
from tests.support.clock import FastClock

PROXY = "http://proxy.example.com:3128"
#: What clusters export, and httpx takes for hosts with a port.
NETWORKS = "localhost,fd00::/8,[::1]"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the machine's own proxies, in capitals or not."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@contextmanager
def refusing() -> Iterator[tuple[str, list[bytes]]]:
    """Yield the URL of a proxy that refuses everybody, and the requests that it got."""
    asked: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:  # closed: the test is over
                return
            with connection:
                asked.append(connection.recv(4096).partition(b"\r\n")[0])
                connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://user:s3cret@127.0.0.1:{server.getsockname()[1]}", asked
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": PROXY}, PROXY),
        ({"https_proxy": PROXY, "ALL_PROXY": "http://another:1"}, PROXY),
        ({"ALL_PROXY": PROXY}, PROXY),
        ({"HTTP_PROXY": PROXY}, None),
        ({"HTTPS_PROXY": "proxy.example.com:3128"}, PROXY),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": NETWORKS}, PROXY),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": ".cloudflare.com"}, None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "localhost, api.cloudflare.com"}, None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}, None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "flare.com"}, PROXY),
    ],
    ids=str,
)
def test_proxy_is_the_one_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], proxy: str | None
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert _proxy(CLOUDFLARE_URL) == proxy


def test_networks_in_no_proxy_are_accepted_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", NETWORKS)
    with cloudflare_api(settings(), GivenToken("token")):
        pass


CALLS: dict[str, Callable[[Api, Budget], Answer]] = {
    "read": lambda api, budget: api.read("/zones", (), budget),
    "write": lambda api, budget: api.write("POST", "/zones", {}, budget),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_refusal_by_a_proxy_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, call: Callable[[Api, Budget], Answer]
) -> None:
    with refusing() as (url, asked):
        monkeypatch.setenv("HTTPS_PROXY", url)
        monkeypatch.setenv("NO_PROXY", NETWORKS)
        with (
            cloudflare_api(settings(), GivenToken("token")) as api,
            pytest.raises(TransientError, match="Check HTTPS_PROXY") as caught,
        ):
            call(api, Budget(FastClock(), 600))
    assert asked == [b"CONNECT api.cloudflare.com:443 HTTP/1.1"] * ATTEMPTS
    assert "s3cret" not in str(caught.value)
