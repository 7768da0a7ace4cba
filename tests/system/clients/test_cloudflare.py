"""The Cloudflare adapter against the server, under every reading of what is uncertain."""

import gzip
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from controller import __version__
from controller.cloudflare.api import GivenToken
from controller.cloudflare.records import CloudflareRecords, CloudflareWriter, parse_record
from controller.cloudflare.reply import Reply as Answer
from controller.errors import (
    AmbiguousError,
    AuthenticationError,
    ObservationError,
    RefusedError,
    TerminalError,
    TransientError,
)
from controller.model import DnsRecord, Mode, Request
from controller.runtime.budget import Budget
from controller.runtime.retry import BASE
from controller.sandbox.cloudflare import QUIRK_SETS, Permission, Proceed, Quirks, Reply
from controller.sandbox.cloudflare import Request as Sent
from tests.support.build import MARK, OTHER, STUDENT, TEACHER, create, delete, name, update
from tests.support.clock import FakeClock, FastClock
from tests.support.servers import Clouds, refusal

EVERY_READING = pytest.mark.parametrize("quirks", QUIRK_SETS.values(), ids=QUIRK_SETS)


def reader(clouds: Clouds, **changes: str) -> CloudflareRecords:
    controller = clouds.controller(**changes)
    return CloudflareRecords(controller.api, controller.settings, Budget(FastClock(), 600), controller.zone)


def writer(clouds: Clouds, **changes: str) -> CloudflareWriter:
    controller = clouds.controller(**changes)
    return CloudflareWriter(controller.api, controller.settings, Budget(FastClock(), 600))


@EVERY_READING
def test_listing_has_every_record_once_at_any_page_size(judged: Clouds, quirks: Quirks) -> None:
    judged.reset(quirks=quirks)
    ids = [f"i-{number:08x}" for number in range(250)]
    for instance in ids:
        judged.seed(instance, "192.0.2.1")
    judged.cloudflare.seed("www.example.com", "192.0.2.9")
    judged.cloudflare.seed("i-am-no-instance.example.com", "192.0.2.9")
    records = reader(judged).listing().records
    assert sorted(record.instance for record in records) == ids


def test_a_zone_of_3500_records_costs_one_call(clouds: Clouds) -> None:
    for number in range(3500):
        clouds.seed(f"i-{number:08x}", "192.0.2.1")
    records = reader(clouds)
    assert len(records.listing().records) == 3500
    assert records.budget.calls() == {"secretsmanager": 1, "cloudflare": 1}


@EVERY_READING
def test_few_names_are_listed_by_name_and_many_at_once(judged: Clouds, quirks: Quirks) -> None:
    judged.reset(quirks=quirks)
    ids = [f"i-{number:08x}" for number in range(60)]
    for instance in ids:
        judged.seed(instance, "192.0.2.1")
    records = reader(judged)
    for count in (1, 2, 40, 41, 59):
        judged.cloudflare.requests.clear()
        assert {record.instance for record in records.listing(ids[:count]).records} == set(ids[:count])
        if quirks.total_count_filtered:
            assert len(judged.cloudflare.requests) == 1


def test_records_of_every_type_at_a_name_are_seen(clouds: Clouds) -> None:
    clouds.seed(TEACHER, "192.0.2.1")
    clouds.seed(TEACHER, "2001:db8::1", type="AAAA")
    clouds.seed(TEACHER, "text", type="TXT", proxied=False)
    clouds.seed(STUDENT, "else.where", type="CNAME", comment=None)
    records = reader(clouds).listing().records
    assert {(record.instance, record.type) for record in records} == {
        (TEACHER, "A"),
        (TEACHER, "AAAA"),
        (TEACHER, "TXT"),
        (STUDENT, "CNAME"),
    }


