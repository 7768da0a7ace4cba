"""The Cloudflare adapter against the server, under every reading of what is uncertain."""

import gzip
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from controller import __version__
from controller.cloudflare.records import CloudflareRecords, CloudflareWriter, parse_record
from controller.errors import ObservationError
from controller.model import DnsRecord, Mode, Request
from controller.runtime.budget import Budget
from controller.runtime.retry import BASE
from controller.sandbox.cloudflare import QUIRK_SETS, Permission, Proceed, Quirks, Reply
from controller.sandbox.cloudflare import Request as Sent
from tests.support.build import MARK, OTHER, STUDENT, TEACHER, create, delete, name, update
from tests.support.clock import FakeClock, FastClock
from tests.support.servers import Clouds

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
    assert (first.name, first.quota, first.records) == (None, None, 2), "no call was spent on it"
    records.zone()
    second = records.listing().zone
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


def test_strays_are_found_by_the_beginning_of_their_name(clouds: Clouds) -> None:
    clouds.cloudflare.seed(f"{TEACHER}.other.org.example.com", "192.0.2.1")
    (stray,) = writer(clouds).strays(f"{TEACHER}.other.org")
    assert stray.name == f"{TEACHER}.other.org.example.com"


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


def test_requests_name_the_tool_and_its_version(clouds: Clouds) -> None:
    clouds.launch()
    clouds.apply()
    agents = {exchange.request.headers["user-agent"] for exchange in clouds.cloudflare.requests}
    assert agents == {f"elephant-dns/{__version__}"}
