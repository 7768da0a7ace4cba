from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller.sandbox.cloudflare import CloudflareServer, PlanName, Quirks
from tests.sandbox.conftest import Raw


def a(name: str, content: str = "192.0.2.1", **more: object) -> dict[str, object]:
    return {"type": "A", "name": name, "content": content, "ttl": 120, "proxied": True, **more}


def test_batch_runs_deletes_patches_puts_then_posts(raw: Raw) -> None:
    gone, patched, put = (raw.server.seed(name, "192.0.2.1") for name in ("gone", "patched", "put"))
    body = {
        "posts": [a("gone", "192.0.2.9"), a("new")],
        "puts": [{"id": put, **a("patched", "192.0.2.1")}],
        "patches": [{"id": patched, "content": "192.0.2.2"}],
        "deletes": [{"id": gone}],
    }
    raw.result("POST", "batch", json=body)
    assert [write.operation for write in raw.server.history] == ["delete", "update", "update", "create", "create"]
    assert {write.request for write in raw.server.history} == {1}


def test_the_answer_holds_complete_records_deleted_ones_included(raw: Raw) -> None:
    kept, gone = raw.server.seed("kept", "192.0.2.1", comment="mine"), raw.server.seed("gone", "192.0.2.2")
    before = {record["id"]: record for record in raw.server.records()}
    body = {"deletes": [{"id": gone}], "patches": [{"id": kept, "content": "192.0.2.3"}], "posts": [a("new")]}
    result = raw.result("POST", "batch", json=body)
    after = {record["name"]: record for record in raw.server.records()}
    assert result == {
        "deletes": [before[gone]],
        "patches": [after["kept.example.com"]],
        "puts": None,
        "posts": [after["new.example.com"]],
    }


@pytest.mark.parametrize(
    ("reading", "absent"),
    [("null", {"deletes": None, "patches": None, "puts": None}), ("missing", {})],
)
def test_how_a_list_that_was_not_sent_comes_back(
    raw: Raw, reading: Literal["null", "missing"], absent: dict[str, None]
) -> None:
    raw.server.reset(quirks=Quirks(batch_absent_list=reading))
    result = raw.result("POST", "batch", json={"posts": [a("new")]})
    assert {name: result[name] for name in result if name != "posts"} == absent


def test_a_list_that_was_not_sent_may_come_back_empty(raw: Raw) -> None:
    raw.server.reset(quirks=Quirks(batch_absent_list="empty"))
    result = raw.result("POST", "batch", json={"posts": [a("new")], "patches": None})
    assert (result["deletes"], result["patches"], result["puts"]) == ([], [], [])


def merged(good: dict[str, Any], bad: dict[str, Any]) -> dict[str, Any]:
    """Both batches in one, the bad changes behind the good ones; what is not a list replaces one."""
    lists = {name: [*good.get(name, []), *more] for name, more in bad.items() if isinstance(more, list)}
    return {**good, **bad, **lists}


@pytest.mark.parametrize(
    ("bad", "refusal"),
    [
        ({"deletes": [{"id": "0" * 32}]}, (404, 81044)),
        ({"deletes": [{}]}, (404, 81044)),
        ({"patches": [{"id": "0" * 32, "content": "192.0.2.7"}]}, (404, 81044)),
        ({"posts": [a("bad", "1.1")]}, (400, 9005)),
        ({"posts": [a("bad", "10.0.0.1")]}, (400, 9003)),
        ({"posts": [a("twin"), a("twin")]}, (400, 81058)),
        ({"posts": "text"}, (400, 9207)),
        ({"posts": ["text"]}, (400, 9207)),
        ([], (400, 9207)),
        # The first refusal wins, and deletes come before posts.
        ({"posts": [a("bad", "1.1")], "deletes": [{"id": "0" * 32}]}, (404, 81044)),
    ],
)
def test_one_bad_change_and_nothing_is_applied(raw: Raw, bad: Any, refusal: tuple[int, int]) -> None:
    gone, changed = raw.server.seed("gone", "192.0.2.1"), raw.server.seed("changed", "192.0.2.1")
    before = raw.server.records()
    good = {"deletes": [{"id": gone}], "patches": [{"id": changed, "content": "192.0.2.2"}], "posts": [a("new")]}
    body = merged(good, bad) if isinstance(bad, dict) else bad
    response = raw("POST", "batch", json=body)
    assert (response.status_code, response.json()["errors"][0]["code"]) == refusal
    assert len(response.json()["errors"]) == 1
    assert raw.server.records() == before
    assert raw.server.history == []


def test_after_a_refused_batch_names_are_free_and_taken_as_before(raw: Raw) -> None:
    there = raw.server.seed("there", "192.0.2.1")
    body = {"deletes": [{"id": there}], "posts": [a("free"), a("bad", "1.1")]}
    assert raw.refusal("POST", "batch", json=body) == (400, 9005)
    assert raw.refusal("POST", json=a("there")) == (400, 81058)
    raw.result("POST", json=a("free"))


def test_an_id_twice_in_deletes_is_gone_the_second_time(raw: Raw) -> None:
    gone = raw.server.seed("gone", "192.0.2.1")
    assert raw.refusal("POST", "batch", json={"deletes": [{"id": gone}, {"id": gone}]}) == (404, 81044)
    assert len(raw.server.records()) == 1


def test_the_status_of_an_unknown_id_is_uncertain(raw: Raw) -> None:
    raw.server.reset(quirks=Quirks(batch_unknown_id_status=400))
    assert raw.refusal("POST", "batch", json={"deletes": [{"id": "0" * 32}]}) == (400, 81044)
    assert raw.refusal("DELETE", "0" * 32) == (404, 81044)