def test_a_record_is_normalised() -> None:
    raw = {
        "id": "abc",
        "name": f"{TEACHER}.EXAMPLE.com",
        "type": "A",
        "content": "192.0.2.1",
        "proxied": True,
        "comment": None,
        "created_on": "2026-01-31T12:00:00.123456Z",
        "modified_on": "2026-01-31T13:00:00Z",
        "something": "new",
    }
    created, modified = datetime(2026, 1, 31, 12, 0, 0, 123456, UTC), datetime(2026, 1, 31, 13, tzinfo=UTC)
    assert parse_record(raw, "example.com") == (
        DnsRecord("abc", name(TEACHER), TEACHER, "A", "192.0.2.1", True, "", created, modified),
        None,
    )


@pytest.mark.parametrize("odd", [{"content": "not an address"}, {"content": None}, {"content": 5}, {"content": "1.1"}])
def test_an_odd_address_is_a_finding(odd: dict[str, object]) -> None:
    parsed = parse_record({"id": "1", "name": name(TEACHER), "type": "A", "proxied": "yes", **odd}, "example.com")
    assert parsed
    assert parsed[1]
    assert parsed[1].id == "odd-record"
    assert not parsed[0].proxied


@pytest.mark.parametrize("moment", [None, "", "yesterday", 5, "2026-01-31T12:00:00"])
def test_unreadable_time_makes_no_record_old(moment: object) -> None:
    def written(**times: object) -> datetime | None:
        parsed = parse_record({"id": "1", "name": name(TEACHER), "type": "A", "content": "", **times}, "example.com")
        assert parsed
        return parsed[0].written_on

    assert written(created_on=moment, modified_on=moment) is None
    noon = "2026-01-31T12:00:00Z"
    assert written(created_on=noon, modified_on=moment) == written(created_on=moment, modified_on=noon) is not None


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59"])
def test_zero_time_makes_no_record_old(moment: str) -> None:
    raw = {"id": "1", "name": name(TEACHER), "type": "A", "content": "", "created_on": moment, "modified_on": moment}
    parsed = parse_record(raw, "example.com")
    assert parsed
    assert parsed[0].written_on is None


@EVERY_READING
def test_a_batch_deletes_updates_and_creates(judged: Clouds, quirks: Quirks) -> None:
    judged.reset(quirks=quirks)
    gone, moved = judged.seed(TEACHER, "192.0.2.1"), judged.seed(STUDENT, "192.0.2.2", ttl=300, proxied=False)
    written = writer(judged).write(
        [
            delete(TEACHER, id=gone),
            update(STUDENT, "192.0.2.3", id=moved),
            create(OTHER, "192.0.2.4"),
        ]
    )
    assert [(record.instance, record.content, record.proxied) for record in written] == [
        (TEACHER, "192.0.2.1", True),
        (STUDENT, "192.0.2.3", True),
        (OTHER, "192.0.2.4", True),
    ]
    assert all(record.comment.startswith(MARK) for record in written), "a patch keeps a comment that it does not name"
    assert judged.records() == {name(STUDENT): ["192.0.2.3"], name(OTHER): ["192.0.2.4"]}


def test_creates_send_ttl_120_and_proxied_and_never_a_put(judged: Clouds) -> None:
    writer(judged).write([create()])
    (exchange,) = judged.cloudflare.requests
    body = exchange.request.json
    assert isinstance(body, dict)
    assert (exchange.request.method, list(body)) == ("POST", ["posts"])
    assert (body["posts"][0]["ttl"], body["posts"][0]["proxied"], body["posts"][0]["type"]) == (120, True, "A")


def test_zone_has_a_name_and_its_plan_decides_the_batch(clouds: Clouds) -> None:
    assert (reader(clouds).zone().name, reader(clouds).zone().batch_limit) == ("example.com", 3500)
    clouds.reset(plan="free")
    assert reader(clouds).zone().batch_limit == 200


@pytest.mark.parametrize(
    ("plan", "year", "quota"),
    [
        ("free", 2024, 1000),
        ("free", 2025, 200),
        ("pro", 2020, 3500),
        ("business", 2025, 3500),
        ("enterprise", 2025, None),  # as its contract says
    ],
)
def test_plan_and_age_of_a_zone_decide_its_quota(clouds: Clouds, plan: str, year: int, quota: int | None) -> None:
    clouds.reset(plan=plan, clock=lambda: datetime(year, 8, 31, tzinfo=UTC))
    assert reader(clouds).zone().quota == quota


