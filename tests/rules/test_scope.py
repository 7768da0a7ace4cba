"""A scoped pass: what it must still look up, and what it may change."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from controller.model import DnsRecord, Instance, Meeting, World
from controller.rules.scope import Missing, deserves_reading, meetings_of, missing
from tests.build import (
    ELSEWHERE,
    OTHER,
    STRANGER,
    STUDENT,
    TEACHER,
    decided,
    link,
    machine,
    record,
    row,
    settings,
    world,
)

FOREIGN = "elephant-dns:somebody/else"
TEACHING = machine()
ELSE = "i-0000000e"
STUDYING = machine(STUDENT, role="student", ip=ELSEWHERE)
ROWS = [row(status="HEALTHY")]


def scoped(
    machines: Iterable[Instance] = (),
    records: Iterable[DnsRecord] = (),
    rows: Iterable[Meeting] = (),
    *,
    scope: Iterable[str] = (TEACHER,),
    named: Iterable[str] = (),
    absent: Iterable[str] = (),
) -> World:
    """What was observed for these instances; beside their names those of others may have been read."""
    seen = world(machines, records, rows, absent=absent)
    return replace(seen, scope=frozenset(scope), named=frozenset({*scope, *named}))


def lacking(seen: World) -> Missing:
    return missing(seen, settings())


def planned(seen: World) -> list[tuple[str, str, str | None]]:
    return [(str(change.action), change.key, change.instance) for change in decided(seen).changes]


def test_a_row_whose_meeting_no_machine_carries_needs_only_what_it_names() -> None:
    seen = scoped([TEACHING], [record()], [row("m2", ids={"student": STUDENT}, links={"teacher": link(OTHER)})])
    assert lacking(seen) == Missing(instances=frozenset({STUDENT, OTHER}))


def test_an_end_needs_the_machines_of_every_link_that_it_removes() -> None:
    over = row(status="HEALTHY", ids={"teacher": TEACHER}, links={"student": link(OTHER)})
    gone = machine(state="terminated")
    assert lacking(scoped([gone], rows=[over])) == Missing(instances=frozenset({OTHER}))
    (change,) = decided(scoped([gone], rows=[over], absent=[OTHER], named=[OTHER])).changes
    assert (change.concluded, change.held) == ((OTHER,), True)


def test_a_link_whose_record_may_yet_fail_is_judged_by_its_own_machine() -> None:
    rows = [row(status="HEALTHY", links={"teacher": link(OTHER)})]
    astray = machine(OTHER, meeting="m2")
    double = record(content=ELSEWHERE, id="r2")
    assert not lacking(scoped([machine()], [record()], rows))
    for records in ([], [double], [record(), double]):
        assert lacking(scoped([machine()], records, rows)) == Missing(frozenset({OTHER}))
        changes = decided(scoped([machine(), astray], records, rows)).changes
        (written,) = (change for change in changes if change.row)
        assert [(other.rule, other.instance) for other in written.instead] == [("link-astray", OTHER)]


def test_a_strangers_running_machine_is_not_worth_a_look() -> None:
    assert [deserves_reading(machine(state=state, tagged=False)) for state in ("pending", "running", "stopped")] == [
        False,
        False,
        True,
    ]
    assert deserves_reading(machine())
    assert deserves_reading(None)


def test_the_meetings_are_those_that_machines_in_scope_carry() -> None:
    machines = [
        machine(),
        machine(STUDENT, meeting="m2", tagged=False),
        machine(OTHER, meeting=" "),
        machine(STRANGER, meeting="m9"),
    ]
    assert meetings_of(scoped(machines, scope=[TEACHER, STUDENT, OTHER])) == {"m1"}


def test_a_full_pass_lacks_nothing() -> None:
    rows = [row(links={"teacher": link(OTHER)}, ids={"teacher": OTHER})]
    assert not lacking(world([machine(ip=None)], rows=rows))


def test_the_start_of_a_machine_lacks_nothing() -> None:
    assert not lacking(scoped([machine()], [record()], [row(ids={"teacher": TEACHER}, links={"teacher": link(OTHER)})]))


def test_a_link_that_is_judged_by_its_own_machine_is_looked_up() -> None:
    rows = [row(links={"teacher": link(OTHER), "student": link(STRANGER)})]
    assert lacking(scoped([machine(ip=None)], rows=rows)) == Missing(frozenset({OTHER}))
    assert lacking(scoped([machine()], [record(comment=FOREIGN)], rows)) == Missing(frozenset({OTHER}))
    assert not lacking(scoped([machine(ip=None)], rows=rows, absent=[OTHER], named=[OTHER]))


def test_what_several_meetings_lack_is_looked_up_together() -> None:
    machines = [machine(state="terminated"), machine(STUDENT, meeting="m2", role="student", state="terminated")]
    beside = [machine(OTHER), machine(STRANGER, meeting="m2", role="student")]
    rows = [row(status="HEALTHY"), row("m2", "HEALTHY")]
    both = scoped([*machines, *beside], rows=rows, scope=[TEACHER, STUDENT])
    assert lacking(both) == Missing(names=frozenset({OTHER, STRANGER}))
    named = [row(ids={"teacher": OTHER}, links={"teacher": link(ELSE)}), row("m2", ids={"student": STRANGER})]
    assert lacking(scoped(machines, rows=named, scope=[TEACHER, STUDENT])) == Missing(
        frozenset({OTHER, STRANGER, ELSE})
    )


def test_something_is_missing_where_machines_or_names_are() -> None:
    assert Missing(frozenset({OTHER}))
    assert Missing(names=frozenset({OTHER}))
    assert not Missing()


def test_of_history_nothing_is_looked_up() -> None:
    rows = [row(status="TERMINATED", links={"teacher": link(OTHER)}, ids={"teacher": OTHER})]
    assert not lacking(scoped([machine(state="terminated")], rows=rows))


@pytest.mark.parametrize("status", [None, "SCHEDULED", "CANCELLED"])
def test_what_decides_an_end_only_is_not_looked_up_where_none_can_come(status: str | None) -> None:
    rows = [row(status=status, ids={"teacher": TEACHER, "student": STUDENT}, links={"student": link(OTHER)})]
    assert not lacking(scoped([machine(state="terminated")], rows=rows))


def test_members_are_looked_up_where_none_is_known_to_live() -> None:
    rows = [row(ids={"teacher": TEACHER, "student": STUDENT})]
    gone = machine(state="terminated")
    assert lacking(scoped([gone], rows=rows)) == Missing(frozenset({STUDENT}))
    assert not lacking(scoped([gone, machine(OTHER, role="student")], rows=rows))


def test_the_names_of_absent_machines_and_of_current_ones_outside_are_read() -> None:
    assert lacking(scoped(absent=[OTHER])) == Missing(names=frozenset({OTHER}))
    beside = machine(OTHER)
    gone = machine(state="terminated")
    assert lacking(scoped([gone, beside], rows=ROWS)) == Missing(names=frozenset({OTHER}))
    assert not lacking(scoped([gone, beside], rows=ROWS, named=[OTHER]))


def test_records_are_changed_at_names_in_scope_only() -> None:
    machines = [TEACHING, machine(OTHER, meeting="m2", state="stopped")]
    wrong = [record(OTHER, id="r2")]
    assert planned(scoped(machines, wrong, named=[OTHER])) == [("create-record", f"{TEACHER}.example.com", TEACHER)]


def test_links_are_changed_of_roles_in_scope_only() -> None:
    seen = scoped([TEACHING, STUDYING], [record(), record(STUDENT, ELSEWHERE, id="r2")], ROWS, named=[STUDENT])
    assert planned(seen) == [("write-link", "m1", TEACHER)]
    rows = [row(status="HEALTHY", links={"student": link(OTHER)})]
    dead = machine(OTHER, role="student", state="terminated", meeting="m2")
    assert planned(scoped([machine(ip=None), dead], rows=rows)) == []


def test_a_link_to_a_machine_outside_is_written_only_where_its_record_is_in_place() -> None:
    gone, beside = machine(state="terminated"), machine(OTHER)

    def to_another(*records: DnsRecord) -> list[tuple[str, str, str | None]]:
        return planned(scoped([gone, beside], records, ROWS, named=[OTHER]))

    assert to_another(record(OTHER)) == [("write-link", "m1", OTHER)]
    assert to_another() == []
    assert to_another(record(OTHER, ELSEWHERE)) == []
    assert to_another(record(OTHER), record(OTHER, ELSEWHERE, id="r2")) == [("write-link", "m1", OTHER)]


def test_a_dead_link_of_a_role_in_scope_is_removed_wherever_it_leads() -> None:
    rows = [row(status="HEALTHY", links={"teacher": link(OTHER)})]
    machines = [machine(ip=None), machine(OTHER, state="terminated")]
    assert planned(scoped(machines, rows=rows)) == [("clear-link", "m1", OTHER)]


@pytest.mark.parametrize("role", ["teacher", "anything"])
def test_a_meeting_of_a_machine_in_scope_is_ended(role: str) -> None:
    gone = machine(role=role, state="terminated")
    assert planned(scoped([gone], rows=[row(status="HEALTHY")])) == [("terminate-meeting", "m1", None)]
    assert planned(scoped([gone], rows=[row(status="HEALTHY")], scope=[OTHER])) == []


def test_what_goes_instead_of_a_link_is_restricted_like_the_rest() -> None:
    rows = [row(status="HEALTHY", links={"teacher": link(OTHER)})]
    machines = [machine(), machine(OTHER, state="terminated")]
    (change,) = (c for c in decided(scoped(machines, [record()], rows)).changes if c.role == "teacher" and c.row)
    assert [(c.action, c.instance) for c in change.instead] == [("clear-link", OTHER)]


def test_instead_of_a_held_end_only_links_of_roles_in_scope_are_removed() -> None:
    links = {"teacher": link(TEACHER), "student": link(STUDENT)}
    machines = [machine(state="terminated"), machine(STUDENT, role="student", state="terminated")]
    absent = row(status="HEALTHY", ids={"teacher": OTHER}, links=links)
    wanted = decided(scoped(machines, rows=[absent], absent=[OTHER], named=[OTHER]))
    assert [(c.action, c.role, c.held) for c in wanted.changes] == [
        ("clear-link", "teacher", False),
        ("terminate-meeting", None, True),
    ]


def test_a_scoped_pass_that_is_forced_holds_nothing() -> None:
    wanted = decided(scoped(records=[record()], absent=[TEACHER]), force=True)
    assert [(str(change.action), change.held) for change in wanted.changes] == [("delete-record", False)]
    assert wanted.findings == ()


def test_a_scoped_pass_leaves_what_rests_on_absence_to_the_full_pass() -> None:
    wanted = decided(scoped(records=[record()], absent=[TEACHER]))
    assert [change.held for change in wanted.changes] == [True]
    assert (wanted.guard.tripped, wanted.guard.reason) == (False, None)
    assert [(f.id, f.hint) for f in wanted.findings] == [
        ("guarded-change-held", "A scoped pass leaves what rests on absence to the full pass.")
    ]
