"""Every verdict, from the real probe before the sandbox's edge."""

import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from controller.probe.verdict import Cause, Kind
from controller.sandbox.cloudflare import Pack, SslMode
from controller.sandbox.edge import Door
from controller.sandbox.edge import Kind as Desktop
from tests.support.build import TEACHER, name
from tests.support.edge import Desk, running_edge

DEEP = f"{TEACHER}.classroom.example.com"


def _record(content: str, **fields: Any) -> Callable[[Desk], None]:
    return lambda desk: desk.record(content, **fields)


@pytest.mark.parametrize("names_errors", [True, False], ids=["header", "page"])
@pytest.mark.parametrize(
    ("desktop", "mode", "cause"),
    [
        ("up", "full", Cause.WORKS),
        ("up", "flexible", Cause.WORKS),  # behind 8443 that is Full
        ("trusted", "strict", Cause.WORKS),
        ("up", "strict", Cause.BAD_CERTIFICATE),
        ("plain", "full", Cause.NO_TLS),
        ("plain", "flexible", Cause.NO_TLS),
        ("up", "off", Cause.HTTPS_OFF),
        ("silent", "full", Cause.ODD_ANSWER),
        ("closed", "full", Cause.PORT_CLOSED),
        ("filtered", "full", Cause.DROPPED),
        ("unrouted", "full", Cause.NO_ROUTE),
        ("stuck", "full", Cause.TOO_SLOW),
    ],
)
def test_desktop_behind_the_edge_gives_its_verdict(
    desk: Desk, desktop: Desktop, mode: SslMode, cause: Cause, names_errors: bool
) -> None:
    desk.stands(desktop)
    desk.cloudflare.settings.ssl, desk.edge.names_errors = mode, names_errors
    verdict = desk.judged()
    assert verdict.cause is cause
    assert verdict.kind is (Kind.WORKS if cause is Cause.WORKS else Kind.BROKEN)


def test_flexible_reaches_a_desktop_without_tls_on_port_443(desk: Desk) -> None:
    desk.stands("plain")
    desk.cloudflare.settings.ssl = "flexible"
    assert desk.judged(port=443).cause is Cause.WORKS


def test_slow_desktop_has_no_answer_in_time(desk: Desk) -> None:
    desk.stands("slow")
    verdict = desk.judged(timeout=httpx.Timeout(60, read=0.1))
    assert (verdict.kind, verdict.cause) == (Kind.BROKEN, Cause.NO_ANSWER)
    assert "security group" in verdict.remedy


@pytest.mark.parametrize("names_errors", [True, False], ids=["header", "page"])
@pytest.mark.parametrize(
    ("prepare", "cause"),
    [
        (lambda desk: None, Cause.NO_NAME),
        (_record("target.invalid", type="CNAME"), Cause.ORIGIN_NAME),
        (_record("shop.example.net", type="CNAME"), Cause.FOREIGN_CNAME),
        (_record("104.16.0.1"), Cause.PROHIBITED_ADDRESS),
    ],
    ids=["missing", "dangling", "foreign", "cloudflare"],
)
def test_wrong_record_gives_its_verdict(
    desk: Desk, prepare: Callable[[Desk], None], cause: Cause, names_errors: bool
) -> None:
    prepare(desk)
    desk.edge.names_errors = names_errors
    verdict = desk.judged()
    assert (verdict.kind, verdict.cause) == (Kind.BROKEN, cause)


def test_delegation_hides_the_record_beneath_it(desk: Desk) -> None:
    desk.cloudflare.settings.packs.append(Pack(("*.classroom.example.com",)))
    desk.record(at=DEEP)
    assert desk.judged(DEEP).cause is Cause.WORKS
    desk.record("ns.example.net", at="classroom.example.com", type="NS", proxied=False)
    verdict = desk.judged(DEEP)
    assert verdict.cause is Cause.NO_NAME
    assert "NS record" in verdict.remedy


def test_name_two_labels_below_the_zone_has_no_certificate(desk: Desk) -> None:
    desk.record(at=DEEP)
    verdict = desk.judged(DEEP)
    assert (verdict.kind, verdict.cause) == (Kind.BROKEN, Cause.NO_CERTIFICATE)
    assert "*.classroom.example.com" in verdict.remedy
    desk.cloudflare.settings.packs.append(Pack(("*.classroom.example.com",)))
    assert desk.judged(DEEP).cause is Cause.WORKS