@pytest.mark.parametrize("created_on", ["null", '"yesterday"', '"0001-01-01T00:00:00Z"'])
def test_a_free_zone_without_a_date_has_no_known_quota(clouds: Clouds, created_on: str) -> None:
    def undated(_: Sent, proceed: Proceed) -> Reply:
        reply = proceed()
        content = re.sub(rb'"created_on":"[^"]*"', f'"created_on":{created_on}'.encode(), reply.content)
        return replace(reply, content=content)

    clouds.reset(plan="free")
    clouds.cloudflare.intercept = undated
    zone = reader(clouds).zone()
    assert (zone.name, zone.quota) == ("example.com", None)


@EVERY_READING
def test_a_listing_brings_the_zone_as_far_as_it_is_known(clouds: Clouds, quirks: Quirks) -> None:
    clouds.reset(plan="free", quirks=quirks)
    clouds.seed(TEACHER, "192.0.2.1")
    clouds.cloudflare.seed("i-am-no-instance", "192.0.2.1")
    records = reader(clouds)
    first = records.listing().zone
    assert first
    assert (first.name, first.quota, first.records) == (None, None, 2), "no call was spent on it"
    records.zone()
    second = records.listing().zone
    assert second
    assert (second.name, second.quota, second.records) == ("example.com", 200, 2)


def test_token_without_zone_read_is_accepted(clouds: Clouds) -> None:
    token = clouds.cloudflare.add_token([Permission.DNS_WRITE])
    zone = reader(clouds, CLOUDFLARE_API_TOKEN=token).zone()
    assert (zone.name, zone.batch_limit) == (None, 200)


def test_failing_zone_is_not_an_unreadable_zone(clouds: Clouds) -> None:
    clouds.launch()

    def fail(request: Sent, proceed: Proceed) -> Reply:
        return proceed() if "dns_records" in request.path else Reply.html(503, "Service Unavailable")

    clouds.cloudflare.intercept = fail
    controller = replace(clouds.controller(), clock=FastClock())
    with pytest.raises(ObservationError, match=r"^Cannot read Cloudflare, .* 503 "):
        controller.run(Request(Mode.APPLY), 600)
    assert controller.zone.zone is None
    assert clouds.cloudflare.history == []


def test_the_zone_is_read_once_in_a_process(clouds: Clouds) -> None:
    records = reader(clouds)
    assert records.zone() == records.zone()
    assert len(clouds.cloudflare.requests) == 1


def test_wrong_zone_id_is_terminal_and_named(clouds: Clouds) -> None:
    with pytest.raises(AuthenticationError, match="ZONE_ID"):
        reader(clouds, ZONE_ID="f" * 32).listing()


@pytest.mark.parametrize(
    "reading", ["403 10000", "401 10000", "400 9106"], ids=["forbidden", "unauthorized", "bad-request"]
)
def test_wrong_token_is_reported_and_never_printed(clouds: Clouds, reading: Any) -> None:
    clouds.reset(quirks=Quirks(wrong_token_on_records=reading))
    with pytest.raises(AuthenticationError) as caught:
        reader(clouds, CLOUDFLARE_API_TOKEN="cfut_wrong").listing()
    assert "Zone > DNS > Edit" in str(caught.value)
    assert "look at CLOUDFLARE_API_TOKEN and at ZONE_ID." in str(caught.value)
    assert "cfut_wrong" not in str(caught.value)
    assert len(clouds.cloudflare.requests) == (2 if reading.startswith("403") else 1)


def test_page_shorter_than_its_count_is_refused(clouds: Clouds) -> None:
    """The first page of two: records come and go between pages, so the listing's total cannot show what it lacks."""
    clouds.reset(quirks=Quirks(per_page_cap=100))
    for instance in ids_of(101):
        clouds.seed(instance, "192.0.2.1")

    def cut(request: Sent, proceed: Proceed) -> Reply:
        body = proceed().json
        assert isinstance(body, dict)
        return Reply.of(200, {**body, "result": body["result"][: 1 if request.query.get("page") == "2" else -1]})

    clouds.cloudflare.intercept = cut
    with pytest.raises(TransientError, match="listing is cut: 99 of 100 records"):
        reader(clouds).listing()


