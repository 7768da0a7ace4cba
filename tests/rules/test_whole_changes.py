"""A change of each kind as a whole: whom it is about, what was and will be, why, and what is sent."""

from dataclasses import replace
from typing import Any

import pytest

from controller.model import Action, Change, Condition, DnsRecord, Instance, Meeting, RecordWrite, RowWrite
from tests.build import (
    ADDRESS,
    ELSEWHERE,
    MARK,
    OLD,
    OTHER,
    STUDENT,
    TEACHER,
    YOUNG,
    decided,
    found,
    link,
    machine,
    name,
    record,
    row,
    world,
)

HINT = f"{MARK} teacher of m1"
STATUS_STAYS = Condition("status", ("TERMINATED",), negated=True)
EARLY = Condition("status", (None, "PENDING", "SCHEDULED", "LAUNCHED", "DNS_WRITTEN"))


def whole(action: Action, rule: str, reason: str, **others: Any) -> Change:
    """A change about the teacher's machine of meeting m1, unless told otherwise."""
    about = {"key": name(TEACHER), "instance": TEACHER, "meeting": "m1", "role": "teacher", "before": (), "after": ()}
    return Change(action=action, rule=rule, reason=reason, **{**about, **others})


def test_create() -> None:
    (change,) = decided(world([machine()])).changes
    assert change == whole(
        Action.CREATE_RECORD,
        "record-serving",
        f"the machine is running at {ADDRESS} and has no record",
        after=(("content", ADDRESS), ("proxied", True), ("comment", HINT)),
        record=RecordWrite(None, name(TEACHER), ADDRESS, HINT),
        order=OLD.timestamp(),
    )


def test_update() -> None:
    (change,) = decided(world([machine()], [record(content=ELSEWHERE, proxied=False)])).changes
    assert change == whole(
        Action.UPDATE_RECORD,
        "record-serving",
        f"the machine's address is {ADDRESS}; the record must be proxied",
        before=(("content", ELSEWHERE), ("proxied", False)),
        after=(("content", ADDRESS), ("proxied", True)),
        record=RecordWrite("r1", name(TEACHER), ADDRESS, None),
    )


def test_adoption() -> None:
    (change,) = decided(world([machine()], [record(comment="by hand")])).changes
    assert change == whole(
        Action.UPDATE_RECORD,
        "record-adopted",
        "the record is adopted: it gets our mark",
        before=(("comment", "by hand"),),
        after=(("comment", HINT),),
        record=RecordWrite("r1", name(TEACHER), ADDRESS, HINT),
    )


def duplicate(number: int) -> DnsRecord:
    return record(content=ELSEWHERE, id=f"r{number}")


BESIDE = [
    ([record(), duplicate(2)], "record-duplicate", "the name needs one record only"),
    (
        [record(comment="elephant-dns:somebody/else"), duplicate(2)],
        "record-foreign",
        "a record that is not ours has the machine's address",
    ),
]


@pytest.mark.parametrize(("records", "rule", "reason"), BESIDE, ids=["duplicate", "foreign"])
def test_delete_beside_another(records: list[DnsRecord], rule: str, reason: str) -> None:
    wanted = decided(world([machine()], records))
    assert wanted.changes == (
        whole(
            Action.DELETE_RECORD,
            rule,
            reason,
            before=(("content", ELSEWHERE), ("proxied", True), ("comment", MARK)),
            record=RecordWrite("r2", name(TEACHER), None, None),
        ),
    )
    assert found(wanted) == ([] if rule == "record-duplicate" else ["foreign-record"])


DELETES = [
    ([machine(ip=None)], "record-starting", "the machine is running and does not have this address", ADDRESS),
    (
        [machine(state="stopped", ip=None)],
        "record-stopped",
        "the machine is stopped; its address may be given to somebody else",
        ADDRESS,
    ),
    (
        [machine(state="terminated")],
        "record-gone",
        "the machine is terminated; its address may be given to somebody else",
        ADDRESS,
    ),
    ([machine(tagged=False)], "record-untagged", "the machine no longer carries the project's tag", ADDRESS),
    (
        [machine(role="x")],
        "record-unclaimed",
        "the machine carries no meeting, or a role that is not configured",
        ADDRESS,
    ),
    ([], "record-absent", "EC2 knows no such machine", ADDRESS),
    ([machine(ip="10.0.0.1")], "record-unroutable", "the machine no longer has this address", ADDRESS),
]


