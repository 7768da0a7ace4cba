"""A change to a row that moved on: the rules are asked again for this one change, and never for more."""

from dataclasses import replace
from datetime import timedelta

from controller.model import Instance, Meeting, RowChange, World
from controller.rules.plan import reconsider
from tests.support.build import (
    ELSEWHERE,
    FOREIGN,
    NOW,
    OTHER,
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

LATE = (NOW - timedelta(days=2)).isoformat()
LAUNCHED = row(status="LAUNCHED", ids={"teacher": TEACHER})
SEEN = world([machine()], [record()], [LAUNCHED])
OVER = world([machine(state="terminated")], rows=[row(status="HEALTHY", ids={"teacher": TEACHER})])


def only(seen: World, *, force: bool = False) -> RowChange:
    (change,) = decided(seen, force=force).changes
    assert isinstance(change, RowChange)
    return change


def again(meeting: Meeting | None, planned: World = SEEN, *machines: Instance) -> RowChange | None:
    """The world's one change for the row as it is now, and for machines as they are now."""
    instances = {**planned.instances, **{machine.id: machine for machine in machines}}
    return reconsider(only(planned, force=True), meeting, replace(planned, instances=instances), planned, settings())


def test_a_link_is_written_to_a_row_that_has_become_healthy() -> None:
    wanted = again(replace(LAUNCHED, status="HEALTHY"))
    assert wanted is not None
    assert wanted.after == (("teacher_ec2_link", link(TEACHER)),)


def test_nothing_is_done_to_a_row_that_is_gone_or_history_or_right() -> None:
    assert again(None) is None
    assert again(replace(LAUNCHED, status="TERMINATED")) is None
    assert again(replace(LAUNCHED, status="HEALTHY", links={"teacher": link(TEACHER)})) is None


def test_a_link_never_comes_back_for_another_machine() -> None:
    newer = machine(OTHER, ip=ELSEWHERE)
    assert again(replace(LAUNCHED, instance_ids={"teacher": OTHER}), SEEN, newer) is None


def test_link_does_not_return_to_a_moved_or_unknown_machine() -> None:
    assert again(LAUNCHED, SEEN, machine(ip=ELSEWHERE)) is None
    assert again(LAUNCHED, SEEN, machine()) is not None
    nowhere = replace(SEEN, instances={})
    assert reconsider(only(SEEN), LAUNCHED, nowhere, SEEN, settings()) is None


def test_link_removal_returns_if_current_machine_has_no_own_record() -> None:
    rows = [row(status="DNS_WRITTEN", links={"teacher": link(OTHER)})]
    foreign = record(content=ELSEWHERE, comment=FOREIGN)
    seen = world([machine(), machine(OTHER, state="terminated")], [foreign], rows)
    wanted = again(replace(rows[0], status="HEALTHY"), seen)
    assert wanted is not None
    assert wanted.after == (("teacher_ec2_link", None),)


def test_an_end_comes_back_for_a_row_that_has_another_link() -> None:
    wanted = again(row(status="IN_PROGRESS", ids={"teacher": TEACHER}, links={"teacher": link(TEACHER)}), OVER)
    assert wanted is not None
    assert wanted.after[0] == ("status", "TERMINATED")
    assert wanted.write.removes == ("teacher_ec2_link",)


def test_end_does_not_return_if_the_row_names_a_living_machine() -> None:
    living = machine(STUDENT, role="student")
    assert again(row(status="HEALTHY", ids={"teacher": TEACHER, "student": STUDENT}), OVER, living) is None


def test_end_does_not_return_on_absence_that_it_did_not_rest_on() -> None:
    named = row(status="HEALTHY", ids={"teacher": TEACHER, "student": STUDENT}, meet_time=LATE)
    absent = replace(OVER, absent=frozenset({STUDENT}))
    assert decided(replace(absent, meetings={"m1": named})).changes, "by itself it would be ended"
    assert reconsider(only(OVER), named, absent, OVER, settings()) is None


def test_an_end_that_rested_on_absence_comes_back_resting_on_it() -> None:
    ids = {"teacher": TEACHER}
    seen = world(rows=[row(status="HEALTHY", ids=ids, meet_time=LATE)], absent=[TEACHER])
    wanted = again(row(status="IN_PROGRESS", ids=ids, meet_time=LATE), seen)
    assert wanted is not None
    assert wanted.evidence == (TEACHER,)
    assert again(row(status="IN_PROGRESS", ids=ids), seen) is None, "a row that was reused is of today"


def test_an_end_does_not_come_back_where_dead_links_are_to_go_first() -> None:
    ids, dead = {"teacher": TEACHER}, {"student": link(STUDENT)}
    seen = world(rows=[row(status="HEALTHY", ids=ids, meet_time=LATE)], absent=[TEACHER])
    stopped = machine(STUDENT, role="student", meeting=None, state="stopped")
    assert again(row(status="HEALTHY", ids=ids, links=dead, meet_time=LATE), seen, stopped) is None