def budget_header(limits: str, policy: str) -> Reply:
    body = {"success": True, "result": [], "result_info": {"count": 0, "per_page": 5000}}
    return Reply.of(200, body, ratelimit=limits, ratelimit_policy=policy)


@pytest.mark.parametrize(
    ("limits", "policy", "waits"),
    [
        ('"default";r=1100;t=250', '"default";q=1200;w=300', 0),
        ('"default";r=29;t=250', '"default";q=1200;w=300', 250),
        ('"default";r=29;t=250', "", 250),
        ('"burst";r=9;t=1, "default";r=1100;t=250', '"burst";q=200;w=1, "default";q=1200;w=300', 0),
        ('"burst";r=1;t=1, "default";r=1100;t=250', '"burst";q=200;w=1, "default";q=1200;w=300', 1),
        ("nonsense", "nonsense", 0),
        ('"default";r=' + "9" * 5000, "", 0),
    ],
)
def test_call_waits_when_little_of_the_budget_is_left(clouds: Clouds, limits: str, policy: str, waits: float) -> None:
    clock = FakeClock()
    records = replace(reader(clouds), budget=Budget(clock, 600))
    clouds.cloudflare.intercept = lambda request, proceed: budget_header(limits, policy)
    records.listing()
    clouds.cloudflare.intercept = None
    records.listing()
    assert [waits <= wait <= waits + BASE for wait in clock.slept] == [True] * bool(waits), clock.slept
    assert len(clouds.cloudflare.requests) == 2


@pytest.mark.parametrize("info", [{"per_page": 0, "count": 0}, {"per_page": 1, "count": 1}])
def test_endless_listing_fails(clouds: Clouds, info: dict[str, int]) -> None:
    record = {"id": "1", "name": name(TEACHER), "type": "A", "content": "192.0.2.1"}
    body = {"success": True, "result": [record] * info["count"], "result_info": info}
    clouds.cloudflare.intercept = lambda request, proceed: Reply.of(200, body)
    records = reader(clouds)
    if info["count"]:
        with pytest.raises(TransientError, match="repeats itself"):
            records.listing()
    else:
        assert not records.listing().records
    assert len(clouds.cloudflare.requests) <= 2


def test_strays_are_found_by_the_beginning_of_their_name(clouds: Clouds) -> None:
    clouds.cloudflare.seed(f"{TEACHER}.other.org.example.com", "192.0.2.1")
    (stray,) = writer(clouds).strays(f"{TEACHER}.other.org")
    assert stray.name == f"{TEACHER}.other.org.example.com"


def test_a_redirect_is_not_followed_with_a_token(clouds: Clouds) -> None:
    clouds.cloudflare.intercept = lambda request, proceed: Reply.text(302, "", location="http://192.0.2.1/")
    with pytest.raises(TerminalError, match="302"):
        reader(clouds).listing()


def test_refusal_shows_code_and_message_in_plain_characters(clouds: Clouds) -> None:
    clouds.cloudflare.intercept = lambda request, proceed: refusal(400, 9999, "odd\x1b[2J\nthing")
    with pytest.raises(RefusedError, match=r"9999 odd \[2J thing"):
        reader(clouds).listing()


def test_update_renews_the_time_of_a_record(clouds: Clouds) -> None:
    moment = datetime.now(UTC) - timedelta(minutes=7)
    record = clouds.seed(TEACHER, "192.0.2.1", created_on=moment)
    (seen,) = reader(clouds).listing().records
    assert seen.created_on == moment
    writer(clouds).write([update(TEACHER, "192.0.2.2", id=record)])
    (again,) = reader(clouds).listing().records
    assert again.created_on == moment
    assert again.written_on
    assert again.written_on > moment


