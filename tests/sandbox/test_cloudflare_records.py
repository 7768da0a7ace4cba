import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from controller.sandbox.cloudflare import CloudflareServer, PlanName, Quirks
from tests.sandbox.conftest import Raw

A = {"type": "A", "name": "www", "content": "192.0.2.1", "ttl": 300}


def test_a_created_record_comes_back_complete(raw: Raw) -> None:
    record = raw.result("POST", json={**A, "name": "WWW", "comment": "mine", "tags": ["team:dns"]})
    shown = {name: value for name, value in record.items() if name not in ("id", "created_on")}
    assert shown == {
        "type": "A",
        "name": "www.example.com",
        "content": "192.0.2.1",
        "ttl": 300,
        "proxied": False,
        "proxiable": True,
        "comment": "mine",
        "tags": ["team:dns"],
        "settings": {},
        "meta": {},
        "modified_on": record["created_on"],
        "comment_modified_on": record["created_on"],
        "tags_modified_on": record["created_on"],
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", record["created_on"])
    assert raw.result("GET", record["id"]) == record


def test_without_comment_and_tags_their_stamps_are_left_out(raw: Raw) -> None:
    record = raw.result("POST", json=A)
    assert (record["comment"], record["tags"]) == (None, [])
    assert not record.keys() & {"comment_modified_on", "tags_modified_on"}


def test_what_nobody_knows_in_a_body_is_ignored(raw: Raw) -> None:
    record = raw.result("POST", json={**A, "zone_id": "x", "zone_name": "y", "locked": True, "id": "z", "new": 1})
    assert not record.keys() & {"zone_id", "zone_name", "locked", "new"}
    assert record["id"] != "z"


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("@", "example.com"),
        ("example.com", "example.com"),
        ("a.b", "a.b.example.com"),
        ("A.Example.COM", "a.example.com"),
        ("a.other.org", "a.other.org.example.com"),
        ("notexample.com", "notexample.com.example.com"),
        ("a.example.com.", "a.example.com"),
        ("*", "*.example.com"),
        ("a.*", "a.*.example.com"),
        ("_acme", "_acme.example.com"),
        ("bücher", "xn--bcher-kva.example.com"),
    ],
)
def test_names_come_back_complete_and_lower_case(raw: Raw, sent: str, name: str) -> None:
    assert raw.result("POST", json={**A, "name": sent})["name"] == name


@pytest.mark.parametrize("name", ["a..b", "-a", "a-", "a b", "a/b", "x" * 64, "x." * 125 + "y", ".", "ü" * 64, "a*"])
def test_a_malformed_name_is_refused(raw: Raw, name: str) -> None:
    assert raw.refusal("POST", json={**A, "name": name}) == (400, 9000)


def test_a_proxied_record_is_automatic_whatever_ttl_is_sent(raw: Raw) -> None:
    for ttl in (120, 5, 1):
        record = raw.result("POST", json={**A, "name": f"n{ttl}", "ttl": ttl, "proxied": True})
        assert (record["ttl"], record["proxied"]) == (1, True)
    back = raw.result("PATCH", record["id"], json={"proxied": False})
    assert (back["ttl"], back["proxied"]) == (1, False)


@pytest.mark.parametrize(
    ("plan", "ttl", "allowed"),
    [
        ("free", 1, True),
        ("free", 60, True),
        ("free", 59, False),
        ("pro", 30, False),
        ("enterprise", 30, True),
        ("enterprise", 29, False),
        ("free", 86400, True),
        ("free", 86401, False),
        ("free", 0, False),
        ("free", -1, False),
    ],
)
def test_ttl_limits_by_plan(raw: Raw, plan: PlanName, ttl: int, allowed: bool) -> None:
    raw.server.reset(plan=plan)
    response = raw("POST", json={**A, "ttl": ttl})
    assert response.status_code == (200 if allowed else 400)
    assert allowed or response.json()["errors"][0]["code"] == 9021


@pytest.mark.parametrize("content", ["1.1", "256.1.1.1", "01.2.3.4", "::1", "name", "192.0.2.1 "])
def test_a_malformed_ipv4_address_is_refused(raw: Raw, content: str) -> None:
    assert raw.refusal("POST", json={**A, "content": content}) == (400, 9005)


def test_ipv6_address_is_refused_or_canonical(raw: Raw) -> None:
    assert raw.refusal("POST", json={**A, "type": "AAAA"}) == (400, 9006)
    assert raw.result("POST", json={**A, "type": "AAAA", "content": "2001:DB8:0::1"})["content"] == "2001:db8::1"


