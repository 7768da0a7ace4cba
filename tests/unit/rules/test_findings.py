"""Findings: each kind is seen in its world, is about one thing, names it, says what to do, and changes nothing.

Of what stands at a machine's name more is in ``test_records.py``, of what is held in ``test_guards.py``.
"""

import json
from datetime import timedelta

import pytest

from controller.model import NonString, Value, World
from tests.support.build import (
    ADDRESS,
    ELSEWHERE,
    FOREIGN,
    MARK,
    NOW,
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
    settings,
    world,
)

HOUR_AGO, LATE = NOW - timedelta(hours=1), (NOW - timedelta(days=2)).isoformat()
NUMBER = NonString("N", '{"N": "5"}')
STOPPED = machine(state="stopped", ip=None)
HERE, NAMED = [machine()], {"teacher": TEACHER}

FINDINGS = [
    (world([machine(tagged=False)]), "untagged-instance", TEACHER, "does not carry the project's tag"),
    (world([machine(meeting=" ")]), "unclaimed-instance", TEACHER, "MeetingID ' ' and Role 'teacher' do not assign"),
    (world([machine(role="x")]), "unclaimed-instance", TEACHER, "Role 'x' do not assign"),
    (world([machine(ip=None, launched=HOUR_AGO)]), "no-public-address", TEACHER, "without a public IPv4 address"),
    (world(HERE, [record()], rowless=["m1"]), "missing-meeting", "m1", f"meeting of machine {TEACHER}"),
    *(
        (
            world([alive], [], [row(status="TERMINATED", ids=NAMED)]),
            "terminated-meeting-alive",
            "m1",
            f"{TEACHER} still",
        )
        for alive in (
            machine(),
            STOPPED,
            machine(tagged=False),
            machine(meeting=None),
            machine(state="pending", ip=None),
        )
    ),
    (
        world([machine(), machine(OTHER)], [record(), record(OTHER)], [row(links={"teacher": link(OTHER)})]),
        "several-serving",
        "m1",
        f"2 running machines serve the teacher: {TEACHER}, {OTHER}",
    ),
    (
        world(rows=[row(status="LAUNCHED", ids=NAMED)], absent=[TEACHER]),
        "instance-not-seen",
        "m1",
        f"{TEACHER} as the teacher's machine",
    ),
    (
        world([STOPPED], [record(created=YOUNG), record(OTHER, id="r2", created=YOUNG)], absent=[OTHER]),
        "instance-not-seen",
        name(OTHER),
        "the machine of this young record",
    ),
    (
        world([], [record(created=None)], absent=[TEACHER]),
        "undated-record",
        name(TEACHER),
        f"does not say when this record ({ADDRESS}) was written",
    ),
    (
        world([machine(meeting="m2", ip=None)], rows=[row(ids=NAMED)]),
        "wrong-instance",
        "m1",
        f"{TEACHER} as the teacher's machine, but its tags say 'teacher' of 'm2'",
    ),
    *(
        (world([], [record(comment=FOREIGN)], [row(ids=NAMED)], absent=absent), "foreign-instance", "m1", FOREIGN)
        for absent in ([TEACHER], [])
    ),
    (
        world([machine(meeting="m2")], [record(comment=FOREIGN)], [row(ids=NAMED), row("m2")]),
        "foreign-instance",
        "m1",
        f"{TEACHER} as the teacher's machine",
    ),
    *(
        (
            world(HERE, [record()], [row(links={"teacher": other})]),
            "link-of-another-domain",
            "m1",
            f"link {other} leads",
        )
        for other in (f"https://{TEACHER}.example.org:8443", f"https://{TEACHER.upper()}.example.com:443")
    ),
    (
        world(rows=[row(ids=NAMED, links={"teacher": f"https://{TEACHER}.example.org:8443"})], absent=[TEACHER]),
        "link-of-another-domain",
        "m1",
        "under another domain or port",
    ),
    (
        world(rows=[row(status="LAUNCHED", ids=NAMED, meet_time=LATE)], absent=[TEACHER]),
        "meeting-late",
        "m1",
        "its status is still LAUNCHED",
    ),
    (
        world(
            [machine(STUDENT, state="terminated")],
            [record(comment=FOREIGN)],
            [row(ids=NAMED, meet_time=LATE)],
            absent=[TEACHER],
        ),
        "meeting-late",
        "m1",
        "its status is still DNS_WRITTEN",
    ),
    (
        world(
            [machine(state="terminated")],
            rows=[row(status="LAUNCHED", ids=NAMED, links={"teacher": link(OTHER)}, meet_time=LATE)],
            absent=[OTHER],
        ),
        "meeting-late",
        "m1",
        "none of its machines is up",
    ),
    (world([STOPPED], [record(comment=FOREIGN)]), "orphaned-record", name(TEACHER), f"mark ({FOREIGN}) still leads"),
    (world(rows=[row(status=NUMBER)]), "odd-row", "m1", f"status has {NUMBER}, not a string"),
    (world(rows=[row(meet_time=NUMBER)]), "odd-row", "m1", f"meet_time has {NUMBER}, not a string"),
    (world(rows=[row(links={"student": NUMBER})]), "odd-row", "m1", f"student_ec2_link has {NUMBER}, not a string"),
    (world(rows=[row(ids={"student": NUMBER})]), "odd-row", "m1", f"student_ec2_id has {NUMBER}, not a string"),
    (world(rows=[row(status="PAUSED")]), "odd-row", "m1", "status 'PAUSED' is unknown"),
    (world(rows=[row(status="")]), "odd-row", "m1", "status '' is unknown"),
    (world(rows=[row(ids={"student": "i-1"})]), "odd-row", "m1", "student_ec2_id 'i-1' is not an instance id"),
    (world(rows=[row(ids={"student": f" {TEACHER}"})]), "odd-row", "m1", "is not an instance id"),
    (world([machine(ip="10.0.0.1")]), "address-not-routable", name(TEACHER), "address 10.0.0.1 is not public"),
    (
        world([STOPPED], [record(comment="by hand")]),
        "unmarked-record",
        name(TEACHER),
        f"An unmarked A record ({ADDRESS}) is at the name of a machine that is not served",
    ),
    (
        world([STOPPED], [record(OTHER), record(OTHER, id="r2", comment="by hand")], absent=[OTHER]),
        "unmarked-record",
        name(OTHER),
        "is at the name of a machine that is not served",
    ),
    (
        world(HERE, [record(), record(content=ELSEWHERE, id="r2", comment="by hand")]),
        "unmarked-record",
        name(TEACHER),
        f"An unmarked A record ({ELSEWHERE}) answers beside the own one",
    ),
    (
        world(HERE, [record(comment=FOREIGN)]),
        "foreign-record",
        name(TEACHER),
        "it leads to the machine, so the link is",
    ),
    *(
        (
            world(HERE, [other]),
            "foreign-record",
            name(TEACHER),
            f"({FOREIGN}). The pass skips it: no record is created",
        )
        for other in (record(content=ELSEWHERE, comment=FOREIGN), record(comment=FOREIGN, proxied=False))
    ),
    *(
        (
            world(HERE, [record(), record(content="x", id="r2", type=kind, comment="")]),
            "conflicting-record",
            name(TEACHER),
            f"has a record {kind} x: {effect}",
        )
        for kind, effect in (
            ("CNAME", "it excludes an A record: none is created, and no link is written"),
            ("NS", "it excludes an A record: none is created, and no link is written"),
            ("AAAA", "it is not needed"),
        )
    ),
]


