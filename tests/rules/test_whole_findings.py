"""A finding of each kind as a whole: its id, the thing that it is about, and what is said of it."""

from datetime import timedelta

import pytest

from controller.model import Odd, World
from tests.build import (
    ADDRESS,
    ELSEWHERE,
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
    shown,
    world,
)

FOREIGN = "elephant-dns:somebody/else"
HOUR_AGO = NOW - timedelta(hours=1)
NUMBER = Odd("N", '{"N": "5"}')
STOPPED = machine(state="stopped", ip=None)
HERE = [machine()]

FINDINGS = [
    (world([machine(tagged=False)]), "untagged-instance", TEACHER, "does not carry the project's tag"),
    (world([machine(meeting=" ")]), "unclaimed-instance", TEACHER, "MeetingID ' ' and Role 'teacher' do not say"),
    (world([machine(ip=None, launched=HOUR_AGO)]), "no-public-address", TEACHER, "without a public IPv4 address"),
    (world(HERE, [record()], rowless=["m1"]), "missing-meeting", "m1", f"Machine {TEACHER} belongs to a meeting"),
    (world(HERE, [record()], [row(status="TERMINATED")]), "terminated-meeting-alive", "m1", f"machine {TEACHER} still"),
    (
        world([machine(), machine(OTHER)], [record(), record(OTHER)], [row(links={"teacher": link(OTHER)})]),
        "several-serving",
        "m1",
        f"2 running machines serve the teacher: {TEACHER}, {OTHER}",
    ),
    (
        world(rows=[row(status="LAUNCHED", ids={"teacher": TEACHER})], absent=[TEACHER]),
        "instance-not-seen",
        "m1",
        f"{TEACHER} as the teacher's machine",
    ),
    (
        world([machine(meeting="m2", ip=None)], rows=[row(ids={"teacher": TEACHER})]),
        "wrong-instance",
        "m1",
        f"{TEACHER} as the teacher's machine; its tags say 'teacher' of 'm2'",
    ),
    (world(rows=[row(status=NUMBER)]), "odd-row", "m1", f"status has {NUMBER}, not a string"),
    (world(rows=[row(meet_time=NUMBER)]), "odd-row", "m1", f"meet_time has {NUMBER}, not a string"),
    (world(rows=[row(links={"student": NUMBER})]), "odd-row", "m1", f"student_ec2_link has {NUMBER}, not a string"),
    (world(rows=[row(ids={"student": NUMBER})]), "odd-row", "m1", f"student_ec2_id has {NUMBER}, not a string"),
    (world(rows=[row(status="PAUSED")]), "odd-row", "m1", "status 'PAUSED' is not known to this project"),
    (world(rows=[row(ids={"student": "i-1"})]), "odd-row", "m1", "student_ec2_id 'i-1' is not an instance id"),
    (world([machine(ip="10.0.0.1")]), "address-not-routable", name(TEACHER), "address 10.0.0.1 is not public"),
    (
        world([STOPPED], [record(created=YOUNG), record(OTHER, id="r2", created=YOUNG)], absent=[OTHER]),
        "instance-not-seen",
        name(OTHER),
        "the machine of this young record",
    ),
    (
        world([STOPPED], [record(comment="by hand")]),
        "unmarked-record",
        name(TEACHER),
        f"An unmarked A record ({ADDRESS}) stands at a name where no machine is served",
    ),
    (
        world([STOPPED], [record(OTHER), record(OTHER, id="r2", comment="by hand")], absent=[OTHER]),
        "unmarked-record",
        name(OTHER),
        "stands at a name where no machine is served",
    ),
    (
        world(HERE, [record(), record(content=ELSEWHERE, id="r2", comment="by hand")]),
        "unmarked-record",
        name(TEACHER),
        f"An unmarked A record ({ELSEWHERE}) answers beside ours",
    ),
    (world(HERE, [record(comment=FOREIGN)]), "foreign-record", name(TEACHER), f"a record here ({FOREIGN})"),
    *(
        (
            world(HERE, [record(), record(content="x", id="r2", type=kind, comment="")]),
            "conflicting-record",
            name(TEACHER),
            f"stands {kind} x: {effect}",
        )
        for kind, effect in (
            ("CNAME", "it excludes an A record: none is created, and no link is written"),
            ("NS", "it excludes an A record: none is created, and no link is written"),
            ("AAAA", "it answers beside our A record, and leads browsers with IPv6 elsewhere"),
        )
    ),
    (
        world([machine(tagged=False)], [record()], listed=0),
        "guarded-change-held",
        TEACHER,
        f"delete-record {name(TEACHER)}",
    ),
]


