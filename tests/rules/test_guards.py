"""Guards: what rests on absence or a lost tag is held where there is too much of it."""

from dataclasses import replace
from typing import Any

import pytest

from controller.model import Action, DnsRecord, Instance, Meeting, World
from tests.build import (
    MARK,
    OTHER,
    STUDENT,
    TEACHER,
    decided,
    found,
    link,
    machine,
    record,
    row,
    settings,
    shown,
    world,
)


def ids(count: int) -> list[str]:
    return [f"i-{number:017x}" for number in range(count)]


def fleet(present: int, absent: int) -> World:
    machines = [machine(i, meeting=f"m{n}") for n, i in enumerate(ids(present))]
    gone = ids(present + absent)[present:]
    records = [record(i, id=f"r{n}") for n, i in enumerate(ids(present + absent))]
    return world(machines, records, absent=gone)


def test_a_few_absent_machines_pass() -> None:
    wanted = decided(fleet(present=1, absent=5))
    assert not wanted.guard.tripped
    assert not any(change.held for change in wanted.changes)


def test_one_more_than_both_limits_holds_all_of_them() -> None:
    wanted = decided(fleet(present=1, absent=6))
    assert wanted.guard.tripped
    assert "6 of 7" in (wanted.guard.reason or "")
    assert "--force" in (wanted.guard.reason or "")
    assert all(change.held for change in wanted.changes)
    assert found(wanted) == ["guarded-change-held"] * 6


def test_the_larger_of_the_two_limits_applies_and_is_not_rounded() -> None:
    percent = settings(MAX_GUARDED_DELETES="0", MAX_GUARDED_DELETE_PERCENT="20")
    assert not decided(fleet(present=40, absent=10), percent).guard.tripped, "10 of 50 are 20 %"
    assert decided(fleet(present=39, absent=10), percent).guard.tripped, "10 of 49 are more"


def test_distinct_instances_count_not_changes() -> None:
    """One machine with two records, a link and a meeting is one conclusion."""
    seen = world(
        [machine(OTHER, meeting="m2")],
        [record(id="r1"), record(id="r2", content="192.0.2.8"), record(OTHER, id="r3")],
        [row(ids={"teacher": TEACHER}, links={"teacher": link(TEACHER)})],
        absent=[TEACHER],
    )
    wanted = decided(seen, settings(MAX_GUARDED_DELETES="1", MAX_GUARDED_DELETE_PERCENT="0"))
    assert not wanted.guard.tripped
    assert shown(wanted) == [("delete-record", "record-absent")] * 2 + [("terminate-meeting", "meeting-over")]
    assert decided(seen, settings(MAX_GUARDED_DELETES="0", MAX_GUARDED_DELETE_PERCENT="0")).guard.tripped


def test_rows_count_into_the_population_but_history_does_not() -> None:
    percent = settings(MAX_GUARDED_DELETES="0", MAX_GUARDED_DELETE_PERCENT="50")
    live = row("m8", "HEALTHY", ids={"teacher": OTHER}, links={"student": link(STUDENT)})
    absent = [record(i, id=i) for i in ids(2)]
    alive = [machine(OTHER, meeting="m8"), machine(STUDENT, meeting="m8", role="student")]

    def trips(rows: list[Meeting]) -> bool:
        return decided(world(alive, absent, rows, absent=ids(2)), percent).guard.tripped

    assert not trips([live])
    assert trips([row("m8", "TERMINATED", ids={"teacher": OTHER}, links={"student": link(STUDENT)})])


@pytest.mark.parametrize("seen", [machine(tagged=False), machine(role="x"), None])
def test_an_empty_listing_holds_every_guarded_change(seen: Instance | None) -> None:
    machines = [] if seen is None else [seen]
    wanted = decided(world(machines, [record()], absent=[] if seen else [TEACHER], listed=0))
    assert wanted.guard.tripped
    assert "lists no instance" in (wanted.guard.reason or "")
    assert wanted.changes[0].held


def test_what_was_seen_is_never_held() -> None:
    machines = [machine(i, state="stopped", ip=None) for i in ids(1000)]
    wanted = decided(world(machines, [record(i, id=i) for i in ids(1000)]), settings(MAX_GUARDED_DELETES="0"))
    assert len(wanted.changes) == 1000
    assert not wanted.guard.tripped