@pytest.mark.parametrize(
    "content",
    ["10.0.0.1", "172.31.0.1", "192.168.1.1", "100.64.0.1", "127.0.0.1", "169.254.1.1", "0.0.0.0", "104.16.0.1"],
)
def test_a_target_that_the_edge_cannot_reach_is_not_proxied(raw: Raw, content: str) -> None:
    assert raw.refusal("POST", json={**A, "content": content, "proxied": True}) == (400, 9003)
    assert raw.result("POST", json={**A, "content": content})["content"] == content


@pytest.mark.parametrize("content", ["192.0.2.9", "198.51.100.9", "203.0.113.9", "8.8.8.8"])
def test_public_and_documentation_addresses_are_proxied(raw: Raw, content: str) -> None:
    assert raw.result("POST", json={**A, "content": content, "proxied": True})["proxied"] is True


def test_a_private_ipv6_target_and_other_types_are_not_proxied(raw: Raw) -> None:
    assert raw.refusal("POST", json={**A, "type": "AAAA", "content": "fd00::1", "proxied": True}) == (400, 9003)
    assert raw.refusal("POST", json={**A, "type": "TXT", "proxied": True}) == (400, 9041)


@pytest.mark.parametrize(
    "body",
    [
        [],
        None,
        "text",
        {},
        {**A, "type": None},
        {**A, "type": "SPF"},
        {**A, "type": 1},
        {**A, "name": ""},
        {**A, "name": 5},
        {**A, "content": None},
        {**A, "content": ""},
        {**A, "ttl": "120"},
        {**A, "ttl": True},
        {**A, "proxied": "true"},
        {**A, "tags": "a:b"},
        {**A, "tags": [1]},
        {**A, "tags": ["no good:x"]},
        {**A, "comment": 1},
        {**A, "comment": "two\nlines"},
        {**A, "settings": []},
        {**A, "type": "MX", "content": "mail.example.com"},
        {**A, "type": "SRV"},
    ],
)
def test_a_malformed_body_is_refused(raw: Raw, body: Any) -> None:
    content = json.dumps(body).encode()
    assert raw.refusal("POST", content=content, headers={"content-type": "application/json"}) == (400, 9207)


def test_what_is_no_json_is_refused(raw: Raw) -> None:
    assert raw.refusal("POST", content=b"{", headers={"content-type": "application/json"}) == (400, 9207)
    assert raw.refusal("POST", headers={"content-type": "application/json"}) == (400, 9207)


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/x-www-form-urlencoded"])
def test_another_content_type_is_refused(raw: Raw, content_type: str) -> None:
    response = raw("POST", content=b"{}", headers={"content-type": content_type})
    error = response.json()["errors"][0]
    assert (response.status_code, error["code"], error["error_chain"][0]["code"]) == (400, 6003, 6105)


@pytest.mark.parametrize(("plan", "limit"), [("free", 100), ("pro", 500)])
def test_the_length_of_a_comment_depends_on_the_plan(raw: Raw, plan: PlanName, limit: int) -> None:
    raw.server.reset(plan=plan)
    assert raw.result("POST", json={**A, "comment": "ü" * limit})["comment"] == "ü" * limit
    response = raw("POST", json={**A, "name": "b", "comment": "x" * (limit + 1)})
    message = f"DNS record comment exceeds the maximum length of {limit} characters."
    assert response.json()["errors"] == [{"code": 9313, "message": message}]


def test_the_length_of_a_comment_may_be_counted_in_bytes(raw: Raw) -> None:
    raw.server.reset(plan="free", quirks=Quirks(comment_counts_bytes=True))
    assert raw.refusal("POST", json={**A, "comment": "ü" * 51}) == (400, 9313)


def test_tags_are_for_paid_plans(raw: Raw) -> None:
    assert raw.result("POST", json={**A, "tags": [f"t{n}" for n in range(20)]})
    assert raw.refusal("POST", json={**A, "tags": [f"t{n}" for n in range(21)]}) == (400, 9300)
    raw.server.reset(plan="free")
    response = raw("POST", json={**A, "tags": ["a:b"]})
    assert response.json()["errors"] == [{"code": 9300, "message": "DNS record has 1 tags, exceeding the quota of 0."}]


def test_a_second_address_is_a_second_record(raw: Raw) -> None:
    first = raw.result("POST", json=A)
    second = raw.result("POST", json={**A, "content": "192.0.2.2"})
    assert first["id"] != second["id"]
    assert len(raw.server.records()) == 2