@pytest.mark.parametrize(("machines", "rule", "reason", "content"), DELETES, ids=lambda value: str(value)[:20])
def test_delete(machines: list[Instance], rule: str, reason: str, content: str) -> None:
    bystander = machine(OTHER, state="stopped", ip=None)
    seen = world([*machines, bystander], [record(content=content)], absent=[] if machines else [TEACHER])
    (change,) = decided(seen, force=True).changes
    is_guarded = rule in ("record-untagged", "record-unclaimed", "record-absent")
    assert change == whole(
        Action.DELETE_RECORD,
        rule,
        reason,
        meeting=machines[0].meeting if machines else None,
        role=machines[0].role if machines else None,
        before=(("content", content), ("proxied", True), ("comment", MARK)),
        record=RecordWrite("r1", name(TEACHER), None, None),
        concluded=(TEACHER,) if is_guarded else (),
    )


def test_write_link_to_a_row_that_is_early() -> None:
    rows = [row(status="LAUNCHED", ids={"teacher": TEACHER}, links={"teacher": "https://by-hand.example.org"})]
    (change,) = decided(world([machine()], [record()], rows)).changes
    sets = (("teacher_ec2_link", link(TEACHER)), ("status", "DNS_WRITTEN"))
    assert change == whole(
        Action.WRITE_LINK,
        "link-current",
        "the teacher's machine is running and its record is in place",
        key="m1",
        before=(("teacher_ec2_link", "https://by-hand.example.org"), ("status", "LAUNCHED")),
        after=sets,
        row=RowWrite(conditions=(Condition("teacher_ec2_id", (TEACHER,)), EARLY), sets=sets),
    )


def test_write_link_over_a_dead_one() -> None:
    machines = [machine(), machine(OTHER, state="stopped", ip=None)]
    rows = [row(status="HEALTHY", links={"teacher": link(OTHER)})]
    (change,) = decided(world(machines, [record()], rows)).changes
    sets = (("teacher_ec2_link", link(TEACHER)),)
    assert change.instead[0] == cleared("link-dead", "the link leads to a machine that is stopped")
    assert change == whole(
        Action.WRITE_LINK,
        "link-current",
        "the teacher's machine is running and its record is in place",
        key="m1",
        before=(("teacher_ec2_link", link(OTHER)),),
        after=sets,
        row=RowWrite(
            conditions=(Condition("teacher_ec2_id", (None,)), Condition("status", ("HEALTHY",))),
            sets=sets,
        ),
        instead=change.instead,
    )


def cleared(rule: str, reason: str, **others: Any) -> Change:
    return whole(
        Action.CLEAR_LINK,
        rule,
        reason,
        key="m1",
        instance=OTHER,
        before=(("teacher_ec2_link", link(OTHER)),),
        after=(("teacher_ec2_link", None),),
        row=RowWrite(
            conditions=(Condition("teacher_ec2_link", (link(OTHER),)), STATUS_STAYS), removes=("teacher_ec2_link",)
        ),
        **others,
    )


CLEARS = [
    (machine(OTHER, state="stopping"), "link-dead", "the link leads to a machine that is stopping", False),
    (None, "link-absent", "the link leads to a machine that EC2 does not know", True),
    (
        machine(OTHER, tagged=False),
        "link-unclaimed",
        "the link leads to a machine that no longer belongs to a meeting",
        True,
    ),
    (
        machine(OTHER, meeting="m2"),
        "link-astray",
        "the link leads to the machine of another meeting or role",
        False,
    ),
]