@pytest.mark.parametrize(
    ("door", "cause"),
    [
        ("access", Cause.ACCESS),
        ("challenge", Cause.CHALLENGE),
        ("waf", Cause.BLOCKED),
        ("outage", Cause.EDGE_FAILED),
    ],
)
def test_door_before_the_desktop_is_unknown_and_not_broken(desk: Desk, door: Door, cause: Cause) -> None:
    desk.stands("up")
    desk.edge.door = door
    verdict = desk.judged()
    assert (verdict.kind, verdict.cause) == (Kind.UNKNOWN, cause)


@pytest.mark.parametrize(("desktop", "kind"), [("up", Kind.BROKEN), ("trusted", Kind.UNKNOWN)])
def test_dns_only_account_leads_past_cloudflare(desk: Desk, desktop: Desktop, kind: Kind) -> None:
    # A browser refuses a certificate that it does not know, and goes on with one that it knows.
    desk.stands(desktop)
    desk.cloudflare.settings.enforce_dns_only = True
    verdict = desk.judged()
    assert (verdict.kind, verdict.cause) == (kind, Cause.NOT_PROXIED)


def test_record_that_is_not_proxied_leads_past_cloudflare(desk: Desk) -> None:
    desk.record(proxied=False)
    assert desk.judged().cause is Cause.NOT_PROXIED


def test_port_without_a_server_is_no_way_out(desk: Desk) -> None:
    desk.record()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        verdict = desk.judged(PROBE_CONNECT_TO=f"127.0.0.1:{taken.getsockname()[1]}")
    assert (verdict.kind, verdict.cause) == (Kind.UNKNOWN, Cause.NO_WAY_OUT)
    assert "Connection refused" in verdict.because


def test_server_without_tls_in_between_is_no_trust(desk: Desk) -> None:
    desk.record()
    verdict = desk.judged(PROBE_CONNECT_TO=urlsplit(desk.cloudflare.base_url).netloc)
    assert (verdict.kind, verdict.cause) == (Kind.UNKNOWN, Cause.NO_TRUST)


def test_edge_with_an_untrusted_certificate_has_none_for_the_name(desk: Desk) -> None:
    desk.record()
    with running_edge() as other:  # with an authority of its own
        verdict = desk.judged(PROBE_CA_FILE=other.edge.ca_file)
    assert (verdict.kind, verdict.cause) == (Kind.BROKEN, Cause.NO_CERTIFICATE)


# Without the sandbox's setting the name is looked up. The wire that is replaced here is the system's name server.


def _dns(monkeypatch: pytest.MonkeyPatch, answer: str | int) -> None:
    system = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *how: int, **named: int) -> object:
        if host != name(TEACHER):
            return system(host, port, *how, **named)
        if isinstance(answer, int):
            raise socket.gaierror(answer, "the name server's words")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answer, port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize(
    ("error", "kind", "cause"),
    [
        (socket.EAI_NONAME, Kind.BROKEN, Cause.NO_NAME),
        (socket.EAI_NODATA, Kind.BROKEN, Cause.NO_NAME),
        (socket.EAI_AGAIN, Kind.UNKNOWN, Cause.NO_RESOLVER),
        (socket.EAI_FAIL, Kind.UNKNOWN, Cause.NO_RESOLVER),
    ],
)
def test_name_server_s_error_gives_its_verdict(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: int, kind: Kind, cause: Cause
) -> None:
    _dns(monkeypatch, error)
    verdict = desk.judged(PROBE_CONNECT_TO="")
    assert (verdict.kind, verdict.cause) == (kind, cause)


def test_address_from_dns_is_connected_to(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.record()
    _dns(monkeypatch, "127.0.0.1")
    assert desk.judged(port=desk.edge.port, PROBE_CONNECT_TO="").cause is Cause.WORKS


def test_name_that_resolves_to_the_machine_is_not_proxied(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.record()
    _dns(monkeypatch, "127.0.0.1")
    verdict = desk.judged(port=desk.edge.port, PROBE_CONNECT_TO="", address="127.0.0.1")
    assert verdict.cause is Cause.NOT_PROXIED
    assert "the machine's own address" in verdict.because


# What the probe sends, and what it keeps.


def test_request_carries_neither_token_nor_cookie(desk: Desk) -> None:
    desk.stands("up")
    desk.edge.door = "access"  # it sets a cookie
    desk.judged()
    desk.judged()
    hosts = [headers["host"] for headers in desk.edge.requests]
    assert hosts == [f"{name(TEACHER)}:8443"] * 2, "the redirect is not followed"
    assert all(headers.keys().isdisjoint({"authorization", "cookie"}) for headers in desk.edge.requests)