@pytest.mark.parametrize("key", ["CLOUDFLARE_TOKEN", "CLOUDFLARE_API_TOKEN"])
def test_refused_token_of_the_secret_is_named_by_its_key(clouds: Clouds, key: str) -> None:
    clouds.aws.write_secret(json.dumps({key: "cfut_wrong"}))
    with pytest.raises(
        AuthenticationError, match=f"look at {key} in the secret prod/elephant/cloudflare and at ZONE_ID"
    ):
        reader(clouds).listing()


@pytest.mark.parametrize("charset", ["utf-16", "undefined", "idna", "rot13", "hex", "no-such"])
def test_an_error_page_may_name_any_charset(clouds: Clouds, charset: str) -> None:
    page = "<h1>Bad gateway</h1>"
    clouds.cloudflare.intercept = lambda request, proceed: Reply.text(502, page, f"text/html; charset={charset}")
    with pytest.raises(AmbiguousError, match=r"502 .*Bad gateway"):
        writer(clouds).write([create()])


def test_the_token_is_in_no_repr() -> None:
    reply = Answer("GET", "/", httpx.Response(200), Budget(FastClock(), 1), "s3cret", "TOKEN")
    assert "s3cret" not in f"{reply!r} {GivenToken('s3cret')!r}"


def test_an_answer_may_be_compressed(clouds: Clouds) -> None:
    def compress(request: Sent, proceed: Proceed) -> Reply:
        assert "gzip" in request.headers["accept-encoding"]
        reply = proceed()
        return replace(
            reply, content=gzip.compress(reply.content), headers={**reply.headers, "content-encoding": "gzip"}
        )

    clouds.seed(TEACHER, "192.0.2.1")
    clouds.cloudflare.intercept = compress
    assert [record.content for record in reader(clouds).listing().records] == ["192.0.2.1"]


def page_of(clouds: Clouds, **info: object) -> None:
    """Let every listing's ``result_info`` say this; None removes a number."""

    def edit(request: Sent, proceed: Proceed) -> Reply:
        reply = proceed()
        body = reply.json
        if not isinstance(body, dict) or "result_info" not in body:
            return reply
        changed = {key: value for key, value in {**body["result_info"], **info}.items() if value is not None}
        return Reply.of(reply.status, {**body, "result_info": changed})

    clouds.cloudflare.intercept = edit


def ids_of(count: int) -> list[str]:
    return [f"i-{number:08x}" for number in range(count)]


@pytest.mark.parametrize("per_page", [5000, 1000, 100, 101, "many", None])
def test_total_pages_end_the_listing_whatever_per_page_says(clouds: Clouds, per_page: object) -> None:
    clouds.reset(quirks=Quirks(per_page_cap=100))
    for instance in ids_of(250):
        clouds.seed(instance, "192.0.2.1")
    page_of(clouds, per_page=per_page)
    assert [record.instance for record in reader(clouds).listing().records] == ids_of(250)
    assert [exchange.query.get("page") for exchange in clouds.cloudflare.requests] == ["1", "2", "3"]


def test_full_last_page_needs_no_further_request(clouds: Clouds) -> None:
    clouds.reset(quirks=Quirks(per_page_cap=100))
    for instance in ids_of(200):
        clouds.seed(instance, "192.0.2.1")
    assert len(reader(clouds).listing().records) == 200
    assert len(clouds.cloudflare.requests) == 2


def test_empty_page_ends_the_listing_before_total_pages(clouds: Clouds) -> None:
    clouds.seed(TEACHER, "192.0.2.1")
    page_of(clouds, total_pages=3)
    assert [record.instance for record in reader(clouds).listing().records] == [TEACHER]
    assert [exchange.query.get("page") for exchange in clouds.cloudflare.requests] == ["1", "2"]


@pytest.mark.parametrize("total", [0, 1, 3, 250])
def test_only_page_with_another_total_fails_the_pass(clouds: Clouds, total: int) -> None:
    for instance in ids_of(2):
        clouds.seed(instance, "192.0.2.1")
    page_of(clouds, total_count=total)
    controller = replace(clouds.controller(), clock=FastClock())
    with pytest.raises(ObservationError, match=rf"listing is cut: 2 of {total} records"):
        controller.run(Request(Mode.APPLY), 600)
    assert clouds.cloudflare.history == []


