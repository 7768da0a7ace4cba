"""The Cloudflare adapter against the server, under every reading of what is uncertain."""

import gzip
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from controller.cloudflare.records import CloudflareRecords, CloudflareWriter, parse_record
from controller.cloudflare.reply import Reply as Answer
from controller.errors import (
    AmbiguousError,
    AuthenticationError,
    ObservationError,
    TerminalError,
    ThrottledError,
    TransientError,
)
from controller.model import DnsRecord, Mode, Request
from controller.runtime.budget import Budget, SystemClock
from controller.sandbox.cloudflare import QUIRK_SETS, Permission, Proceed, Quirks, Reply
from controller.sandbox.cloudflare import Request as Sent
from tests.support.build import MARK, OTHER, STUDENT, TEACHER, create, delete, name, update
from tests.support.clock import FastClock
from tests.support.servers import Clouds, refusal

EVERY_READING = pytest.mark.parametrize("quirks", QUIRK_SETS.values(), ids=QUIRK_SETS)


def reader(clouds: Clouds, **changes: str) -> CloudflareRecords:
    controller = clouds.controller(**changes)
    return CloudflareRecords(controller.api, controller.settings, Budget(SystemClock(), 60), controller.zone)


def writer(clouds: Clouds, **changes: str) -> CloudflareWriter:
    controller = clouds.controller(**changes)
    return CloudflareWriter(controller.api, controller.settings, Budget(SystemClock(), 60))


@EVERY_READING
def test_a_listing_brings_every_record_once_whatever_the_page_size(judged: Clouds, quirks: Quirks) -> None:
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
def test_a_few_names_are_listed_by_name_and_many_by_one_listing(judged: Clouds, quirks: Quirks) -> None:
    judged.reset(quirks=quirks)
    ids = [f"i-{number:08x}" for number in range(60)]
    for instance in ids:
        judged.seed(instance, "192.0.2.1")
    records = reader(judged)
    for count in (1, 2, 40, 41, 59):
        judged.cloudflare.requests.clear()
        assert {record.instance for record in records.listing(ids[:count]).records} == set(ids[:count])
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
def test_a_time_that_cannot_be_read_makes_no_record_old(moment: object) -> None:
    def written(**times: object) -> datetime | None:
        parsed = parse_record({"id": "1", "name": name(TEACHER), "type": "A", "content": "", **times}, "example.com")
        assert parsed
        return parsed[0].written_on

    assert written(created_on=moment, modified_on=moment) is None
    noon = "2026-01-31T12:00:00Z"
    assert written(created_on=noon, modified_on=moment) == written(created_on=moment, modified_on=noon) is not None


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
    assert all(record.comment.startswith(MARK) for record in written), "a patch keeps the comment that it does not name"
    assert judged.records() == {name(STUDENT): ["192.0.2.3"], name(OTHER): ["192.0.2.4"]}


def test_creates_send_ttl_120_and_proxied_and_there_is_never_a_put(judged: Clouds) -> None:
    writer(judged).write([create()])
    (exchange,) = judged.cloudflare.requests
    body = exchange.request.json
    assert isinstance(body, dict)
    assert (exchange.request.method, list(body)) == ("POST", ["posts"])
    assert (body["posts"][0]["ttl"], body["posts"][0]["proxied"], body["posts"][0]["type"]) == (120, True, "A")


def test_the_zone_tells_its_name_and_its_plan_decides_the_batch(clouds: Clouds) -> None:
    assert (reader(clouds).zone().name, reader(clouds).zone().batch_limit) == ("example.com", 3500)
    clouds.reset(plan="free")
    assert reader(clouds).zone().batch_limit == 200


def test_a_token_that_may_not_read_the_zone_is_no_error(clouds: Clouds) -> None:
    token = clouds.cloudflare.add_token([Permission.DNS_WRITE])
    zone = reader(clouds, CLOUDFLARE_API_TOKEN=token).zone()
    assert (zone.name, zone.batch_limit) == (None, 200)


def test_a_zone_that_fails_is_not_taken_for_one_that_may_not_be_read(clouds: Clouds) -> None:
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


def test_a_wrong_zone_id_is_terminal_and_named(clouds: Clouds) -> None:
    with pytest.raises((TerminalError, ObservationError)) as caught:
        clouds.controller(ZONE_ID="f" * 32).run(Request(Mode.PLAN), 30)
    assert "403" in str(caught.value) or "ZONE_ID" in str(caught.value)


