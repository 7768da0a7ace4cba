"""Requests that do not reach Cloudflare: certificates, names, ports, silence and proxies, each with its own remedy."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from controller.clients import cloudflare_api
from controller.cloudflare import api
from controller.cloudflare.api import GivenToken
from controller.cloudflare.reply import Answer
from controller.errors import CallError, TerminalError, TransientError
from controller.runtime.budget import Budget
from controller.runtime.retry import ATTEMPTS
from controller.sandbox.cloudflare import CloudflareServer
from tests.support.build import settings
from tests.support.certificates import DAY, LOOPBACK, self_signed
from tests.support.clock import FakeClock, FastClock

CLOUDFLARE = "https://api.cloudflare.com/client/v4"


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the machine's own proxies and certificates."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy") or name.startswith("SSL_CERT_")]:
        monkeypatch.delenv(name)


@contextmanager
def listening(serve: Callable[[socket.socket], None] | None = None) -> Iterator[str]:
    """Yield the address of a port; ``serve`` gets each connection, and without it nobody accepts any."""

    def accept() -> None:
        while serve:
            try:
                connection, _ = server.accept()
            except OSError:  # the test is over
                return
            with connection, suppress(OSError):
                serve(connection)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def read(url: str, budget: Budget, token: str = "token") -> Answer:
    with cloudflare_api(settings(CLOUDFLARE_BASE_URL=url), GivenToken(token)) as client:
        return client.read("/zones", (), budget)


def failure(url: str, kind: type[CallError], attempts: int = ATTEMPTS) -> str:
    """Return the message of a read that fails so, after this many attempts."""
    budget = Budget(FastClock(), 600)
    with pytest.raises(CallError) as caught:
        read(url, budget)
    assert type(caught.value) is kind
    assert budget.calls() == {"cloudflare": attempts}
    return str(caught.value)


def test_untrusted_certificate_ends_at_once_and_names_the_remedy(tmp_path: Path) -> None:
    tls, _ = self_signed(tmp_path)
    with CloudflareServer(tls=tls) as server:
        message = failure(server.base_url, TerminalError, attempts=1)
        assert server.requests == []
    assert message.startswith("Cannot trust the certificate that 127.0.0.1 shows: self-signed certificate. ")
    assert "inspects TLS here, set SSL_CERT_FILE" in message


def test_certificate_in_ssl_cert_file_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls, trusted = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with CloudflareServer(tls=tls) as server:
        (zone,) = read(server.base_url, Budget(FastClock(), 600), server.token).result
    assert zone["name"] == "example.com"


@pytest.mark.parametrize(
    ("starts_in", "host", "remedy"),
    [
        (-40 * DAY, LOOPBACK, "certificate has expired. Check this machine's clock"),
        (DAY, LOOPBACK, "not yet valid. Check this machine's clock"),
        (-DAY, x509.DNSName("hotel.example.com"), "Another server answers there. Check CLOUDFLARE_BASE_URL, DNS"),
    ],
    ids=["expired", "not yet valid", "another name"],
)
def test_trusted_issuer_with_wrong_dates_or_name_says_which(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    starts_in: timedelta,
    host: x509.GeneralName,
    remedy: str,
) -> None:
    tls, trusted = self_signed(tmp_path, host, starts_in=starts_in)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with CloudflareServer(tls=tls) as server:
        assert remedy in failure(server.base_url, TerminalError, attempts=1)


def test_inspecting_proxy_is_named_as_the_cause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls, _ = self_signed(tmp_path, x509.DNSName("api.cloudflare.com"))

    def inspect(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        tls.wrap_socket(connection, server_side=True).close()

    with listening(inspect) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy}")
        message = failure(CLOUDFLARE, TerminalError, attempts=1)
    assert "the certificate that api.cloudflare.com shows" in message
    assert "If a proxy or firewall inspects TLS here" in message


def test_port_without_tls_is_tried_again_and_named() -> None:
    with CloudflareServer() as server:
        url = server.base_url.replace("http:", "https:")
        message = failure(url, TransientError)
    assert "the TLS handshake with 127.0.0.1 failed (wrong version number)" in message
    assert "Check that CLOUDFLARE_BASE_URL names a port that speaks TLS." in message


@pytest.fixture
def no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without DNS: only addresses resolve."""
    resolve = socket.getaddrinfo

    def addresses_only(host: str, *arguments: int) -> object:
        if host[0].isdigit():
            return resolve(host, *arguments)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", addresses_only)


