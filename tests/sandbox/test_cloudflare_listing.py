from urllib.parse import urlencode

import pytest

from controller.sandbox.cloudflare import CloudflareServer, Quirks
from tests.sandbox.conftest import Raw


@pytest.fixture
def zone(server: CloudflareServer) -> CloudflareServer:
    server.seed("alpha", "192.0.2.1", comment="Owned by X", tags=["team:dns", "tier:1"])
    server.seed("beta", "192.0.2.2", proxied=False, ttl=300, tags=["team:web"])
    server.seed("gamma", "192.0.2.3", comment="by hand")
    server.seed("note", "some text", type="TXT", proxied=False)
    return server


def names(raw: Raw, query: str) -> list[str]:
    return [record["name"].removesuffix(".example.com") for record in raw.result("GET", "", params=query)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "alpha beta gamma note"),
        ("name=alpha.example.com", "alpha"),
        ("name=ALPHA.Example.com", "alpha"),
        ("name=alpha", ""),
        ("name.exact=beta.example.com", "beta"),
        ("name.contains=AMM", "gamma"),
        ("name.startswith=be", "beta"),
        ("name.endswith=a.example.com", "alpha beta gamma"),
        ("content=192.0.2.2", "beta"),
        ("content.startswith=192", "alpha beta gamma"),
        ("content.contains=TEXT", "note"),
        ("content.endswith=.3", "gamma"),
        ("comment=owned by x", "alpha"),
        ("comment.exact=by hand", "gamma"),
        ("comment.contains=BY", "alpha gamma"),
        ("comment.startswith=by", "gamma"),
        ("comment.endswith=x", "alpha"),
        ("comment.present=false", "alpha gamma"),
        ("comment.absent", "beta note"),
        ("tag=team", "alpha beta"),
        ("tag=team:WEB", "beta"),
        ("tag.present=tier", "alpha"),
        ("tag.absent=team", "gamma note"),
        ("tag.exact=team:dns", "alpha"),
        ("tag.contains=team:n", "alpha"),
        ("tag.startswith=team:w", "beta"),
        ("tag.endswith=team:b", "beta"),
        ("tag=team:dns&tag=team:web", ""),
        ("tag=team:dns&tag=team:web&tag_match=any", "alpha beta"),
        ("type=TXT", "note"),
        ("type=txt", ""),
        ("proxied=true", "alpha gamma"),
        ("proxied=false", "beta note"),
        ("proxied=false&type=A", "beta"),
        ("match=any&proxied=true&type=TXT", "alpha gamma note"),
        ("match=any&name=alpha.example.com&name=beta.example.com", "alpha beta"),
        ("name=alpha.example.com&name=beta.example.com", ""),
        ("match=any&type=TXT&tag=team:dns", "alpha note"),
        ("search=hand", "gamma"),
        # Removed in 2025: these look for exactly this text now.
        ("name=contains:alpha", ""),
        ("name=starts_with:alpha", ""),
        ("type=contains:A", ""),
        ("name=alpha.example.com,beta.example.com", ""),
        # What the API does not know, it ignores.
        ("name.like=a&include_shadow_metadata=true", "alpha beta gamma note"),
    ],
)
def test_filters(zone: CloudflareServer, raw: Raw, query: str, found: str) -> None:
    assert sorted(names(raw, query)) == sorted(found.split())


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ("order=type", "alpha beta gamma note"),
        ("order=name&direction=desc", "note gamma beta alpha"),
        ("order=content", "alpha beta gamma note"),
        ("order=ttl&direction=desc", "beta alpha gamma note"),
        ("order=proxied", "beta note alpha gamma"),
    ],
)
def test_orders(zone: CloudflareServer, raw: Raw, order: str, found: str) -> None:
    assert names(raw, order) == found.split()


@pytest.mark.parametrize(
    "query",
    ["order=id", "direction=up", "match=some", "proxied=maybe", "page=0", "page=x", "per_page=0", "per_page=-5"],
)
def test_a_malformed_parameter_is_refused(raw: Raw, query: str) -> None:
    assert raw.refusal("GET", params=query)[0] == 400


def page(raw: Raw, **parameters: int) -> tuple[int, dict[str, int]]:
    body = raw("GET", "", params=urlencode(parameters)).json()
    return len(body["result"]), body["result_info"]


def test_pages(zone: CloudflareServer, raw: Raw) -> None:
    assert page(raw) == (4, {"page": 1, "per_page": 100, "count": 4, "total_count": 4, "total_pages": 1})
    assert page(raw, per_page=3, page=2) == (
        1,
        {"page": 2, "per_page": 3, "count": 1, "total_count": 4, "total_pages": 2},
    )


def test_a_page_past_the_end_is_empty(zone: CloudflareServer, raw: Raw) -> None:
    count, info = page(raw, per_page=3, page=9)
    assert (count, info["count"], info["total_pages"]) == (0, 0, 2)


def test_an_empty_zone_has_no_page_at_all(raw: Raw) -> None:
    assert page(raw) == (0, {"page": 1, "per_page": 100, "count": 0, "total_count": 0, "total_pages": 0})


def test_a_page_larger_than_the_limit_is_capped_silently(zone: CloudflareServer, raw: Raw) -> None:
    zone.reset(quirks=Quirks(per_page_cap=2))
    for number in range(3):
        zone.seed(f"n{number}", "192.0.2.1")
    assert page(raw, per_page=5000) == (
        2,
        {"page": 1, "per_page": 2, "count": 2, "total_count": 3, "total_pages": 2},
    )