def test_an_identical_record_is_refused_whatever_else_differs(raw: Raw) -> None:
    raw.result("POST", json=A)
    assert raw.refusal("POST", json={**A, "proxied": True, "comment": "x", "ttl": 60}) == (400, 81058)


def test_a_different_proxied_flag_may_make_another_record(raw: Raw) -> None:
    raw.server.reset(quirks=Quirks(identical_includes_proxied=True))
    raw.result("POST", json=A)
    assert raw.refusal("POST", json=A) == (400, 81058)
    raw.result("POST", json={**A, "proxied": True})


@pytest.mark.parametrize(
    ("there", "new", "code"),
    [
        ("A", "CNAME", 81053),
        ("AAAA", "CNAME", 81053),
        ("CNAME", "A", 81054),
        ("CNAME", "AAAA", 81054),
        ("NS", "A", 81056),
        ("TXT", "NS", 81056),
    ],
)
def test_types_that_cannot_share_a_name(raw: Raw, there: str, new: str, code: int) -> None:
    contents = {"A": "192.0.2.1", "AAAA": "2001:db8::1", "CNAME": "t.example.net", "NS": "ns.example.net", "TXT": "t"}
    raw.server.seed("www", contents[there], type=there, proxied=False)
    assert raw.refusal("POST", json={**A, "type": new, "content": contents[new]}) == (400, code)


def test_a_second_cname_is_refused(raw: Raw) -> None:
    raw.server.seed("www", "one.example.net", type="CNAME")
    assert raw.refusal("POST", json={**A, "type": "CNAME", "content": "two.example.net"}) == (400, 81053)


def test_types_that_share_a_name(raw: Raw) -> None:
    raw.server.seed("www", "text", type="TXT", proxied=False)
    raw.server.seed("www", "2001:db8::1", type="AAAA")
    raw.result("POST", json=A)


def test_combined_content_is_limited(raw: Raw) -> None:
    text = {**A, "type": "TXT"}
    raw.result("POST", json={**text, "content": "x" * 8000})
    raw.result("POST", json={**text, "content": "y" * 192})
    assert raw.refusal("POST", json={**text, "content": "z"}) == (400, 83011)


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_change_that_would_coincide_with_another_record_is_refused(raw: Raw, method: str) -> None:
    raw.server.seed("www", "192.0.2.1")
    other = raw.server.seed("www", "192.0.2.2")
    assert raw.refusal(method, other, json=A) == (400, 81058)
    assert raw.server.history == []


def test_put_overwrites_with_defaults(raw: Raw) -> None:
    record_id = raw.server.seed("www", "192.0.2.1", comment="mine", tags=["a:b"])
    record = raw.result("PUT", record_id, json={"type": "A", "name": "www", "content": "192.0.2.2"})
    assert (record["proxied"], record["ttl"], record["comment"], record["tags"]) == (False, 1, None, [])
    for missing in ("type", "name", "content"):
        body = {name: value for name, value in A.items() if name != missing}
        assert raw.refusal("PUT", record_id, json=body) == (400, 9207)


def test_patch_changes_only_what_is_given(raw: Raw) -> None:
    record_id = raw.server.seed("www", "192.0.2.1", comment="mine")
    before = raw.result("GET", record_id)
    record = raw.result("PATCH", record_id, json={"content": "192.0.2.2"})
    assert record == {**before, "content": "192.0.2.2", "modified_on": record["modified_on"]}
    assert raw.result("PATCH", record_id, json={"comment": ""})["comment"] is None


def test_stamps_move_with_what_they_belong_to(raw: Raw) -> None:
    now = datetime(2026, 1, 31, tzinfo=UTC)
    raw.server.reset(clock=lambda: now)
    record_id = raw.server.seed("www", "192.0.2.1", comment="mine", created_on=now - timedelta(days=2))
    record = raw.result("PATCH", record_id, json={"content": "192.0.2.2"})
    assert record["created_on"] == record["comment_modified_on"] == "2026-01-29T00:00:00.000000Z"
    assert record["modified_on"] == "2026-01-31T00:00:00.000000Z"
    assert raw.result("PATCH", record_id, json={"comment": "ours"})["comment_modified_on"] == record["modified_on"]


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_seeded_record_was_last_written_when_it_was_made_or_later(raw: Raw, method: str) -> None:
    made, written, now = (datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3))
    raw.server.reset(clock=lambda: now)
    raw.server.seed("old", "192.0.2.1", created_on=made)
    both = raw.server.seed("both", "192.0.2.1", created_on=made, modified_on=written)
    raw.server.seed("new", "192.0.2.1")
    raw.server.seed("touched", "192.0.2.1", modified_on=written)
    assert [(record["created_on"][9:10], record["modified_on"][9:10]) for record in raw.result("GET")] == [
        ("1", "1"),
        ("1", "2"),
        ("3", "3"),
        ("3", "2"),
    ]
    record = raw.result(method, both, json={**A, "name": "both", "content": "192.0.2.2"})
    assert (record["created_on"][9:10], record["modified_on"][9:10]) == ("1", "3")