@pytest.mark.usefixtures("no_names")
def test_unknown_name_is_tried_again_and_points_to_dns() -> None:
    message = failure(CLOUDFLARE, TransientError)
    assert "cannot resolve the name of api.cloudflare.com:443 (Name or service not known)." in message
    assert "Check DNS" in message


@pytest.mark.usefixtures("no_names")
def test_unknown_name_of_the_proxy_points_to_https_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:s3cret@proxy.example.com:3128")
    message = failure(CLOUDFLARE, TransientError)
    assert "cannot resolve the name of the proxy proxy.example.com:3128" in message
    assert message.endswith("Check HTTPS_PROXY.")
    assert "s3cret" not in message


def test_refused_port_is_tried_again_and_named() -> None:
    port = closed_port()
    message = failure(f"https://{port}", TransientError)
    assert f"Cannot reach Cloudflare: {port} refused the connection." in message
    assert "Check CLOUDFLARE_BASE_URL and the firewall." in message


def test_refused_port_of_the_proxy_points_to_https_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    port = closed_port()
    monkeypatch.setenv("HTTPS_PROXY", f"http://{port}")
    message = failure(CLOUDFLARE, TransientError)
    assert f"the proxy {port} refused the connection. Check HTTPS_PROXY." in message


def test_silent_port_costs_the_connect_timeout_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (api.LONGEST_CONNECT, api.LONGEST_REQUEST) == (5, 30)
    monkeypatch.setattr(api, "LONGEST_CONNECT", 0.05)
    monkeypatch.setattr(api, "LONGEST_REQUEST", 3600)  # a test that waits for it hangs
    with listening() as port:
        message = failure(f"https://{port}", TransientError)
    assert f"no answer from {port} within 0.05 seconds." in message
    assert "NAT gateway" in message


def test_connect_timeout_is_cut_to_the_rest_of_the_pass() -> None:
    clock = FakeClock()
    budget = Budget(clock, 600)
    clock.sleep(599.95)
    with listening() as port, pytest.raises(TransientError, match=r"within 0\.0\d+ seconds"):
        read(f"https://{port}", budget)


def test_unreachable_network_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(socket, "create_connection", unreachable)
    message = failure(CLOUDFLARE, TransientError)
    assert "no connection to api.cloudflare.com:443 (Network is unreachable). Check network and routes." in message


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        ("407 Proxy Authentication Required", "the proxy wants another user or password"),
        ("403 Forbidden", "allow Cloudflare's API at the proxy"),
        ("502 Bad Gateway", "whether the proxy can reach Cloudflare"),
    ],
)
def test_status_of_a_proxy_decides_the_remedy(monkeypatch: pytest.MonkeyPatch, status: str, remedy: str) -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())

    with listening(refuse) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy}")
        message = failure(CLOUDFLARE, TransientError)
    assert f"the proxy answered {status[:3]}." in message
    assert remedy in message


def test_handshake_that_breaks_is_not_a_write_of_unknown_fate() -> None:
    with listening(lambda connection: connection.close()) as port:
        budget = Budget(FastClock(), 600)
        with (
            cloudflare_api(settings(CLOUDFLARE_BASE_URL=f"https://{port}"), GivenToken("token")) as client,
            pytest.raises(TransientError, match="Cannot reach Cloudflare"),
        ):
            client.write("POST", "/zones", {}, budget)
    assert budget.calls() == {"cloudflare": ATTEMPTS}