@pytest.mark.parametrize(("seen", "kind", "key", "told"), FINDINGS, ids=lambda value: str(value)[:24])
def test_a_finding_is_about_one_thing_and_names_it(seen: World, kind: str, key: str, told: str) -> None:
    (finding,) = (finding for finding in decided(seen).findings if finding.id == kind)
    assert finding.key == key
    assert told in finding.message
    assert finding.hint


@pytest.mark.parametrize(("kind", "is_adoptable"), [("A", True), ("AAAA", False), ("CNAME", False)])
def test_adoption_is_offered_for_a_records_alone(kind: str, is_adoptable: bool) -> None:
    (finding,) = decided(world([STOPPED], [record(type=kind, comment="by hand")])).findings
    offered = "; ADOPT_UNMARKED=true makes the controller own such A records" if is_adoptable else ""
    assert finding.hint == f"Delete it by hand if it is a leftover{offered}."


def test_a_world_that_is_right_has_no_finding() -> None:
    links = {"teacher": link(TEACHER)}
    wanted = decided(world([machine()], [record(comment=f"{MARK} teacher of m1")], [row(links=links)]))
    assert (wanted.changes, wanted.findings) == ((), ())


def test_ten_minutes_without_an_address_and_not_more_are_borne() -> None:
    assert found(decided(world([machine(ip=None, launched=NOW - timedelta(minutes=10))]))) == []


def test_a_meeting_is_overdue_when_more_than_a_day_has_passed_since_its_time() -> None:
    def ends(meet_time: str) -> bool:
        launched = row(status="LAUNCHED", ids={"teacher": TEACHER}, meet_time=meet_time)
        return bool(decided(world(rows=[launched], absent=[TEACHER]), force=True).changes)

    assert not ends((NOW - timedelta(days=1)).isoformat())
    assert ends((NOW - timedelta(days=1, seconds=1)).isoformat())
    assert not ends("2026-01-99")


def test_a_machine_that_has_lost_its_tag_is_no_member_of_a_meeting() -> None:
    rows = [row(status="HEALTHY", ids={"student": STUDENT})]
    machines = [machine(tagged=False), machine(STUDENT, role="student", state="terminated")]
    assert ("terminate-meeting", "meeting-over") in shown(decided(world(machines, rows=rows, listed=9)))


def test_a_hint_behind_the_mark_does_not_make_a_record_somebody_elses() -> None:
    seen = world([STOPPED], [record(comment=f"{MARK} teacher of m1")])
    assert shown(decided(seen)) == [("delete-record", "record-stopped")]


def test_a_hint_that_is_cut_at_a_space_does_not_end_with_one() -> None:
    meeting = "x" * (99 - len(f"{MARK} teacher of ")) + " y"
    (change,) = decided(world([machine(meeting=meeting)])).changes
    assert dict(change.after)["comment"] == f"{MARK} teacher of {meeting[:-2]}"


def test_every_id_that_a_row_names_counts_into_the_population() -> None:
    both = row("m8", "HEALTHY", ids={"teacher": OTHER, "student": STUDENT})
    wanted = decided(
        world([machine(tagged=False)], [record()], [both], listed=1),
        settings(MAX_GUARDED_DELETES="0", MAX_GUARDED_DELETE_PERCENT="30"),
    )
    assert "1 of 3 known machines" in (wanted.guard.reason or "")


def test_an_empty_listing_names_the_tag_that_nothing_bears() -> None:
    held = decided(world([machine(role="?")], [record()], listed=0))
    assert "the tag Project=Elephant in" in (held.guard.reason or "")
