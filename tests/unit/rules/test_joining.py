"""Whether somebody can join: each thing that can be in the way, the first cause first."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from controller.model import DnsRecord, Instance, Meeting, NonString, World, Zone
from controller.rules.facts import Facts
from controller.rules.joining import Verdict, can_join
from tests.support.build import (
    ADDRESS,
    ELSEWHERE,
    NOW,
    OLD,
    OTHER,
    STUDENT,
    TEACHER,
    YOUNG,
    link,
    machine,
    name,
    record,
    row,
    settings,
    world,
)

SERVED: dict[str, Any] = {"ids": {"teacher": TEACHER}, "links": {"teacher": link(TEACHER)}}
LESSON = row(status="HEALTHY", **SERVED)
FOREIGN = "elephant-dns:somebody/else"


def judged(
    meeting: Meeting = LESSON,
    machines: Iterable[Instance] = (machine(),),
    records: Iterable[DnsRecord] = (record(),),
    *,
    rows: Iterable[Meeting] = (),
    absent: Iterable[str] = (),
) -> Verdict:
    """Whether the teacher can join; all is well by default."""
    seen = World(
        now=NOW,
        instances={m.id: m for m in machines},
        absent=frozenset(absent),
        records=tuple(records),
        meetings={m.id: m for m in (meeting, *rows)},
        rowless=frozenset(),
        zone=Zone("example.com", holds_domain=True),
    )
    return can_join(Facts.of(seen, settings()), meeting, "teacher")


@pytest.mark.parametrize("status", ["HEALTHY", "IN_PROGRESS"])
def test_where_all_is_well_they_can_join_and_it_says_which_way(status: str) -> None:
    verdict = judged(row(status=status, **SERVED))
    assert (verdict.yes, verdict.machine) == (True, TEACHER)
    assert verdict.because == f"the link leads to {TEACHER} at {ADDRESS}, and the status is {status}"


@pytest.mark.parametrize(
    ("status", "because"),
    [
        (None, "the status is none, and the page waits for HEALTHY"),
        ("LAUNCHED", "the status is LAUNCHED, and the page waits for HEALTHY"),
        ("DNS_WRITTEN", "the status is DNS_WRITTEN, and the page waits for HEALTHY"),
        ("TERMINATED", "the meeting is over (TERMINATED)"),
        ("COMPLETED", "the join function sends nobody to a machine in the status COMPLETED"),
        (NonString("N", "1"), "the join function sends nobody to a machine in the status (DynamoDB type N)"),
    ],
)
def test_in_another_status_the_page_sends_nobody(status: Any, because: str) -> None:
    assert judged(row(status=status, **SERVED)) == Verdict(False, because, TEACHER)


@pytest.mark.parametrize(
    ("seen", "because"),
    [
        (machine(state="stopped", ip=None), f"its machine {TEACHER} is stopped"),
        (machine(state="shutting-down"), f"its machine {TEACHER} is shutting-down"),
        (machine(state="hibernating"), f"its machine {TEACHER} is hibernating"),
        (machine(state="pending", ip=None), f"its machine {TEACHER} is still pending"),
        (machine(ip=None), f"its machine {TEACHER} has no public address yet"),
        (machine(role="student"), f"the machine {TEACHER} is the student's of meeting m1"),
        (machine(role="student", meeting="renamed"), f"the machine {TEACHER} is the student's of meeting renamed"),
        (machine(role="student", meeting=None), f"the machine {TEACHER} is the student's of meeting none"),
        (machine(meeting="m2"), f"the machine {TEACHER} is the teacher's of meeting m2"),
    ],
)
@pytest.mark.parametrize("meeting", [LESSON, row(ids={"teacher": TEACHER})], ids=["linked", "named"])
def test_a_machine_that_cannot_serve_is_in_the_way(meeting: Meeting, seen: Instance, because: str) -> None:
    assert judged(meeting, [seen], rows=[row("m2")]) == Verdict(False, because, TEACHER)


def test_a_machine_that_ec2_does_not_know_is_in_the_way() -> None:
    for absent in ([], [TEACHER]):
        because = f"EC2 does not know its machine {TEACHER}"
        assert judged(machines=[], absent=absent) == Verdict(False, because, TEACHER)


@pytest.mark.parametrize(
    "seen",
    [
        machine(tagged=False),
        machine(tagged=False, meeting=None, role=None),
        machine(meeting=None),
        machine(role=None),
        machine(role="assistant"),
        machine(meeting="renamed"),
    ],
)
def test_a_lost_or_changed_tag_is_not_in_the_way(seen: Instance) -> None:
    assert judged(machines=[seen]).yes


@pytest.mark.parametrize(
    ("records", "because"),
    [
        ([], f"its name {name(TEACHER)} has no record"),
        ([record(type="AAAA", content="2001:db8::1")], f"its name {name(TEACHER)} has no record"),
        ([record(content=ELSEWHERE)], f"its name {name(TEACHER)} leads to {ELSEWHERE}, which is not the machine's"),
        ([record(), record(content=ELSEWHERE, id="r2", comment="")], f"leads to {ELSEWHERE}"),
        ([record(proxied=False)], f"the record at its name {name(TEACHER)} is not proxied"),
        ([record(type="CNAME", content="a.example.org")], f"its name {name(TEACHER)} has a record of type CNAME"),
        ([record(), record(type="NS", content="ns.example.org", id="r2")], "has a record of type NS"),
    ],
)
def test_a_name_that_leads_elsewhere_is_in_the_way(records: list[DnsRecord], because: str) -> None:
    verdict = judged(records=records)
    assert (verdict.yes, because in verdict.because) == (False, True), verdict


@pytest.mark.parametrize(
    "records",
    [
        [record(comment=FOREIGN)],
        [record(comment="")],
        [record(), record(id="r2", comment=FOREIGN)],
        [record(), record(type="AAAA", content="2001:db8::1", id="r2")],
    ],
)
def test_whose_record_leads_to_the_machine_does_not_matter(records: list[DnsRecord]) -> None:
    assert judged(records=records).yes


@pytest.mark.parametrize("links", [{}, {"teacher": ""}, {"teacher": None}, {"teacher": NonString("NULL", "true")}])
def test_without_a_link_what_comes_before_it_is_said_first(links: dict[str, Any]) -> None:
    meeting = row(status="HEALTHY", ids={"teacher": TEACHER}, links=links)
    assert judged(meeting) == Verdict(False, "its link is not written yet", TEACHER)
    assert judged(meeting, records=[]).because == f"its name {name(TEACHER)} has no record"
    assert judged(replace(meeting, instance_ids={}), machines=[]) == Verdict(
        False, "it has no machine of this role", None
    )


@pytest.mark.parametrize("other", [f"https://{TEACHER}.example.org:8443", f"https://{TEACHER}.example.com:443", "x"])
def test_a_link_of_another_shape_is_in_the_way(other: str) -> None:
    meeting = row(status="HEALTHY", ids={"teacher": TEACHER}, links={"teacher": other})
    assert judged(meeting) == Verdict(
        False, f"its link {other} does not have this deployment's domain and port", TEACHER
    )


def test_a_link_to_a_machine_that_the_row_does_not_mean_is_in_the_way() -> None:
    meeting = row(status="HEALTHY", ids={"teacher": OTHER}, links={"teacher": link(TEACHER)})
    verdict = judged(meeting, [machine(), machine(OTHER)])
    assert verdict.because == f"its link leads to {TEACHER}, and the teacher's machine is {OTHER}"


def test_a_link_to_a_second_machine_leads_to_it() -> None:
    meeting = row(status="HEALTHY", links={"teacher": link(TEACHER)})
    assert judged(meeting, [machine(), machine(OTHER)]).yes


def test_of_several_machines_the_one_waited_for_is_named() -> None:
    gone, pending = machine(state="terminated", ip=None), machine(OTHER, state="pending", ip=None)
    student = machine(STUDENT, role="student")
    named = row(status="LAUNCHED", ids={"teacher": TEACHER})
    for machines in ([gone, pending, student], [student, pending, gone]):
        assert judged(named, machines).because == f"its machine {OTHER} is still pending"
    assert judged(named, [gone, student]).because == f"its machine {TEACHER} is terminated"
    assert judged(row(status="LAUNCHED"), [student]).because == "it has no machine of this role"


def test_missing_machine_may_be_in_a_cell_that_was_not_read() -> None:
    meeting = row(status="LAUNCHED")
    seen = replace(world(rows=[meeting]), unread=frozenset({"1/away"}))
    verdict = can_join(Facts.of(seen, settings()), meeting, "teacher")
    assert verdict.because == "no machine of this role was seen: cannot read 1/away"


@pytest.mark.parametrize(
    ("absent", "because"),
    [
        ([], f"its machine {TEACHER} was not seen: cannot read 1/away, 2/away"),
        ([TEACHER], f"EC2 does not know its machine {TEACHER}"),
    ],
)
def test_named_machine_may_be_in_a_cell_that_was_not_read(absent: list[str], because: str) -> None:
    seen = replace(world(rows=[LESSON], absent=absent), unread=frozenset({"2/away", "1/away"}))
    assert can_join(Facts.of(seen, settings()), LESSON, "teacher") == Verdict(False, because, TEACHER)


@pytest.mark.parametrize("newest", [TEACHER, OTHER])
def test_without_a_link_the_newest_machine_is_waited_for(newest: str) -> None:
    machines = [machine(id, launched=YOUNG if id == newest else OLD) for id in (TEACHER, OTHER)]
    assert judged(row(status="LAUNCHED"), machines).machine == newest


def test_a_value_of_any_length_is_cut() -> None:
    assert len(judged(row(status="x" * 10_000)).because) < 300
    assert len(judged(row(status="HEALTHY", links={"teacher": "x" * 10_000})).because) < 300
