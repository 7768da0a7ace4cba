"""Listings in pages: where one ends, and that one which is cut, repeated or empty is never taken for whole."""

from dataclasses import replace

import pytest

from controller.errors import ObservationError, TransientError
from controller.model import Mode, Request
from controller.sandbox.cloudflare import Proceed, Quirks, Reply
from controller.sandbox.cloudflare import Request as Sent
from tests.support.build import TEACHER, name
from tests.support.clock import FastClock
from tests.support.servers import Clouds
from tests.system.clients.test_cloudflare import reader, writer


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