@pytest.mark.parametrize(("linked", "rule", "reason", "guarded"), CLEARS, ids=lambda value: str(value)[:20])
def test_clear_link(linked: Instance | None, rule: str, reason: str, guarded: bool) -> None:
    student = machine(STUDENT, role="student", ip=None)
    machines = [student, linked] if linked else [student]
    rows = [row(status="HEALTHY", links={"teacher": link(OTHER)})]
    changes = decided(world(machines, [record(OTHER)] if linked else [], rows, absent=[OTHER]), force=True).changes
    (change,) = (change for change in changes if change.action is Action.CLEAR_LINK)
    assert change == cleared(rule, reason, concluded=(OTHER,) if guarded else ())


def over(meeting: Meeting, *machines: Instance) -> Change:
    (change,) = decided(world(machines, rows=[meeting], absent=[STUDENT], listed=9)).changes
    return change


def test_end_of_a_meeting() -> None:
    links = {"teacher": link(TEACHER), "student": "https://by-hand.example.org"}
    change = over(row(status="HEALTHY", ids={"teacher": TEACHER}, links=links), machine(state="terminated"))
    assert change == whole(
        Action.TERMINATE_MEETING,
        "meeting-over",
        f"all its machines are gone: {TEACHER}",
        key="m1",
        instance=None,
        role=None,
        before=(("status", "HEALTHY"), ("teacher_ec2_link", link(TEACHER))),
        after=(("status", "TERMINATED"), ("termination_reason", "INSTANCES_GONE"), ("teacher_ec2_link", None)),
        row=RowWrite(
            conditions=(
                Condition("status", ("HEALTHY",)),
                Condition("teacher_ec2_id", (TEACHER,)),
                Condition("teacher_ec2_link", (link(TEACHER),)),
                Condition("student_ec2_id", (None,)),
                Condition("student_ec2_link", ("https://by-hand.example.org",)),
            ),
            sets=(("status", "TERMINATED"),),
            defaults=(("termination_reason", "INSTANCES_GONE"),),
            removes=("teacher_ec2_link",),
        ),
    )


def test_end_of_a_meeting_that_has_a_reason_and_rests_on_absence() -> None:
    ids, links = {"teacher": TEACHER, "student": STUDENT}, {"teacher": link(TEACHER), "student": link(STUDENT)}
    change = over(row(status="HEALTHY", ids=ids, links=links, reason="TIME_OVER"), machine(state="terminated"))
    assert change.after == (("status", "TERMINATED"), ("teacher_ec2_link", None), ("student_ec2_link", None))
    assert change.row is not None
    assert (change.row.defaults, change.row.removes) == ((), ("teacher_ec2_link", "student_ec2_link"))
    assert change.reason == f"all its machines are gone: {TEACHER}, {STUDENT}"
    assert (change.concluded, [c.rule for c in change.instead]) == ((STUDENT,), ["link-dead"])


def test_what_a_row_does_not_have_is_shown_as_nothing() -> None:
    (change,) = decided(world([machine()], [record()], [row(status="HEALTHY")])).changes
    assert change.before == (("teacher_ec2_link", None),)


def test_a_machine_without_a_launch_time_comes_first() -> None:
    (change,) = decided(world([machine(launched=None)])).changes
    assert change.order == 0.0


def test_a_held_end_brings_nothing_along() -> None:
    ids, links = {"teacher": TEACHER, "student": STUDENT}, {"teacher": link(TEACHER)}
    seen = world([machine(state="terminated")], rows=[row(status="HEALTHY", ids=ids, links=links)], absent=[STUDENT])
    held = [change for change in decided(replace(seen, listed=0)).changes if change.held]
    assert [(change.rule, change.instead) for change in held] == [("meeting-over", ())]


def test_of_a_row_no_more_is_shown_than_a_person_reads() -> None:
    rows = [row(status="HEALTHY", links={"teacher": "y" * 500})]
    (change,) = decided(world([machine()], [record(created=YOUNG)], rows)).changes
    assert change.before == (("teacher_ec2_link", "y" * 200),)
