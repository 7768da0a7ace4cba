"""A change of each kind as a whole: whom it is about, what was and will be, why, and what is sent."""

from datetime import timedelta
from typing import Any

import pytest

from controller.model import (
    Change,
    ClearLink,
    Condition,
    CreateRecord,
    DeleteRecord,
    DnsRecord,
    EndMeeting,
    Instance,
    Meeting,
    RecordChange,
    RowWrite,
    UpdateRecord,
    WriteLink,
)
from tests.support.build import (
    ADDRESS,
    ELSEWHERE,
    FOREIGN,
    MARK,
    NOW,
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


def whole(kind: type[Change], rule: str, reason: str, **others: Any) -> Change:
    """A change about the teacher's machine of meeting m1, by default."""
    about: dict[str, Any] = {"instance": TEACHER, "meeting": "m1", "role": "teacher", "before": (), "after": ()}
    if issubclass(kind, RecordChange):
        about["name"] = name(TEACHER)
    if kind is WriteLink:
        about["launched_at"] = OLD
    return kind(rule=rule, reason=reason, **{**about, **others})


def test_create() -> None:
    (change,) = decided(world([machine()])).changes
    assert change == whole(
        CreateRecord,
        "record-serving",
        f"the machine is running at {ADDRESS} and has no record",
        after=(("content", ADDRESS), ("proxied", True), ("comment", HINT)),
        content=ADDRESS,
        comment=HINT,
        launched=OLD.timestamp(),
    )


def test_update() -> None:
    (change,) = decided(world([machine()], [record(content=ELSEWHERE, proxied=False)])).changes
    assert change == whole(
        UpdateRecord,
        "record-serving",
        f"the machine's address is {ADDRESS}; the record must be proxied",
        before=(("content", ELSEWHERE), ("proxied", False)),
        after=(("content", ADDRESS), ("proxied", True)),
        id="r1",
        content=ADDRESS,
        comment=None,
    )


def test_adoption() -> None:
    (change,) = decided(world([machine()], [record(comment="by hand")])).changes
    assert change == whole(
        UpdateRecord,
        "record-adopted",
        "the record is adopted and gets our mark",
        before=(("comment", "by hand"),),
        after=(("comment", HINT),),
        id="r1",
        content=ADDRESS,
        comment=HINT,
    )


def duplicate(number: int) -> DnsRecord:
    return record(content=ELSEWHERE, id=f"r{number}")


BESIDE = [
    ([record(), duplicate(2)], "record-duplicate", "the name needs only one record"),
    (
        [record(comment=FOREIGN), duplicate(2)],
        "record-foreign",
        "a record of another owner has the machine's address",
    ),
]


@pytest.mark.parametrize(("records", "rule", "reason"), BESIDE, ids=["duplicate", "foreign"])
def test_delete_beside_another(records: list[DnsRecord], rule: str, reason: str) -> None:
    wanted = decided(world([machine()], records))
    assert wanted.changes == (
        whole(
            DeleteRecord,
            rule,
            reason,
            before=(("content", ELSEWHERE), ("proxied", True), ("comment", MARK)),
            id="r2",
            evidence=(TEACHER,),
        ),
    )
    assert found(wanted) == ([] if rule == "record-duplicate" else ["foreign-record"])


STATE = "AWS may give its address to another customer"
DELETES = [
    (
        [machine(ip=None)],
        "record-before-launch",
        "the machine was started after the last write to this record, so the address is an earlier one",
        ADDRESS,
    ),
    ([machine(state="stopped", ip=None)], "record-stopped", f"the machine is stopped, and {STATE}", ADDRESS),
    ([machine(state="terminated")], "record-gone", f"the machine is terminated, and {STATE}", ADDRESS),
    *(
        (
            [seen],
            "record-address",
            f"the machine is running with another address, {seen.public_ip}",
            ELSEWHERE,
        )
        for seen in (machine(tagged=False), machine(role="x"), machine(ip="10.0.0.1"))
    ),
    ([], "record-absent", "EC2 does not know the machine", ADDRESS),
]


@pytest.mark.parametrize(("machines", "rule", "reason", "content"), DELETES, ids=lambda value: str(value)[:20])
def test_delete(machines: list[Instance], rule: str, reason: str, content: str) -> None:
    here = [record(content=content, created=OLD - timedelta(seconds=1))]
    (change,) = decided(world(machines, here, absent=[] if machines else [TEACHER])).changes
    assert change == whole(
        DeleteRecord,
        rule,
        reason,
        meeting=machines[0].meeting if machines else None,
        role=machines[0].role if machines else None,
        before=(("content", content), ("proxied", True), ("comment", MARK)),
        id="r1",
        evidence=(TEACHER,),
    )


def test_write_link_to_a_row_that_is_early() -> None:
    links = {"teacher": "https://by-hand.example.org"}
    rows = [row(status="LAUNCHED", ids={"teacher": TEACHER}, links=links, meet_time=NOW.isoformat())]
    (change,) = decided(world([machine()], [record()], rows)).changes
    sets = (("teacher_ec2_link", link(TEACHER)), ("status", "DNS_WRITTEN"))
    assert change == whole(
        WriteLink,
        "link-current",
        "the teacher's machine is running and its record is in place",
        before=(("teacher_ec2_link", "https://by-hand.example.org"), ("status", "LAUNCHED")),
        after=sets,
        write=RowWrite(conditions=(Condition("teacher_ec2_id", (TEACHER,)), EARLY), sets=sets),
        begins=NOW,
    )


def test_write_link_over_a_dead_one() -> None:
    machines = [machine(), machine(OTHER, state="stopped", ip=None)]
    rows = [row(status="HEALTHY", links={"teacher": link(OTHER)})]
    (change,) = decided(world(machines, [record()], rows)).changes
    sets = (("teacher_ec2_link", link(TEACHER)),)
    assert change == whole(
        WriteLink,
        "link-current",
        "the teacher's machine is running and its record is in place",
        before=(("teacher_ec2_link", link(OTHER)),),
        after=sets,
        write=RowWrite(
            conditions=(Condition("teacher_ec2_id", (None,)), Condition("status", ("HEALTHY",))),
            sets=sets,
        ),
        evidence=(OTHER,),
    )


CLEARS = [
    (machine(OTHER, state="stopping"), "link-dead", "the link leads to a machine that is stopping"),
    (machine(OTHER, meeting="m2"), "link-astray", "the link leads to the teacher's machine of meeting m2"),
    (machine(OTHER, role="student"), "link-astray", "the link leads to the student's machine of meeting m1"),
]


@pytest.mark.parametrize(("linked", "rule", "reason"), CLEARS, ids=lambda value: str(value)[:20])
def test_clear_link(linked: Instance, rule: str, reason: str) -> None:
    rows = [row(status="HEALTHY", links={"teacher": link(OTHER)}), row("m2", None)]
    changes = decided(world([linked], [record(OTHER)], rows)).changes
    (change,) = (change for change in changes if isinstance(change, ClearLink))
    assert change == whole(
        ClearLink,
        rule,
        reason,
        instance=OTHER,
        before=(("teacher_ec2_link", link(OTHER)),),
        after=(("teacher_ec2_link", None),),
        write=RowWrite(
            conditions=(Condition("teacher_ec2_link", (link(OTHER),)), STATUS_STAYS), removes=("teacher_ec2_link",)
        ),
        evidence=(OTHER,),
    )


def over(meeting: Meeting, *machines: Instance) -> Change:
    (change,) = decided(world(machines, rows=[meeting], absent=[STUDENT])).changes
    return change


def test_end_of_a_meeting() -> None:
    links = {"teacher": link(TEACHER), "student": "https://by-hand.example.org"}
    change = over(row(status="HEALTHY", ids={"teacher": TEACHER}, links=links), machine(state="terminated"))
    assert change == whole(
        EndMeeting,
        "meeting-over",
        f"all its machines are gone: {TEACHER}",
        instance=None,
        role=None,
        before=(("status", "HEALTHY"), ("teacher_ec2_link", link(TEACHER))),
        after=(("status", "TERMINATED"), ("termination_reason", "INSTANCES_GONE"), ("teacher_ec2_link", None)),
        write=RowWrite(
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
        evidence=(TEACHER,),
    )


def test_end_of_a_meeting_that_has_a_reason_and_rests_on_absence() -> None:
    ids, links = {"teacher": TEACHER, "student": STUDENT}, {"student": link(STUDENT)}
    late = (NOW - timedelta(days=2)).isoformat()
    about = row(status="HEALTHY", ids=ids, links=links, meet_time=late, reason="TIME_OVER")
    change = over(about, machine(state="terminated"))
    assert change.after == (("status", "TERMINATED"), ("student_ec2_link", None))
    assert isinstance(change, EndMeeting)
    assert (change.write.defaults, change.write.removes) == ((), ("student_ec2_link",))
    assert change.reason == f"all its machines are gone: {TEACHER}, {STUDENT}"
    assert change.evidence == (TEACHER, STUDENT)


def test_an_end_rests_on_the_machines_that_its_links_lead_to_as_well() -> None:
    gone = [machine(state="terminated"), machine(OTHER, meeting="m2", state="terminated")]
    change = over(row(status="HEALTHY", links={"teacher": link(OTHER)}), *gone)
    assert change.evidence == (TEACHER, OTHER)


def test_what_a_row_does_not_have_is_shown_as_nothing() -> None:
    (change,) = decided(world([machine()], [record()], [row(status="HEALTHY")])).changes
    assert change.before == (("teacher_ec2_link", None),)


def test_a_machine_without_a_launch_time_comes_first() -> None:
    (change,) = decided(world([machine(launched=None)])).changes
    assert isinstance(change, CreateRecord)
    assert change.launched == 0.0


def test_of_a_row_no_more_is_shown_than_a_person_reads() -> None:
    rows = [row(status="HEALTHY", links={"teacher": "y" * 500})]
    (change,) = decided(world([machine()], [record(created=YOUNG)], rows)).changes
    assert change.before == (("teacher_ec2_link", "y" * 200),)
