"""A scoped pass: what is worth a look, and what it may change."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from controller.model import Heard, Instance, World
from controller.rules.scope import behind, deserves_reading, in_cells, meetings_of
from tests.support.build import (
    ELSEWHERE,
    NOW,
    OTHER,
    STRANGER,
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

STUDYING = machine(STUDENT, role="student", ip=ELSEWHERE)


def planned(seen: World) -> list[tuple[str, str, str | None]]:
    return [(str(change.action), change.key, change.instance) for change in decided(seen).changes]


@pytest.mark.parametrize(
    ("seen", "is_worth_it"),
    [
        (machine(), True),
        (machine(state="pending"), True),
        (machine(state="terminated"), True),
        (machine(tagged=False), False),
        (machine(tagged=False, state="pending"), False),
        (machine(tagged=False, state="stopped"), True),
        (machine(tagged=False, state="terminated"), True),
        (None, True),
    ],
)
def test_a_strangers_machine_that_is_up_is_not_worth_a_look(seen: Instance | None, is_worth_it: bool) -> None:
    assert deserves_reading(seen) is is_worth_it


def test_without_cells_a_machine_of_any_place_is_in_scope() -> None:
    scope = frozenset({TEACHER})
    assert in_cells(scope, {TEACHER: "210987654321/eu-west-1"}, settings()) == scope


def test_the_meetings_are_those_that_machines_in_scope_carry() -> None:
    machines = [
        machine(),
        machine(STUDENT, meeting="m2", tagged=False),
        machine(OTHER, meeting=" "),
        machine(STRANGER, meeting="m9"),
    ]
    assert meetings_of(world(machines, scope=[TEACHER, STUDENT, OTHER])) == {"m1", "m2"}


def test_records_are_changed_at_names_in_scope_alone() -> None:
    machines, wrong = [machine(), machine(OTHER, meeting="m2", state="stopped")], [record(OTHER, id="r2")]
    assert planned(world(machines, wrong, scope=[TEACHER])) == [("create-record", f"{TEACHER}.example.com", TEACHER)]


def test_only_links_with_an_old_or_new_machine_in_scope_are_changed() -> None:
    both = [machine(), STUDYING]
    here = [record(), record(STUDENT, ELSEWHERE, id="r2")]
    assert planned(world(both, here, [row(status="HEALTHY")], scope=[TEACHER])) == [("write-link", "m1", TEACHER)]
    rows = [row(status="HEALTHY", links={"teacher": link(OTHER), "student": link(STRANGER)})]
    dead = [machine(OTHER, state="stopped"), machine(STRANGER, role="student", state="stopped")]
    assert planned(world(dead, [], rows, scope=[OTHER])) == [("clear-link", "m1", OTHER)]


def test_a_link_to_a_machine_in_scope_moves_an_early_status_on() -> None:
    (change,) = decided(world([machine()], [record()], [row(status="LAUNCHED")], scope=[TEACHER])).changes
    assert dict(change.after)["status"] == "DNS_WRITTEN"


def test_dead_link_is_cleared_if_its_successor_is_out_of_scope() -> None:
    machines, rows = (
        [machine(state="terminated"), machine(OTHER)],
        [row(status="HEALTHY", links={"teacher": link(TEACHER)})],
    )
    assert planned(world(machines, [], rows, scope=[TEACHER])) == [("clear-link", "m1", TEACHER)]


def test_new_link_replaces_one_to_a_machine_out_of_scope() -> None:
    rows = [row(status="HEALTHY", ids={"teacher": TEACHER}, links={"teacher": link(OTHER)})]
    assert planned(world([machine()], [record()], rows, scope=[TEACHER])) == [("write-link", "m1", TEACHER)]


def test_no_meeting_is_ended() -> None:
    rows = [row(status="HEALTHY", ids={"teacher": TEACHER})]
    assert planned(world([machine(state="terminated")], [], rows, scope=[TEACHER])) == []


def test_dead_link_goes_where_a_full_pass_would_end_the_meeting() -> None:
    rows = [row(status="HEALTHY", ids={"teacher": TEACHER}, links={"teacher": link(TEACHER)})]
    seen = world([machine(state="terminated")], [], rows, scope=[TEACHER])
    assert planned(seen) == [("clear-link", "m1", TEACHER)]


def test_nothing_is_concluded_from_a_machine_that_ec2_does_not_know() -> None:
    late = (NOW - timedelta(days=2)).isoformat()
    rows = [row(status="HEALTHY", ids={"teacher": TEACHER}, links={"teacher": link(TEACHER)}, meet_time=late)]
    here = [record(comment="elephant-dns:school")]
    wanted = decided(world([], here, rows, scope=[TEACHER]), settings(OWNER_ID="school"))
    assert (wanted.changes, wanted.guard.tripped, found(wanted)) == ((), False, [])


@pytest.mark.parametrize(
    ("tags", "goes"),
    [({"meeting": "m2"}, False), ({"meeting": "m2", "role": "student"}, True), ({"role": "student"}, True)],
)
def test_whether_another_meeting_has_a_row_is_not_judged(tags: dict[str, Any], goes: bool) -> None:
    astray, rows = machine(**tags), [row(status="HEALTHY", links={"teacher": link(TEACHER)}), row("m2")]
    wanted = decided(world([astray], [record()], rows, scope=[TEACHER]))
    assert (("clear-link", "link-astray") in shown(wanted)) is goes


SECOND = timedelta(seconds=1)
UP, DOWN = ("pending", "running"), ("stopping", "stopped", "shutting-down", "terminated")
BEHIND = [
    ("running", None, True),
    ("running", machine(state="pending", ip=None), True),
    ("running", machine(state="pending"), True),
    ("running", machine(ip=None), True),
    ("running", machine(state="stopped", ip=None), True),
    ("running", machine(state="stopped"), True),
    ("running", machine(state="stopping"), True),
    ("running", machine(), False),
    ("running", machine(role="?", ip=None), True),
    *(("running", machine(state=state, ip=None), False) for state in ("shutting-down", "terminated")),
    *((ended, machine(state=state), True) for ended in DOWN for state in UP),
    *((ended, machine(state=state, ip=None), False) for ended in DOWN for state in DOWN),
    *((ended, None, False) for ended in DOWN),
    ("pending", None, False),
    ("pending", machine(ip=None), False),
    ("None", None, False),
    *((state, machine(state="pending", ip=None, tagged=False), False) for state in ("running", "terminated")),
]


@pytest.mark.parametrize(("state", "seen", "is_behind"), BEHIND, ids=lambda value: getattr(value, "state", str(value)))
def test_whether_ec2_is_behind_the_event(state: str, seen: Instance | None, is_behind: bool) -> None:
    def after(at: datetime) -> bool:
        here = world([seen] if seen else [], scope=[TEACHER])
        return behind(here, {TEACHER: Heard(state, at, at)}, {}) == {TEACHER}

    assert after(NOW) is after(NOW - 59 * SECOND) is after(NOW + SECOND) is is_behind
    assert not after(NOW - 60 * SECOND), "a minute later the reading is as good as the event"


def test_what_is_not_in_scope_is_not_waited_for() -> None:
    assert behind(world(scope=[OTHER]), {TEACHER: Heard("running", NOW, NOW)}, {}) == frozenset()
    assert behind(world(), {TEACHER: Heard("running", NOW, NOW)}, {}) == frozenset()