def test_everything_else_is_applied_while_the_guard_holds() -> None:
    seen = fleet(present=1, absent=9)
    fresh = machine(TEACHER, meeting="m99")
    both = world([*seen.instances.values(), fresh], seen.records, absent=seen.absent)
    open_changes = [change for change in decided(both).changes if not change.held]
    assert shown(open_changes) == [("create-record", "record-serving")]


def test_force_lets_it_through() -> None:
    wanted = decided(fleet(present=0, absent=50), force=True)
    assert not wanted.guard.tripped
    assert not any(change.held for change in wanted.changes)


def test_a_held_end_does_not_hold_links_to_machines_seen_gone() -> None:
    seen = world(
        [machine(state="terminated")],
        [],
        [row(ids={"teacher": TEACHER, "student": STUDENT}, links={"teacher": link(TEACHER), "student": link(STUDENT)})],
        absent=[STUDENT],
    )
    wanted = decided(seen, settings(MAX_GUARDED_DELETES="0", MAX_GUARDED_DELETE_PERCENT="0"))
    assert [(c.action, c.role, c.held) for c in wanted.changes] == [
        (Action.CLEAR_LINK, "teacher", False),
        (Action.TERMINATE_MEETING, None, True),
    ]


def test_what_would_go_instead_of_a_link_is_held_where_it_might_be_one_too_many() -> None:
    """The link leads to a machine that is absent; it goes where the record of its successor cannot be made."""
    seen = world([machine()], [], [row(status="HEALTHY", links={"teacher": link(OTHER)})], absent=[OTHER])

    def is_held(most: int, *, force: bool = False, scope: frozenset[str] | None = None) -> bool:
        limits = settings(MAX_GUARDED_DELETES=str(most), MAX_GUARDED_DELETE_PERCENT="0")
        wanted = decided(replace(seen, scope=scope, named=scope or frozenset()), limits, force=force)
        assert (wanted.guard.tripped, found(wanted)) == (False, [])
        assert shown(wanted) == [("create-record", "record-serving"), ("write-link", "link-current")]
        assert not any(change.held for change in wanted.changes)
        (other,) = wanted.changes[1].instead
        assert other.rule == "link-absent"
        return other.held

    assert not is_held(most=1)
    assert is_held(most=0)
    assert not is_held(most=0, force=True)
    assert is_held(most=9, scope=frozenset({TEACHER}))


def test_an_empty_listing_trips_nothing_where_nothing_is_concluded() -> None:
    seen = world([machine()], [], [row(links={"teacher": link(OTHER)})], absent=[OTHER], listed=0)
    wanted = decided(seen)
    assert not wanted.guard.tripped
    assert [[other.held for other in change.instead] for change in wanted.changes] == [[], [True]]


@pytest.mark.parametrize(
    ("lost", "action"),
    [({"tagged": False}, Action.TERMINATE_MEETING), ({"role": "x", "meeting": ""}, Action.TERMINATE_MEETING),
     ({"role": "x"}, Action.CLEAR_LINK)],
)  # fmt: skip
def test_an_end_that_takes_a_link_to_a_machine_which_lives_without_its_tag_is_held_with_the_link(
    lost: dict[str, Any], action: Action
) -> None:
    """The row still names the machine that ended, and links to the one that replaced it."""
    seen = world(
        [machine(state="terminated"), machine(STUDENT, **lost)],
        [],
        [row(status="HEALTHY", ids={"teacher": TEACHER}, links={"teacher": link(STUDENT)})],
    )
    (change,) = decided(seen, settings(MAX_GUARDED_DELETES="0", MAX_GUARDED_DELETE_PERCENT="0")).changes
    assert (change.action, change.concluded, change.held) == (action, (STUDENT,), True)


def test_unmarked_records_count_only_when_adopted() -> None:
    def absent_with(comment: str) -> list[DnsRecord]:
        return [record(i, id=i, comment=comment) for i in ids(6)]

    adopting = settings(ADOPT_UNMARKED="true")
    listed = [machine(TEACHER, meeting="m9")]
    assert shown(decided(world(listed, absent_with("by hand")))) == [("create-record", "record-serving")]
    assert decided(world(listed, absent_with("by hand"), absent=ids(6)), adopting).guard.tripped
    assert decided(world(listed, absent_with(MARK), absent=ids(6))).guard.tripped
