import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from controller.sandbox.cloudflare import QUIRK_SETS, ApiError, CloudflareServer, Quirks
from tests.benchmarks.calls import calls
from tests.sandbox.conftest import Raw

A = {"type": "A", "name": "www", "content": "192.0.2.1", "ttl": 300}


def test_reset_keeps_only_socket_zone_id_and_first_token(raw: Raw) -> None:
    server = raw.server
    before = (server.base_url, server.zone_id, server.token)
    extra = server.add_token()
    server.intercept = lambda request, proceed: proceed()
    server.reset(quirks=Quirks(per_page_cap=1), plan="free")
    raw.result("POST", json=A)
    server.reset()
    assert (server.base_url, server.zone_id, server.token) == before
    assert (server.records(), server.requests, server.history) == ([], [], [])
    assert server.intercept is None
    assert server.budget.left == 1200
    assert raw.refusal("GET", token=extra) == (403, 10000)
    assert raw("GET", params={"per_page": 5}).json()["result_info"]["per_page"] == 5
    assert raw.result("GET", f"/zones/{server.zone_id}")["plan"]["legacy_id"] == "pro"


def test_a_reset_keeps_connections_open(raw: Raw) -> None:
    raw.result("GET")
    first = raw.server.requests[0].connection
    raw.server.reset()
    raw.result("GET")
    assert raw.server.requests[0].connection == first


def test_the_log_tells_each_request_and_its_answer(server: CloudflareServer, raw: Raw) -> None:
    raw("POST", json=A)
    raw("GET", params={"type": "A"})
    raw("DELETE", "0" * 32)
    one, two, three = server.requests
    path = f"/zones/{server.zone_id}/dns_records"
    assert (one.number, one.method, one.path, one.json, one.status) == (1, "POST", path, A, 200)
    assert (two.number, two.method, two.query.get("type"), two.json, two.status) == (2, "GET", "A", None, 200)
    assert (three.number, three.path, three.status) == (3, f"{path}/{'0' * 32}", 404)
    assert two.answer
    assert two.answer.json == {
        "result": server.records(),
        "success": True,
        "errors": [],
        "messages": [],
        "result_info": {"page": 1, "per_page": 100, "count": 1, "total_count": 1, "total_pages": 1},
    }
    assert one.request.at <= three.request.at
    assert one.request.monotonic < three.request.monotonic


def test_connections_are_kept_alive_and_can_be_counted(server: CloudflareServer, raw: Raw) -> None:
    for _ in range(3):
        raw.result("GET")
    with httpx.Client(verify=False, trust_env=False) as other:
        other.get(server.base_url)
    connections = [exchange.connection for exchange in server.requests]
    assert connections[0] == connections[1] == connections[2] != connections[3]


def test_every_answer_has_the_headers_of_support_and_rate_limit(raw: Raw) -> None:
    first, second = raw("GET"), raw("DELETE", "0" * 32)
    assert first.headers["cf-ray"] != second.headers["cf-ray"]
    assert first.headers["content-type"] == "application/json"
    assert second.headers["ratelimit"] == '"default";r=1198;t=300'
    assert second.headers["ratelimit-policy"] == '"default";q=1200;w=300'


def test_whoever_exceeds_the_rate_limit_is_blocked_for_a_whole_window(raw: Raw) -> None:
    now = datetime(2026, 1, 31, tzinfo=UTC)
    raw.server.reset(rate_quota=2, rate_window=60, clock=lambda: now)
    raw.result("GET")
    now += timedelta(seconds=10.5)
    assert raw("GET").headers["ratelimit"] == '"default";r=0;t=50'
    blocked = raw("GET")
    assert (blocked.status_code, blocked.json()["errors"][0]["code"]) == (429, 971)
    assert blocked.headers["retry-after"] == "60"
    now += timedelta(seconds=59)
    assert raw("GET", "/user/tokens/verify").headers["retry-after"] == "1"
    now += timedelta(seconds=1)
    assert raw("GET").headers["ratelimit"] == '"default";r=1;t=60'


def test_a_request_with_two_lengths_or_an_odd_one_is_refused(server: CloudflareServer) -> None:
    head = "POST /client/v4/zones HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n{}\r\n0\r\n\r\n"
    assert sent_raw(server, head.format("Content-Length: 5\r\n")).startswith(b"HTTP/1.1 400 ")
    assert sent_raw(server, head.format("")).startswith(b"HTTP/1.1 411 ")
    odd = "GET /client/v4/zones HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"
    assert sent_raw(server, odd).startswith(b"HTTP/1.1 400 ")
    assert server.requests == []


def sent_raw(server: CloudflareServer, text: str) -> bytes:
    url = httpx.URL(server.base_url)
    with socket.create_connection((url.host, url.port or 0), timeout=5) as connection:
        connection.sendall(text.encode())
        return connection.recv(1000)


def test_what_is_outside_the_base_url_is_no_route(server: CloudflareServer, raw: Raw) -> None:
    response = httpx.get(server.base_url.replace("v4", "v3") + "/zones", trust_env=False, verify=False)
    assert (response.status_code, response.json()["errors"][0]["code"]) == (400, 9106)
    response = raw.http.get(server.base_url.replace("v4", "v3"), headers={"authorization": f"Bearer {server.token}"})
    assert (response.status_code, response.json()["errors"][0]["code"]) == (404, 7000)


