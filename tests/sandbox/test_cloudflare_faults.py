"""The interceptor can do to an exchange whatever a network or a troubled service can do."""

import http.client
import socket
import time
from collections.abc import Callable
from threading import Event
from typing import Any

import httpx
import pytest

from controller.sandbox.cloudflare import CloudflareServer, Proceed, Reply, Request
from tests.sandbox.conftest import Raw

A = {"type": "A", "name": "www", "content": "192.0.2.1", "ttl": 300}


@pytest.mark.parametrize(
    ("reply", "status", "content"),
    [
        (Reply.of(500, {"success": False, "errors": []}), 500, b'{"success":false,"errors":[]}'),
        (Reply.of(200, {"success": False, "errors": [{"code": 1, "message": "no"}]}), 200, b'{"success":false'),
        (Reply.html(502, "502 Bad Gateway"), 502, b"<html>"),
        (Reply.text(524, "error code: 524"), 524, b"error code: 524"),
        (Reply(503), 503, b""),
        (Reply.of(429, {}, retry_after="7"), 429, b"{}"),
    ],
)
def test_it_answers_in_place_of_the_api(raw: Raw, reply: Reply, status: int, content: bytes) -> None:
    raw.server.intercept = lambda request, proceed: reply
    response = raw("POST", json=A)
    assert (response.status_code, response.content[: len(content)]) == (status, content)
    assert response.headers.get("retry-after") == reply.headers.get("retry-after")
    assert (raw.server.history, raw.server.records()) == ([], [])
    (exchange,) = raw.server.requests
    assert (exchange.status, exchange.answer) == (status, None)


def test_it_lets_the_api_act_and_replaces_the_answer(raw: Raw) -> None:
    def replace(request: Request, proceed: Proceed) -> Reply:
        proceed()
        return Reply.html(504, "504 Gateway Time-out")

    raw.server.intercept = replace
    assert raw("POST", json=A).status_code == 504
    (exchange,) = raw.server.requests
    assert exchange.answer
    assert (exchange.answer.status, exchange.status, len(raw.server.history)) == (200, 504, 1)


@pytest.mark.parametrize("applied", [True, False])
@pytest.mark.parametrize(
    ("ending", "seen"),
    [("reset", httpx.ReadError), ("close", httpx.RemoteProtocolError)],
)
def test_it_breaks_the_connection_before_or_after_the_api_has_acted(
    raw: Raw, applied: bool, ending: Any, seen: type[Exception]
) -> None:
    def lose(request: Request, proceed: Proceed) -> Reply:
        return proceed().lost(ending) if applied else Reply.nothing(ending)

    raw.server.intercept = lose
    with pytest.raises(seen):
        raw("POST", json=A)
    assert len(raw.server.history) == int(applied)
    assert raw.server.requests[0].status is None
    raw.server.intercept = None
    assert len(raw.result("GET")) == int(applied)


@pytest.mark.parametrize("hang", [Reply.nothing("keep"), Reply(200).delayed(60)])
def test_it_hangs_until_the_client_gives_up(raw: Raw, hang: Reply) -> None:
    raw.server.intercept = lambda request, proceed: hang
    with pytest.raises(httpx.ReadTimeout):
        raw("GET", timeout=httpx.Timeout(60, read=0.02))


def test_it_answers_late(raw: Raw) -> None:
    raw.server.intercept = lambda request, proceed: proceed().delayed(0.02)
    start = time.perf_counter()
    raw.result("GET")
    assert time.perf_counter() - start >= 0.02


@pytest.mark.parametrize("slow", ["head", "body"])
def test_it_dribbles(raw: Raw, slow: Any) -> None:
    """Each byte takes its pause, so a client that limits each read alone waits for all of them."""
    raw.server.intercept = lambda request, proceed: Reply.text(200, "x" * 20).dribbled(0.002, slow)
    start = time.perf_counter()
    assert raw("GET", timeout=60).text == "x" * 20
    assert time.perf_counter() - start >= 20 * 0.002


@pytest.mark.parametrize("end", [CloudflareServer.reset, CloudflareServer.stop])
def test_a_reset_or_a_stop_ends_a_hanging_request(end: Callable[[CloudflareServer], None]) -> None:
    with CloudflareServer() as server:
        started = hanging(server)
        end(server)
        with pytest.raises((ConnectionError, http.client.HTTPException)):  # neither an answer nor a time-out
            started()