def test_empty_page_amid_a_listing_fails_the_pass(clouds: Clouds) -> None:
    clouds.reset(quirks=Quirks(per_page_cap=100))
    for instance in ids_of(150):
        clouds.seed(instance, "192.0.2.1")

    def empty_second(request: Sent, proceed: Proceed) -> Reply:
        reply = proceed()
        body = reply.json
        assert isinstance(body, dict)
        info = {**body["result_info"], "count": 0}
        return reply if request.query.get("page") == "1" else Reply.of(200, {**body, "result": [], "result_info": info})

    clouds.cloudflare.intercept = empty_second
    with pytest.raises(TransientError, match="listing is cut: 100 of 150 records"):
        reader(clouds).listing()


def test_echoed_page_size_without_total_pages_fails_the_pass(clouds: Clouds) -> None:
    clouds.reset(quirks=Quirks(per_page_cap=100, per_page_echoed=True, total_pages_missing=True))
    for instance in ids_of(150):
        clouds.seed(instance, "192.0.2.1")
    with pytest.raises(TransientError, match="listing is cut: 100 of 150 records"):
        reader(clouds).listing()


@pytest.mark.parametrize("scope", [None, [TEACHER]], ids=["all", "one"])
def test_total_of_the_whole_zone_is_believed_with_the_whole_zone(clouds: Clouds, scope: list[str] | None) -> None:
    clouds.reset(quirks=Quirks(total_count_filtered=False))
    clouds.seed(TEACHER, "192.0.2.1")
    clouds.cloudflare.seed("www.example.com", "192.0.2.9")
    assert [record.instance for record in reader(clouds).listing(scope).records] == [TEACHER]
    first, second = clouds.cloudflare.requests
    assert "name" in first.request.target.replace("order=name", "")
    assert "name" not in second.request.target.replace("order=name", "")


def test_cut_filtered_listing_is_replaced_by_the_whole_zone(clouds: Clouds) -> None:
    for instance in ids_of(3):
        clouds.seed(instance, "192.0.2.1")

    def cut(request: Sent, proceed: Proceed) -> Reply:
        reply = proceed()
        body = reply.json
        assert isinstance(body, dict)
        if not request.query.get("name.startswith"):
            return reply
        return Reply.of(200, {**body, "result": body["result"][:1], "result_info": {**body["result_info"], "count": 1}})

    clouds.cloudflare.intercept = cut
    assert [record.instance for record in reader(clouds).listing().records] == ids_of(3)


def test_null_is_an_empty_listing_if_the_count_says_so(clouds: Clouds) -> None:
    clouds.reset(quirks=Quirks(null_for_empty=True))
    assert reader(clouds).listing().records == ()
    assert writer(clouds).strays(TEACHER) == []
    clouds.launch()
    assert clouds.apply().converged


@pytest.mark.parametrize("info", [{"count": 2, "per_page": 5000}, {"per_page": 5000}, None, [], {"count": None}])
def test_null_with_another_count_is_refused(clouds: Clouds, info: object) -> None:
    body = {"success": True, "result": None, "result_info": info}
    clouds.cloudflare.intercept = lambda request, proceed: Reply.of(200, body)
    with pytest.raises(TransientError, match="not a record"):
        reader(clouds).listing()