def test_a_put_without_proxied_turns_the_proxy_off(raw: Raw) -> None:
    record_id = raw.server.seed("www", "192.0.2.1", comment="mine")
    body = {"puts": [{"id": record_id, "type": "A", "name": "www", "content": "192.0.2.2", "ttl": 120}]}
    record = raw.result("POST", "batch", json=body)["puts"][0]
    assert (record["proxied"], record["ttl"], record["comment"]) == (False, 120, None)


def test_a_type_changes_by_delete_and_create_in_one_batch(raw: Raw) -> None:
    alias = raw.server.seed("www", "t.example.net", type="CNAME")
    raw.result("POST", "batch", json={"deletes": [{"id": alias}], "posts": [a("www")]})
    assert [record["type"] for record in raw.server.records()] == ["A"]


def test_at_the_quota_a_batch_may_add_what_it_deletes(raw: Raw) -> None:
    raw.server.reset(quota=2)
    one, two = raw.server.seed("one", "192.0.2.1"), raw.server.seed("two", "192.0.2.1")
    assert raw.refusal("POST", "batch", json={"posts": [a("three")]}) == (400, 81045)
    too_many = {"deletes": [{"id": one}], "posts": [a("three"), a("four")]}
    assert raw.refusal("POST", "batch", json=too_many) == (400, 81045)
    raw.result("POST", "batch", json={"deletes": [{"id": one}, {"id": two}], "posts": [a("three"), a("four")]})


@pytest.mark.parametrize(("plan", "limit"), [("free", 200), ("pro", 3500), ("business", 3500), ("enterprise", 3500)])
def test_the_limit_counts_all_lists_together(raw: Raw, plan: PlanName, limit: int) -> None:
    raw.server.reset(plan=plan)
    gone = [{"id": raw.server.seed(f"old{number}", "192.0.2.1")} for number in range(limit // 2)]
    posts = [a(f"new{number}") for number in range(limit - len(gone))]
    assert raw.refusal("POST", "batch", json={"deletes": gone, "posts": [*posts, a("more")]}) == (400, 9207)
    raw.result("POST", "batch", json={"deletes": gone, "posts": posts})
    assert len(raw.server.history) == limit


@pytest.mark.parametrize("body", [{}, {"posts": []}, {"deletes": [], "patches": [], "puts": [], "posts": []}])
def test_an_empty_batch_is_unspecified(raw: Raw, body: dict[str, object]) -> None:
    assert raw.refusal("POST", "batch", json=body) == (400, 9207)
    raw.server.reset(quirks=Quirks(batch_empty_refused=False))
    raw.result("POST", "batch", json=body)


def test_what_a_batch_costs_is_uncertain(raw: Raw) -> None:
    posts = {"posts": [a(f"n{number}") for number in range(10)]}
    raw.result("POST", "batch", json=posts)
    assert raw.server.budget.left == 1199
    raw.server.reset(quirks=Quirks(batch_costs_each=True))
    raw.result("POST", "batch", json=posts)
    assert raw.server.budget.left == 1190


NAMES = st.sampled_from(["a", "b", "c"])
CONTENTS = st.sampled_from(["192.0.2.1", "192.0.2.2", "10.0.0.1", "bad"])
INDEXES = st.integers(0, 5)
POSTS = st.builds(a, NAMES, CONTENTS)
BATCHES = st.fixed_dictionaries(
    {},
    optional={
        "deletes": st.lists(INDEXES, max_size=2),
        "patches": st.lists(st.tuples(INDEXES, st.fixed_dictionaries({"content": CONTENTS})), max_size=2),
        "puts": st.lists(st.tuples(INDEXES, POSTS), max_size=2),
        "posts": st.lists(POSTS, max_size=3),
    },
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(BATCHES, max_size=5))
def test_a_batch_applies_whole_or_not_at_all_and_the_history_tells_it(raw: Raw, batches: list[dict[str, Any]]) -> None:
    """Replaying the history over the seeded zone gives the zone, and a refusal leaves both as they were."""
    server = raw.server
    server.reset()
    ids = [server.seed(f"{name}{number}", "192.0.2.1") for name in "abc" for number in range(2)]
    replayed = {record["id"]: record for record in server.records()}
    for batch in batches:
        before, written = server.records(), len(server.history)
        response = raw("POST", "batch", json=with_ids(batch, ids))
        new = server.history[written:]
        if response.status_code != 200:
            assert (server.records(), new) == (before, [])
        replay(new, replayed)
    assert replayed == {record["id"]: record for record in server.records()}


def with_ids(batch: dict[str, Any], ids: list[str]) -> dict[str, Any]:
    body = {
        name: [{"id": ids[index], **fields} for index, fields in batch.get(name, [])] for name in ("patches", "puts")
    }
    return {**batch, **body, "deletes": [{"id": ids[index]} for index in batch.get("deletes", [])]}


def replay(writes: list[Any], records: dict[Any, Any]) -> None:
    for write in writes:
        if write.before:
            assert records.pop(write.before["id"]) == write.before
        if write.after:
            records[write.after["id"]] = write.after


def test_the_history_of_single_writes(server: CloudflareServer, raw: Raw) -> None:
    record = raw.result("POST", json=a("www"))
    changed = raw.result("PATCH", record["id"], json={"content": "192.0.2.2"})
    raw.result("GET")
    raw.result("DELETE", record["id"])
    told = [(write.operation, write.before, write.after, write.request) for write in server.history]
    assert told == [
        ("create", None, record, 1),
        ("update", record, changed, 2),
        ("delete", changed, None, 4),
    ]