def hanging(server: CloudflareServer) -> Callable[[], object]:
    """Send a request that hangs. The result waits for its end."""
    arrived = Event()

    def hang(request: Request, proceed: Proceed) -> Reply:
        arrived.set()
        return Reply(200).delayed(3600)

    server.intercept = hang
    url = httpx.URL(server.base_url)
    connection = http.client.HTTPConnection(url.host, url.port, timeout=60)
    connection.request("GET", "/client/v4/zones")
    assert arrived.wait(60)

    def wait() -> object:
        try:
            return connection.getresponse()
        finally:
            connection.close()

    return wait


@pytest.mark.parametrize("ending", ["close", "reset"])
def test_it_cuts_the_body_short_of_its_length(raw: Raw, ending: Any) -> None:
    raw.server.intercept = lambda request, proceed: proceed().cut(10, ending)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        raw("GET")


def test_it_sends_broken_json_of_the_right_length(raw: Raw) -> None:
    def halve(request: Request, proceed: Proceed) -> Reply:
        whole = proceed()
        return Reply(whole.status, whole.content[:20], whole.headers)

    raw.server.intercept = halve
    assert len(raw("GET").content) == 20


def test_it_lets_another_writer_in_before_and_after(raw: Raw) -> None:
    server = raw.server
    gone = server.seed("gone", "192.0.2.1")

    def race(request: Request, proceed: Proceed) -> Reply:
        server.remove(gone)
        reply = proceed()
        server.seed("late", "192.0.2.2")
        return reply

    server.intercept = race
    assert raw.refusal("DELETE", gone) == (404, 81044)
    server.intercept = None
    assert [record["name"] for record in raw.result("GET")] == ["late.example.com"]
    assert server.history == []


def edited(reply: Reply, change: Callable[[Any], Any]) -> Reply:
    """The same answer with another result."""
    body: Any = reply.json
    return Reply.of(reply.status, {**body, "result": change(body["result"])})


@pytest.mark.parametrize(
    ("change", "count"),
    [(lambda records: [], 0), (lambda records: records[:1], 1), (lambda records: records + records, 6)],
)
def test_it_makes_a_listing_empty_partial_or_double(raw: Raw, change: Callable[[Any], Any], count: int) -> None:
    for name in "abc":
        raw.server.seed(name, "192.0.2.1")
    raw.server.intercept = lambda request, proceed: edited(proceed(), change)
    assert len(raw.result("GET")) == count


def test_it_makes_a_listing_stale(raw: Raw) -> None:
    raw.server.seed("a", "192.0.2.1")
    old = raw.server.records()
    raw.server.intercept = lambda request, proceed: edited(proceed(), lambda records: old)
    raw.server.seed("b", "192.0.2.1")
    assert raw.result("GET") == old


def test_it_chooses_by_method_path_body_and_count(raw: Raw) -> None:
    seen = []

    def second_batch_with_posts(request: Request, proceed: Proceed) -> Reply:
        body: Any = request.json
        if (request.method, request.path.rpartition("/")[2]) == ("POST", "batch") and "posts" in body:
            seen.append(request.number)
        return Reply(503) if len(seen) == 2 else proceed()

    raw.server.intercept = second_batch_with_posts
    statuses = [raw("POST", "batch", json={"posts": [{**A, "name": f"n{number}"}]}).status_code for number in range(2)]
    assert statuses == [200, 503]
    assert len(raw.server.records()) == 1


def test_a_connection_may_end_unannounced_after_a_good_answer(server: CloudflareServer) -> None:
    """What a client then meets on its next request is the keep-alive race."""
    server.intercept = lambda request, proceed: Reply.text(200, "good").then("close")
    url = httpx.URL(server.base_url)
    with socket.create_connection((url.host, url.port or 0), timeout=5) as connection, connection.makefile() as answer:
        connection.sendall(b"GET /client/v4/zones HTTP/1.1\r\nHost: x\r\n\r\n")
        text = answer.read()
    assert text.startswith("HTTP/1.1 200 OK\n")
    assert text.endswith("\n\ngood")
    assert "connection:" not in text.lower()