@pytest.mark.parametrize(
    "reading", ["403 10000", "401 10000", "400 9106"], ids=["forbidden", "unauthorized", "bad-request"]
)
def test_a_wrong_token_is_told_at_once_and_never_printed(clouds: Clouds, reading: str) -> None:
    clouds.reset(quirks=Quirks(wrong_token_on_records=reading))  # type: ignore[arg-type]
    with pytest.raises(AuthenticationError) as caught:
        reader(clouds, CLOUDFLARE_API_TOKEN="cfut_wrong").listing()
    assert "Zone > DNS > Edit" in str(caught.value)
    assert "look at CLOUDFLARE_API_TOKEN and at ZONE_ID." in str(caught.value)
    assert "cfut_wrong" not in str(caught.value)
    assert len(clouds.cloudflare.requests) == 1


def test_a_page_that_is_shorter_than_it_says_is_no_listing(clouds: Clouds) -> None:
    clouds.seed(TEACHER, "192.0.2.1")

    def cut(request: Sent, proceed: Proceed) -> Reply:
        body = proceed().json
        assert isinstance(body, dict)
        return Reply.of(200, {**body, "result": []})

    clouds.cloudflare.intercept = cut
    with pytest.raises(ObservationError, match="Cannot read Cloudflare"):
        clouds.controller().run(Request(Mode.PLAN), 1.5)


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
def test_when_little_of_the_users_budget_is_left_the_next_call_waits(
    clouds: Clouds, limits: str, policy: str, waits: float
) -> None:
    records = reader(clouds)
    clouds.cloudflare.intercept = lambda request, proceed: budget_header(limits, policy)
    records.listing()
    clouds.cloudflare.intercept = None
    if waits <= 1:
        records.listing()
        return
    with pytest.raises(ThrottledError) as caught:
        CloudflareRecords(records.api, records.settings, Budget(SystemClock(), 2), records.cache).listing()
    assert waits - 1 < (caught.value.retry_after or 0) <= waits
    assert len(clouds.cloudflare.requests) == 1


@pytest.mark.parametrize("info", [{"per_page": 0, "count": 0}, {"per_page": 1, "count": 1}])
def test_a_listing_that_never_ends_is_given_up(clouds: Clouds, info: dict[str, int]) -> None:
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


def test_a_refusal_shows_code_message_and_no_control_characters(clouds: Clouds) -> None:
    clouds.cloudflare.intercept = lambda request, proceed: refusal(400, 9999, "odd\x1b[2J\nthing")
    with pytest.raises(Exception, match=r"9999 odd \[2J thing"):
        reader(clouds).listing()


def test_a_record_is_written_anew_by_each_update(clouds: Clouds) -> None:
    moment = datetime.now(UTC) - timedelta(minutes=7)
    record = clouds.seed(TEACHER, "192.0.2.1", created_on=moment)
    (seen,) = reader(clouds).listing().records
    assert seen.created_on == moment
    writer(clouds).write([update(TEACHER, "192.0.2.2", id=record)])
    (again,) = reader(clouds).listing().records
    assert again.created_on == moment
    assert again.written_on
    assert again.written_on > moment


def test_a_refused_token_from_the_secret_is_named_by_its_key(clouds: Clouds) -> None:
    clouds.aws.make_secret("cfut_wrong")
    with pytest.raises(
        AuthenticationError, match="look at CLOUDFLARE_TOKEN in the secret prod/elephant/cloudflare and at ZONE_ID"
    ):
        reader(clouds).listing()


@pytest.mark.parametrize("charset", ["utf-16", "undefined", "idna", "rot13", "hex", "no-such"])
def test_an_error_page_may_name_any_charset(clouds: Clouds, charset: str) -> None:
    page = "<h1>Bad gateway</h1>"
    clouds.cloudflare.intercept = lambda request, proceed: Reply.text(502, page, f"text/html; charset={charset}")
    with pytest.raises(AmbiguousError, match=r"502 .*Bad gateway"):
        writer(clouds).write([create()])


def test_the_token_is_in_no_repr() -> None:
    reply = Answer("GET", "/", httpx.Response(200), Budget(SystemClock(), 1), "s3cret", "TOKEN")
    assert "s3cret" not in repr(reply)


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
