"""The sandbox's edge answers by name as Cloudflare documents it, and its desktops are real servers."""

import socket
import ssl
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import cast

import pytest

from controller.sandbox.cloudflare import CloudflareServer, Pack
from controller.sandbox.edge import Edge
from controller.settings import read_settings
from tests.support.build import ADDRESS, ELSEWHERE, ENVIRONMENT
from tests.support.edge import Desk, running_edge

ZONE = "example.com"
NAME = f"desk.{ZONE}"
DEEP = f"desk.classroom.{ZONE}"


@pytest.fixture(scope="module")
def started() -> Iterator[Desk]:
    with running_edge(ZONE) as desk:
        yield desk


@pytest.fixture
def desk(started: Desk) -> Desk:
    started.reset()
    return started


@dataclass(frozen=True, slots=True)
class Page:
    """An answer as a browser gets it."""

    status: int
    headers: Mapping[str, str]
    text: str
    covered: set[str]  # names in the certificate


def visit(edge: Edge, name: str = NAME, port: int = 8443) -> Page:
    """Ask for a page as a browser does that trusts the sandbox's authority alone."""
    context = ssl.create_default_context(cafile=edge.ca_file)
    with socket.create_connection(("127.0.0.1", edge.port)) as plain:
        connection = HTTPConnection(name, port)
        connection.sock = tls = context.wrap_socket(plain, server_hostname=name)
        with tls:
            named = cast("Iterable[tuple[str, str]]", (tls.getpeercert() or {}).get("subjectAltName", ()))
            connection.request("GET", "/")
            answer = connection.getresponse()
            headers = {key.lower(): value for key, value in answer.getheaders()}
            return Page(answer.status, headers, answer.read().decode(), {name for _, name in named})


def test_answer_of_the_desktop_comes_by_way_of_cloudflare(desk: Desk) -> None:
    desk.record(at=NAME)
    page = visit(desk.edge)
    assert (page.status, page.headers["server"], "cf-ray" in page.headers) == (200, "cloudflare", True)
    assert "Desktop" in page.text


def test_universal_certificate_covers_the_zone_and_one_label_below(desk: Desk) -> None:
    desk.record(at=NAME)
    assert visit(desk.edge).covered == {ZONE, f"*.{ZONE}"}
    desk.record(at=ZONE)
    assert visit(desk.edge, ZONE).status == 200


@pytest.mark.parametrize("name", [DEEP, "desk.example.net"])
def test_name_without_a_certificate_is_refused_in_the_handshake(desk: Desk, name: str) -> None:
    desk.record(at=DEEP)
    with pytest.raises(ssl.SSLError) as caught:
        visit(desk.edge, name)
    assert "HANDSHAKE_FAILURE" in str(caught.value.reason)


def test_advanced_certificate_covers_its_names(desk: Desk) -> None:
    desk.record(at=DEEP)
    desk.cloudflare.settings.packs.append(Pack((f"*.classroom.{ZONE}",)))
    assert visit(desk.edge, DEEP).status == 200


def test_total_tls_covers_each_name(desk: Desk) -> None:
    desk.record(at=DEEP)
    desk.cloudflare.settings.total_tls = True
    assert visit(desk.edge, DEEP).status == 200


def test_zone_without_universal_ssl_has_no_certificate(desk: Desk) -> None:
    desk.record(at=NAME)
    desk.cloudflare.settings.universal_ssl = False
    with pytest.raises(ssl.SSLError):
        visit(desk.edge)


def test_certificate_that_is_not_active_covers_nothing(desk: Desk) -> None:
    desk.record(at=DEEP)
    desk.cloudflare.settings.packs.append(Pack((f"*.classroom.{ZONE}",), status="pending_validation"))
    with pytest.raises(ssl.SSLError):
        visit(desk.edge, DEEP)


def test_nobody_else_trusts_the_certificate(desk: Desk) -> None:
    desk.record(at=NAME)
    with socket.create_connection(("127.0.0.1", desk.edge.port)) as plain, pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(plain, server_hostname=NAME)


def test_error_page_has_its_code_in_header_and_text(desk: Desk) -> None:
    desk.record(at=NAME)
    desk.edge.desktops[ADDRESS] = "closed"
    page = visit(desk.edge)
    assert (page.status, page.headers["cf-error-type"], page.text) == (521, "521", "error code: 521")
    desk.edge.names_errors = False
    page = visit(desk.edge)
    assert (page.status, page.text) == (521, "error code: 521")
    assert "cf-error-type" not in page.headers