@pytest.mark.parametrize(
    ("seen", "kind", "key", "said"), FINDINGS, ids=[f"{kind}-{number}" for number, (_, kind, *_) in enumerate(FINDINGS)]
)
def test_a_finding_is_about_one_thing_names_it_and_says_what_to_do(seen: World, kind: str, key: str, said: str) -> None:
    (finding,) = (finding for finding in decided(seen).findings if finding.id == kind)
    assert finding.key == key
    assert said in finding.message
    assert all(not text[0].islower() and text.endswith(".") for text in (finding.message, finding.hint))


def test_foreign_instance_names_every_mark_in_one_order() -> None:
    marks = [record(comment=FOREIGN), record(id="r2", content=ELSEWHERE, comment="elephant-dns:")]
    for records in (marks, marks[::-1]):
        (finding,) = decided(world([], records, [row(ids=NAMED)], absent=[TEACHER])).findings
        assert f"(elephant-dns:, {FOREIGN})" in finding.message


SILENT = {
    "a world that is right": world(
        HERE, [record(comment=f"{MARK} hint")], [row(status="HEALTHY", links={"teacher": link(TEACHER)})]
    ),
    "ten minutes without an address": world([machine(ip=None, launched=NOW - timedelta(minutes=10))]),
    "pending for long": world([machine(state="pending", ip=None, launched=HOUR_AGO)]),
    "an unknown launch": world([machine(ip=None, launched=None)]),
    "a row that is gone, and so is its machine": world([machine(state="terminated")], rowless=["m1"]),
    "history without machines": world([machine(state="terminated")], [], [row(status="TERMINATED", ids=NAMED)]),
    "history that EC2 has forgotten": world([], [], [row(status="TERMINATED", ids=NAMED)], absent=[TEACHER]),
    **{
        f"{status} names what is absent": world(
            [], [], [row(status=status, ids=NAMED, meet_time=LATE)], absent=[TEACHER]
        )
        for status in ("SCHEDULED", "PENDING", None)
    },
    "a machine that was not looked at": world([], [], [row(ids=NAMED, meet_time=LATE)]),
    "another domain, another machine": world(
        HERE, [record()], [row(status="HEALTHY", links={"student": f"https://{TEACHER}.x.org"})]
    ),
    "an old owner's record of a machine that is up": world([machine(tagged=False)], [record(comment=FOREIGN)]),
    "a late meeting without machines": world([], [], [row(meet_time=LATE)]),
    "a late meeting in a scoped pass": world(
        [machine(state="terminated")], [], [row(ids=NAMED, meet_time=LATE)], scope=[TEACHER]
    ),
}