EDGE = Reply.html(403, "Attention Required! | Cloudflare", cf_ray="8f00-LAX")
CHALLENGE = Reply.html(403, "Just a moment...", cf_mitigated="challenge")
FIREWALL = Reply.html(403, "Blocked by policy 7")
ADDRESS = refusal(403, 9109, "Cannot use the access token from location: 192.0.2.9")
ENDING = refusal(403, 1038, "You cannot use this API for domains with a .cf, .ga, .gq, .ml, or .tk TLD.")
OLD_ENDING = Reply.of(403, {"error": "You cannot use this API for domains with a .cf, .ga, .gq, .ml, or .tk TLD."})
MALFORMED = {"code": 6003, "message": "Invalid request headers", "error_chain": [{"code": 6111, "message": "Invalid"}]}
FORBIDDEN = refusal(403, 10000, "Authentication error")
ADVICE = {
    "edge": (EDGE, "Cloudflare's edge, not its API, answered 403", "call from another address"),
    "challenge": (CHALLENGE, "Cloudflare's edge, not its API, answered 403", "whatever the token"),
    "firewall": (FIREWALL, "A proxy or firewall, not Cloudflare's API, answered 403", "The token is not the cause"),
    "empty": (Reply(403), "A proxy or firewall, not Cloudflare's API, answered 403", "check HTTPS_PROXY"),
    "json of a proxy": (Reply.of(403, {"message": "Forbidden"}), "A proxy or firewall, not", "check HTTPS_PROXY"),
    "portal": (Reply.html(401, "Log in to the network"), "A proxy or firewall, not Cloudflare's API, answered 401", ""),
    "address": (ADDRESS, "9109 Cannot use the access token from location: 192.0.2.9", "client IP address filtering"),
    "ending": (ENDING, "1038 You cannot use this API", "Take a domain with another ending"),
    "older ending": (OLD_ENDING, "You cannot use this API", "Take a domain with another ending"),
    "permission": (FORBIDDEN, "10000 Authentication error", "Zone > DNS > Edit"),
    "unknown": (refusal(403, 12345, "Something new."), "12345 Something new.", "documentation may explain the code"),
    "malformed": (Reply.of(400, {"success": False, "errors": [MALFORMED]}), "6111", "no quotes, no spaces"),
}


@pytest.mark.parametrize(("reply", "message", "hint"), ADVICE.values(), ids=ADVICE)
def test_refusal_has_its_own_cause_and_advice(clouds: Clouds, reply: Reply, message: str, hint: str) -> None:
    records = reader(clouds)
    clouds.cloudflare.intercept = lambda request, proceed: reply
    with pytest.raises(TerminalError) as caught:
        records.listing()
    assert message in caught.value.message
    assert hint in caught.value.hint
    is_about_token = isinstance(caught.value, AuthenticationError)
    assert is_about_token is not caught.value.hint.endswith(("cf-ray.", "not the cause.", "this one."))
    assert "<" not in caught.value.message, "tags of a page explain nothing"
    assert len(clouds.cloudflare.requests) == (2 if reply.status == 403 else 1)
    assert len([o for o in clouds.aws.operations() if o == "GetSecretValue"]) == (2 if is_about_token else 1)


@pytest.mark.parametrize("reply", [FORBIDDEN, EDGE, ADDRESS], ids=["permission", "edge", "address"])
def test_passing_403_costs_one_more_try(clouds: Clouds, reply: Reply) -> None:
    machine = clouds.launch()
    refused = list[str]()

    def once_for_each(request: Sent, proceed: Proceed) -> Reply:
        if f"{request.method} {request.path}" in refused:
            return proceed()
        refused.append(f"{request.method} {request.path}")
        return reply

    clouds.cloudflare.intercept = once_for_each
    report = clouds.apply()
    assert (report.converged, report.findings) == (True, ())
    assert clouds.records() == {name(machine): [clouds.address(machine)]}
    assert clouds.aws.operations().count("GetSecretValue") == 1
    assert len(refused) == 3, "the listing, the zone and the batch"


def test_403_at_the_end_of_the_pass_is_not_tried_again(clouds: Clouds) -> None:
    clouds.cloudflare.intercept = lambda request, proceed: FORBIDDEN
    clock = FastClock()
    records = replace(reader(clouds), budget=Budget(clock, 600))
    records.api._tokens.token(records.budget)
    clock.sleep(599.8)
    with pytest.raises(AuthenticationError):
        records.api.read("/zones", (), records.budget, renew=False)
    assert len(clouds.cloudflare.requests) == 1


def test_requests_name_the_tool_and_its_version(clouds: Clouds) -> None:
    clouds.launch()
    clouds.apply()
    agents = {exchange.request.headers["user-agent"] for exchange in clouds.cloudflare.requests}
    assert agents == {f"elephant-dns/{__version__}"}