def test_a_seed_is_checked_unless_that_is_switched_off(server: CloudflareServer, raw: Raw) -> None:
    server.seed("www", "192.0.2.1")
    for name, content, type in [("www", "192.0.2.1", "A"), ("www", "t.example.net", "CNAME"), ("b", "10.0.0.1", "A")]:
        with pytest.raises(ApiError):
            server.seed(name, content, type=type)
        server.seed(name, content, type=type, strict=False)
    server.seed("UPPER.example.com", "192.0.2.1", strict=False, ttl=120)
    shown = [(record["name"], record["type"], record["ttl"]) for record in raw.result("GET")]
    assert len(shown) == 5
    assert ("UPPER.example.com", "A", 120) in shown
    assert server.history == []


def test_seeds_are_not_counted_against_the_quota(server: CloudflareServer) -> None:
    server.reset(plan="free", quota=1)
    server.seed("a", "192.0.2.1")
    server.seed("b", "192.0.2.1", tags=[], ttl=1)
    assert len(server.records()) == 2


def test_another_writer_leaves_no_history(server: CloudflareServer) -> None:
    record_id = server.seed("www", "192.0.2.1", comment="mine")
    server.edit(record_id, content="192.0.2.9", proxied=False, comment=None)
    (record,) = server.records()
    assert (record["content"], record["proxied"], record["comment"]) == ("192.0.2.9", False, None)
    server.remove(record_id)
    assert (server.records(), server.history) == ([], [])


def test_the_zone_object_tells_name_status_plan_and_permissions(raw: Raw) -> None:
    raw.server.reset(plan="free", status="pending")
    zone = raw.result("GET", f"/zones/{raw.server.zone_id}")
    assert (zone["id"], zone["name"], zone["status"]) == (raw.server.zone_id, "example.com", "pending")
    assert (zone["plan"]["legacy_id"], zone["account"]["id"]) == ("free", raw.server.account_id)
    assert zone["permissions"] == [
        "#dns_records:edit",
        "#dns_records:read",
        "#ssl:read",
        "#zone:read",
        "#zone_settings:read",
    ]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 1),
        ({"name": "example.com"}, 1),
        ({"name": "example.org"}, 0),
        ({"status": "active"}, 1),
        ({"status": "pending"}, 0),
        ({"page": "2"}, 0),
    ],
)
def test_zones_are_listed_by_name_and_status(raw: Raw, query: dict[str, str], count: int) -> None:
    body = raw("GET", "/zones", params=query).json()
    assert len(body["result"]) == body["result_info"]["count"] == count


def test_zones_have_small_pages_and_may_need_a_filter(raw: Raw) -> None:
    assert raw("GET", "/zones", params={"per_page": 1000}).json()["result_info"]["per_page"] == 50
    raw.server.reset(quirks=Quirks(unfiltered_zones_refused=True))
    assert raw.refusal("GET", "/zones") == (403, 9109)
    assert raw.result("GET", "/zones", params={"name": "example.com"})


def test_work_on_a_zone_grows_with_its_records(server: CloudflareServer) -> None:
    small, large = (work_on_a_zone(server, records) for records in (100, 800))
    assert {step: large[step] for step in small if large[step] > 8 * small[step]} == {}


@contextmanager
def own_connection(server: CloudflareServer) -> Iterator[Raw]:
    """A client with a new connection, so that the server answers in a thread that ``calls`` counts."""
    raw = Raw(server)
    with raw.http:
        yield raw


def work_on_a_zone(server: CloudflareServer, records: int) -> dict[str, int]:
    """The calls of functions, of server and client together, to seed a zone, list it and rewrite it."""
    server.reset()
    ids = list[str]()

    def seed() -> None:
        ids.extend(server.seed(f"i-{number:017x}", "192.0.2.1", comment="mine") for number in range(records))

    def list_all() -> None:
        with own_connection(server) as raw:
            assert len(raw.result("GET", params={"per_page": 5000})) == records

    def rewrite() -> None:
        patches = [{"id": record_id, "content": "192.0.2.2"} for record_id in ids]
        with own_connection(server) as raw:
            raw.result("POST", "batch", json={"patches": patches})

    return {step.__name__: calls(step) for step in (seed, list_all, rewrite)}


def test_many_writers_at_once_lose_nothing(server: CloudflareServer, raw: Raw) -> None:
    def create(number: int) -> int:
        return raw("POST", json={**A, "name": f"n{number % 40}"}).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(create, range(80)))
    assert (statuses.count(200), statuses.count(400)) == (40, 40)
    assert len(server.records()) == len(server.history) == 40
    assert [exchange.number for exchange in server.requests] == list(range(1, 81))
    assert {write.request for write in server.history} == {
        exchange.number for exchange in server.requests if exchange.status == 200
    }


def test_latency_is_waited_before_each_answer(raw: Raw) -> None:
    raw.server.reset(latency=0.02)
    start = time.perf_counter()
    raw.result("GET")
    assert time.perf_counter() - start >= 0.02


def test_a_server_stops_beside_an_idle_connection() -> None:
    server = CloudflareServer()
    with pytest.raises(RuntimeError, match="not been started"):
        _ = server.base_url
    server.start()
    with httpx.Client(base_url=server.base_url, verify=False, trust_env=False) as client:
        client.get("/zones")
        server.stop()  # waits for no client
        with pytest.raises(httpx.TransportError):
            client.get("/zones")
    server.stop()


def test_the_sets_of_quirks_leave_no_switch_at_its_default() -> None:
    unpublished = {"batch_limit_code", "type_change_code"}
    defaults = Quirks()
    turned = {
        field.name
        for quirks in QUIRK_SETS.values()
        for field in fields(Quirks)
        if getattr(quirks, field.name) != getattr(defaults, field.name)
    }
    assert turned == {field.name for field in fields(Quirks)} - unpublished