def test_missing_name_is_unknown_until_its_record_is_there(desk: Desk) -> None:
    assert visit(desk.edge).headers["cf-error-type"] == "1001"
    desk.record(at=NAME)
    assert visit(desk.edge).status == 200
    desk.cloudflare.remove(str(desk.cloudflare.records(NAME)[0]["id"]))
    assert visit(desk.edge).headers["cf-error-type"] == "1001"


def test_wildcard_answers_for_names_without_a_record_of_their_own(desk: Desk) -> None:
    desk.record(ELSEWHERE, at=f"*.{ZONE}")
    desk.edge.desktops[ELSEWHERE] = "filtered"
    assert visit(desk.edge).status == 522
    desk.record(at=NAME)
    assert visit(desk.edge).status == 200


def test_mode_off_redirects_to_http(desk: Desk) -> None:
    desk.record(at=NAME)
    desk.cloudflare.settings.ssl = "off"
    answer = visit(desk.edge)
    assert (answer.status, answer.headers["location"]) == (301, f"http://{NAME}/")


@pytest.mark.parametrize("setting", [{"paused": True}, {"enforce_dns_only": True}, {"zone_mode": "dns_only"}])
def test_zone_past_the_proxy_shows_the_desktops_certificate(desk: Desk, setting: Mapping[str, object]) -> None:
    desk.record(at=NAME)
    for field, value in setting.items():
        setattr(desk.cloudflare.settings, field, value)
    with pytest.raises(ssl.SSLCertVerificationError):
        visit(desk.edge)


def test_flexible_speaks_in_the_clear_behind_port_443_alone(desk: Desk) -> None:
    desk.record(at=NAME)
    desk.edge.desktops[ADDRESS], desk.cloudflare.settings.ssl = "plain", "flexible"
    assert visit(desk.edge, port=443).status == 200
    assert visit(desk.edge, port=8443).status == 525
    desk.edge.desktops[ADDRESS] = "up"
    assert visit(desk.edge, port=8443).status == 200


def test_access_redirects_to_the_team_s_login(desk: Desk) -> None:
    desk.record(at=NAME)
    desk.edge.door = "access"
    page = visit(desk.edge)
    assert page.status == 302
    assert page.headers["location"].startswith("https://team.cloudflareaccess.com/cdn-cgi/access/login/")


def test_name_that_is_not_proxied_is_answered_by_its_desktop(desk: Desk) -> None:
    desk.record(at=NAME, proxied=False)
    desk.edge.desktops[ADDRESS] = "trusted"
    page = visit(desk.edge)
    assert (page.status, page.headers["server"], "cf-ray" in page.headers) == (200, "dcv", False)
    desk.edge.desktops[ADDRESS] = "up"
    with pytest.raises(ssl.SSLCertVerificationError):
        visit(desk.edge)


def test_edge_that_ends_takes_its_certificate_and_what_hangs_with_it() -> None:
    with running_edge() as desk:
        desk.record(at=NAME)
        desk.edge.desktops[ADDRESS] = "slow"
        context = ssl.create_default_context(cafile=desk.edge.ca_file)
        plain = socket.create_connection(("127.0.0.1", desk.edge.port))
        hanging = context.wrap_socket(plain, server_hostname=NAME)
        hanging.sendall(f"GET / HTTP/1.1\r\nHost: {NAME}:8443\r\n\r\n".encode())
        assert Path(desk.edge.ca_file).exists()
    with hanging:
        hanging.settimeout(60)
        assert hanging.recv(1) is not None  # it ends, with an error page or with nothing
    assert not Path(desk.edge.ca_file).exists()


def test_settings_that_it_prints_are_read(desk: Desk) -> None:
    settings = read_settings({**ENVIRONMENT, **desk.edge.environment()})
    assert settings.probe_connect_to == ("127.0.0.1", desk.edge.port)
    assert settings.probe_ca_file == desk.edge.ca_file


def test_edge_that_was_not_started_says_so() -> None:
    with pytest.raises(RuntimeError, match="not been started"):
        _ = Edge(CloudflareServer(ZONE)).port
