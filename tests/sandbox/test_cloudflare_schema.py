"""Cloudflare's schemas hold over everything that the server says, and the judge that says so has teeth."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from controller.sandbox.cloudflare import QUIRK_SETS, Exchange, Reply
from tests.sandbox.conftest import Raw
from tests.support import openapi
from tests.support.openapi import VARIABLE, validator

A = {"type": "A", "name": "www", "content": "192.0.2.1", "ttl": 300, "proxied": True, "comment": "mine"}
OTHERS: list[dict[str, Any]] = [
    {"type": "AAAA", "name": "six", "content": "2001:db8::1"},
    {"type": "CNAME", "name": "alias", "content": "www.example.com", "proxied": True},
    {"type": "MX", "name": "@", "content": "mail.example.com", "priority": 10},
    {"type": "NS", "name": "sub", "content": "ns.example.net"},
    {"type": "TXT", "name": "note", "content": "some text", "tags": ["team:dns"]},
    {
        "type": "SRV",
        "name": "_s._tcp.example.com",
        "data": {"priority": 1, "weight": 2, "port": 3, "target": "www.example.com"},
    },
    {"type": "CAA", "name": "@", "data": {"flags": 0, "tag": "issue", "value": "ca.example.net"}},
]


@pytest.mark.parametrize("name", QUIRK_SETS)
def test_every_answer_is_valid_under_every_reading(raw: Raw, name: str) -> None:
    judge = validator()
    raw.server.reset(plan="pro", quirks=QUIRK_SETS[name])
    tour(raw)
    assert len(raw.server.requests) == 32
    for exchange in raw.server.requests:
        judge.check_response(exchange)


def tour(raw: Raw) -> None:
    """Every route, well and badly."""
    zone, record_id = f"/zones/{raw.server.zone_id}", "0" * 32
    for body in OTHERS:
        assert raw("POST", json={"ttl": 1, **body}).status_code == 200
    made = raw.result("POST", json=A)["id"]
    raw.result("PATCH", made, json={"content": "192.0.2.2"})
    raw.result("PUT", made, json={**A, "comment": ""})
    raw.result("POST", "batch", json={"patches": [{"id": made, "comment": "ours"}], "posts": [{**A, "name": "b"}]})
    for path in ("", "usage", "export", made, zone, "/user/tokens/verify"):
        assert raw("GET", path).status_code == 200
    raw("GET", "/zones", params={"name": "example.com"})
    raw.result("DELETE", made)
    for method in ("GET", "PATCH", "PUT", "DELETE"):
        assert raw(method, record_id, json=A).status_code == 404
    for body in ({}, {**A, "name": "b"}, {**A, "content": "10.0.0.1"}):
        assert raw("POST", json=body).status_code == 400
    raw.refusal("POST", "batch", json={"deletes": [{"id": record_id}]})
    raw.refusal("GET", params={"page": "x"})
    raw.refusal("GET", headers={"authorization": "nonsense"})
    raw.refusal("GET", token="wrong")
    raw.refusal("GET", "/user/tokens/verify", token="wrong")
    raw.server.budget.left = 0
    raw.refusal("GET", zone)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"id": None},
        {"id": "0" * 33},
        {"name": 5},
        {"content": "no address"},
        {"ttl": "1"},
        {"proxied": "true"},
        {"tags": None, "comment": 7},
        {"created_on": "yesterday"},
        {"modified_on": None},
        {"proxiable": "yes"},
        {"meta": []},
    ],
)
def test_the_judge_refuses_a_spoilt_record(raw: Raw, spoilt: dict[str, object]) -> None:
    judge = validator()
    raw.server.seed("www", "192.0.2.1", comment="mine")
    (record,) = raw.result("GET")
    judge.check_record(record)
    with pytest.raises(AssertionError):
        judge.check_record({**record, **spoilt})


@pytest.mark.parametrize("missing", ["id", "type", "name", "content", "proxiable", "created_on", "modified_on", "meta"])
def test_the_judge_refuses_an_incomplete_record(raw: Raw, missing: str) -> None:
    judge = validator()
    raw.server.seed("www", "192.0.2.1")
    (record,) = raw.result("GET")
    del record[missing]
    with pytest.raises((AssertionError, KeyError)):
        judge.check_record(record)


@pytest.mark.parametrize(
    "answer",
    [
        Reply.of(200, {"result": {"id": "x", "status": "active"}, "success": False, "errors": [], "messages": []}),
        Reply.of(200, {"result": {"id": "x", "status": "fine"}, "success": True, "errors": [], "messages": []}),
        Reply.of(200, {"result": {"id": "x", "status": "active"}, "success": True, "messages": []}),
        Reply.of(401, {"result": None, "success": False, "errors": [{"code": "1000"}], "messages": []}),
        Reply.html(502, "502 Bad Gateway"),
    ],
)
def test_the_judge_refuses_a_spoilt_envelope(raw: Raw, answer: Reply) -> None:
    judge = validator()
    raw.result("GET", "/user/tokens/verify")
    (exchange,) = raw.server.requests
    judge.check(exchange)
    with pytest.raises(AssertionError):
        judge.check(replace(exchange, answer=answer))


def asked(raw: Raw, method: str, path: str, **options: Any) -> Exchange:
    raw(method, path, **options)
    return raw.server.requests[-1]


@pytest.mark.parametrize(
    ("method", "path", "options"),
    [
        ("GET", "", {"params": {"name.like": "x"}}),
        ("GET", "", {"params": {"per_page": "many"}}),
        ("GET", "", {"params": {"per_page": "0"}}),
        ("GET", "", {"params": {"order": "id"}}),
        ("GET", "", {"params": {"proxied": "yes"}}),
        ("GET", "", {"params": {"type": "SPF"}}),
        ("GET", "no-id", {}),
        ("POST", "", {"json": {**A, "ttl": 5}}),
        ("POST", "", {"json": {**A, "content": "1.1"}}),
        ("POST", "", {"json": {**A, "surprise": 1}}),
        ("POST", "", {"json": {"type": "A", "name": "www"}}),
        ("POST", "", {"content": b"{}", "headers": {"content-type": "text/plain"}}),
        ("PATCH", "0" * 32, {"json": {"proxied": "true"}}),
        ("PATCH", "0" * 32, {"json": {"contents": "192.0.2.1"}}),
        ("POST", "batch", {"json": {"deletes": [{}]}}),
        ("POST", "batch", {"json": {"posts": [{**A, "id": "0" * 32}]}}),
        ("POST", "batch", {"json": {"patches": [{"id": "0" * 32, "ttl": "1"}]}}),
        ("POST", "batch", {"json": {"puts": [{"id": "0" * 32, "content": "192.0.2.1"}]}}),
        ("POST", "batch", {"json": {"creates": [A]}}),
    ],
)
def test_the_judge_refuses_a_bad_request(raw: Raw, method: str, path: str, options: dict[str, Any]) -> None:
    judge = validator()
    with pytest.raises((AssertionError, KeyError)):
        judge.check_request(asked(raw, method, path, **options))


@pytest.mark.parametrize(
    ("method", "path", "options"),
    [
        ("GET", "", {"params": {"name.endswith": ".example.com", "type": "A", "per_page": "5000", "order": "name"}}),
        ("GET", "", {"params": {"comment.startswith": "x", "proxied": "true", "match": "any", "page": "2"}}),
        ("POST", "", {"json": A}),
        ("PATCH", "0" * 32, {"json": {"content": "192.0.2.1", "comment": ""}}),
        ("POST", "batch", {"json": {"deletes": [{"id": "0" * 32}], "posts": [A]}}),
    ],
)
def test_the_judge_lets_a_good_request_pass(raw: Raw, method: str, path: str, options: dict[str, Any]) -> None:
    validator().check_request(asked(raw, method, path, **options))


def test_without_the_schemas_a_test_is_skipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(openapi, "BESIDE", tmp_path / "openapi.json")
    with pytest.raises(pytest.skip.Exception, match=r"not at .*/openapi\.json"):
        validator()


def test_schemas_that_are_not_where_they_should_be_fail_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "/nowhere/openapi.json")
    with pytest.raises(pytest.fail.Exception, match="not at /nowhere"):
        validator()