def test_capped_page_may_echo_the_size_that_was_asked_for(zone: CloudflareServer, raw: Raw) -> None:
    zone.reset(quirks=Quirks(per_page_cap=2, per_page_echoed=True))
    for number in range(3):
        zone.seed(f"n{number}", "192.0.2.1")
    assert page(raw, per_page=5000) == (
        2,
        {"page": 1, "per_page": 5000, "count": 2, "total_count": 3, "total_pages": 2},
    )


def test_result_of_an_empty_page_may_be_null(raw: Raw) -> None:
    raw.server.reset(quirks=Quirks(null_for_empty=True))
    assert raw.result("GET") is None
    raw.server.seed("a", "192.0.2.1")
    assert names(raw, "") == ["a"]


def test_the_total_may_be_that_of_the_whole_zone(raw: Raw) -> None:
    raw.server.reset(quirks=Quirks(total_count_filtered=False, total_pages_missing=True))
    raw.server.seed("a", "192.0.2.1")
    raw.server.seed("b", "text", type="TXT", proxied=False)
    body = raw("GET", params={"type": "A"}).json()
    assert body["result_info"] == {"page": 1, "per_page": 100, "count": 1, "total_count": 2}


def test_page_zero_may_be_the_first(raw: Raw) -> None:
    raw.server.reset(quirks=Quirks(page_zero_refused=False))
    raw.server.seed("a", "192.0.2.1")
    assert names(raw, "page=0") == ["a"]


def test_records_equal_in_the_order_may_change_places_between_pages(raw: Raw) -> None:
    raw.server.reset(quirks=Quirks(unstable_ties=True))
    for name in "abc":
        raw.server.seed(name, "192.0.2.1")
    assert names(raw, "per_page=2") != names(raw, "per_page=2")
    assert names(raw, "order=name") == names(raw, "order=name") == ["a", "b", "c"]


def test_a_record_deleted_between_two_pages_hides_another(zone: CloudflareServer, raw: Raw) -> None:
    first = raw.result("GET", params="order=name&per_page=2")
    zone.remove(first[0]["id"])
    assert names(raw, "order=name&per_page=2&page=2") == ["note"]


def test_a_listing_may_be_stale_for_a_number_of_calls(raw: Raw) -> None:
    raw.server.reset(quirks=Quirks(stale_listings=2))
    raw.server.seed("a", "192.0.2.1")
    body = {"type": "A", "name": "b", "content": "192.0.2.2", "ttl": 1}
    raw.result("POST", json=body)
    raw.result("POST", json={**body, "name": "c"})
    assert [names(raw, "") for _ in range(3)] == [["a"], ["a"], ["a", "b", "c"]]


def test_so_many_listings_lag_behind_whoever_writes(zone: CloudflareServer, raw: Raw) -> None:
    zone.lag(listings=2)
    made = raw.result("POST", json={"type": "A", "name": "new", "content": "192.0.2.9", "ttl": 1})
    zone.remove(raw.result("GET", params="name=alpha.example.com")[0]["id"])
    assert names(raw, "order=name") == ["alpha", "beta", "gamma", "note"]
    assert names(raw, "order=name") == ["beta", "gamma", "new", "note"]
    assert raw.result("GET", made["id"]) == made


def test_while_listings_lag_writes_and_their_answers_are_of_the_truth(zone: CloudflareServer, raw: Raw) -> None:
    zone.lag()
    old = raw.result("GET", params="name=beta.example.com")[0]
    changed = raw.result("POST", "batch", json={"patches": [{"id": old["id"], "content": "192.0.2.9"}]})["patches"][0]
    assert changed["content"] == raw.result("GET", old["id"])["content"] == "192.0.2.9"
    assert raw.result("GET", params="name=beta.example.com") == [old]
    raw.result("DELETE", old["id"])
    assert raw.refusal("PATCH", old["id"], json={"content": "192.0.2.8"}) == (404, 81044)
    zone.lag(0)
    assert names(raw, "name=beta.example.com") == []


def test_all_pages_of_a_listing_lag_alike_and_count_once(zone: CloudflareServer, raw: Raw) -> None:
    zone.lag(listings=1)
    zone.seed("aaa", "192.0.2.9")
    assert names(raw, "order=name&per_page=2") == ["alpha", "beta"]
    assert names(raw, "order=name&per_page=2&page=2") == ["gamma", "note"]
    assert names(raw, "order=name&per_page=2") == ["aaa", "alpha"]
    assert names(raw, "order=name&per_page=2&page=2") == ["beta", "gamma"]


def test_a_reset_ends_the_lag(zone: CloudflareServer, raw: Raw) -> None:
    zone.lag()
    zone.reset()
    zone.seed("new", "192.0.2.9")
    assert names(raw, "") == ["new"]


def test_the_lag_of_every_write_does_not_shorten_another(raw: Raw) -> None:
    raw.server.reset(quirks=Quirks(stale_listings=1))
    raw.server.lag(listings=3)
    raw.result("POST", json={"type": "A", "name": "b", "content": "192.0.2.2", "ttl": 1})
    assert [names(raw, "") for _ in range(4)] == [[], [], [], ["b"]]