@pytest.mark.parametrize("seen", SILENT.values(), ids=SILENT)
def test_what_is_as_it_should_be_or_may_be_is_no_finding(seen: World) -> None:
    assert [kind for kind in found(decided(seen)) if kind != "untagged-instance"] == []


@pytest.mark.parametrize("value", ["", None, NonString("NULL", '{"NULL": true}')])
def test_an_empty_field_is_not_odd(value: Value) -> None:
    seen = world(rows=[row(ids={"teacher": value}, links={"teacher": value}, meet_time=value)])
    assert found(decided(seen)) == []


def test_a_meeting_that_this_pass_ends_is_not_late() -> None:
    over = world(rows=[row(ids=NAMED, meet_time=LATE)], absent=[TEACHER])
    assert found(decided(over)) == ["instance-not-seen"]


def test_row_naming_an_unclaimed_machine_yields_one_finding() -> None:
    assert found(decided(world([machine(role=None)], rows=[row(ids=NAMED)]))) == ["unclaimed-instance"]


@pytest.mark.parametrize(("kind", "is_adoptable"), [("A", True), ("AAAA", False), ("CNAME", False)])
def test_adoption_is_offered_for_a_records_alone(kind: str, is_adoptable: bool) -> None:
    (finding,) = decided(world([STOPPED], [record(type=kind, comment="by hand")])).findings
    assert ("ADOPT_UNMARKED" in finding.hint) is is_adoptable


def test_hostile_tags_change_nothing_and_are_findings() -> None:
    hostile = "x\x1b[2J\n|<b>@all</b>" + "é" * 240
    machines = [machine(role="teacher; DROP"), machine(OTHER, meeting=hostile, ip=ELSEWHERE)]
    wanted = decided(world(machines, [], [], rowless=[hostile]))
    assert found(wanted) == ["missing-meeting", "unclaimed-instance"]
    assert [change.meeting for change in wanted.changes] == [hostile]
    assert json.dumps([finding.message for finding in wanted.findings])


def test_a_hint_that_is_cut_at_a_space_does_not_end_with_one() -> None:
    meeting = "x" * (99 - len(f"{MARK} teacher of ")) + " y"
    (change,) = decided(world([machine(meeting=meeting)])).changes
    assert dict(change.after)["comment"] == f"{MARK} teacher of {meeting[:-2]}"


def test_with_adoption_a_leftover_is_ours_and_no_finding() -> None:
    wanted = decided(world([STOPPED], [record(comment="by hand")]), settings(ADOPT_UNMARKED="true"))
    assert found(wanted) == []