def test_a_patch_that_changes_nothing_may_leave_the_record_untouched(raw: Raw) -> None:
    raw.server.reset(quirks=Quirks(noop_patch_touches=False))
    record_id = raw.server.seed("www", "192.0.2.1")
    before = raw.result("GET", record_id)
    assert raw.result("PATCH", record_id, json={"content": "192.0.2.1"}) == before
    assert raw.server.history == []


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_the_type_cannot_change(raw: Raw, method: str) -> None:
    record_id = raw.server.seed("www", "192.0.2.1", proxied=False)
    body = {**A, "type": "AAAA", "content": "2001:db8::1"}
    assert raw.refusal(method, record_id, json=body) == (400, 9207)


def test_a_second_delete_finds_nothing(raw: Raw) -> None:
    record_id = raw.server.seed("www", "192.0.2.1")
    assert raw.result("DELETE", record_id) == {"id": record_id}
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        assert raw.refusal(method, record_id, json=A) == (404, 81044)
    assert raw.refusal("GET", "no-id") == (404, 7003)


def test_the_quota_counts_all_types_and_leaves_changes_alone(raw: Raw) -> None:
    raw.server.reset(quota=2)
    record_id = raw.server.seed("a", "text", type="TXT", proxied=False)
    raw.result("POST", json=A)
    assert raw.refusal("POST", json={**A, "name": "b"}) == (400, 81045)
    raw.result("PATCH", record_id, json={"content": "other"})
    assert raw.result("GET", "usage") == {"record_quota": 2, "record_usage": 2}


@pytest.mark.parametrize(("plan", "quota"), [("free", 200), ("pro", 3500), ("business", 3500), ("enterprise", 3500)])
def test_usage_tells_the_quota_of_the_plan(raw: Raw, plan: PlanName, quota: int) -> None:
    raw.server.reset(plan=plan)
    assert raw.result("GET", "usage") == {"record_quota": quota, "record_usage": 0}


def test_export_is_a_bind_file(server: CloudflareServer, raw: Raw) -> None:
    server.seed("www", "192.0.2.1", comment="mine")
    server.seed("@", "v=spf1 -all", type="TXT", proxied=False, ttl=3600)
    response = raw("GET", "export")
    assert response.headers["content-type"].startswith("text/plain")
    assert response.text.splitlines() == [
        ";; Domain: example.com.",
        "",
        ";; A Records",
        "www.example.com.\t1\tIN\tA\t192.0.2.1 ; mine cf_tags=cf-proxied:true",
        "",
        ";; TXT Records",
        'example.com.\t3600\tIN\tTXT\t"v=spf1 -all" ; cf_tags=cf-proxied:false',
    ]


def test_import_is_left_out(raw: Raw) -> None:
    assert raw.refusal("POST", "import", files={"file": b""}) == (501, 7000)


def test_older_readings_of_the_same_refusals(raw: Raw) -> None:
    raw.server.reset(quirks=Quirks(wrap_validation_errors=True, identical_code=81057, address_beside_cname_code=81053))
    raw.server.seed("www", "192.0.2.1")
    raw.server.seed("alias", "t.example.net", type="CNAME")
    error = raw("POST", json={**A, "content": "1.1"}).json()["errors"][0]
    assert (error["code"], error["message"]) == (1004, "DNS Validation Error")
    assert [cause["code"] for cause in error["error_chain"]] == [9005]
    assert raw.refusal("POST", json=A) == (400, 81057)
    assert raw.refusal("POST", json={**A, "name": "alias"}) == (400, 81053)


def test_stricter_readings_of_a_body(raw: Raw) -> None:
    raw.server.reset(quirks=Quirks(outside_name_refused=True, trailing_dot_refused=True, ttl_required=True))
    assert raw.refusal("POST", json={**A, "name": "a.other.org"}) == (400, 9000)
    assert raw.refusal("POST", json={**A, "name": "www.example.com."}) == (400, 9000)
    assert raw.refusal("POST", json={name: A[name] for name in ("type", "name", "content")}) == (400, 9207)
    raw.result("POST", json={**A, "name": "deep.www.example.com"})
