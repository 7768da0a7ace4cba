"""What a machine's state is evidence for: each class, and what it is enough for at a name, in a row, for an end."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from controller.model import DnsRecord, Instance, Meeting, NonString, Value, World
from controller.rules.facts import Facts, InstanceClass
from tests.support.build import (
    ADDRESS,
    ELSEWHERE,
    FOREIGN,
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
    record,
    row,
    settings,
    shown,
    world,
)

#: A machine as EC2 shows it, or a name for not showing it.
Seen = Instance | str
ABSENT, UNKNOWN = "absent", "unknown"

GONE = [machine(state="shutting-down"), machine(state="terminated", ip=None)]
STOPPED = [machine(state="stopping"), machine(state="stopped", ip=None)]
LOST = [machine(tagged=False), machine(tagged=False, meeting=None, role=None)]
UNCLAIMED = [machine(meeting=None), machine(meeting="  "), machine(role=None), machine(role="Teacher")]
WITHOUT_ADDRESS = [
    machine(ip=None),
    machine(state="pending", ip=None),
    machine(tagged=False, ip=None),
    machine(role=None, ip=None),
]
CLASSES = [
    *((seen, InstanceClass.GONE) for seen in GONE),
    (machine(state="terminated", tagged=False), InstanceClass.GONE),
    (ABSENT, InstanceClass.ABSENT),
    *((seen, InstanceClass.STOPPED) for seen in STOPPED),
    (machine(state="stopped", role=None), InstanceClass.STOPPED),
    *((seen, InstanceClass.UNTAGGED) for seen in LOST),
    (machine(state="pending", tagged=False), InstanceClass.UNTAGGED),
    *((seen, InstanceClass.UNCLAIMED) for seen in UNCLAIMED),
    (machine(state="pending", role=None), InstanceClass.UNCLAIMED),
    (machine(state="pending"), InstanceClass.STARTING),
    (machine(ip=None), InstanceClass.STARTING),
    (machine(ip=""), InstanceClass.STARTING),
    (machine(), InstanceClass.SERVING),
    (UNKNOWN, InstanceClass.UNKNOWN),
    (machine(state="hibernating"), InstanceClass.UNKNOWN),
]


def told(value: object) -> str:
    """A machine as it stands in a test's name."""
    if not isinstance(value, Instance):
        return str(getattr(value, "content", value))[:40]
    tags = f"{value.meeting!r}/{value.role}" if value.tagged else "untagged"
    return f"{value.state}-{'address' if value.public_ip else 'none'}-{tags}"


def seeing(seen: Seen, records: Iterable[DnsRecord] = (), rows: Iterable[Meeting] = ()) -> World:
    """A world in which the teacher's machine is seen so."""
    machines = [seen] if isinstance(seen, Instance) else []
    return world(machines, records, rows, absent=[TEACHER] if seen == ABSENT else [])


def lesson(
    status: str = "HEALTHY", *, meet_time: Value = None, links: Mapping[str, Value] | None = None
) -> list[Meeting]:
    """A row that names the teacher's machine."""
    return [row(status=status, ids={"teacher": TEACHER}, links=links, meet_time=meet_time)]


@pytest.mark.parametrize(("seen", "kind"), CLASSES, ids=told)
def test_the_class_is_the_first_that_fits(seen: Seen, kind: InstanceClass) -> None:
    assert Facts.of(seeing(seen), settings()).class_of(TEACHER) is kind


OWN, ANOTHER = record(content=ADDRESS, created=YOUNG), record(content=ELSEWHERE, created=YOUNG)
BEFORE_LAUNCH, AFTER_LAUNCH = (record(created=OLD + timedelta(seconds=s)) for s in (-1, 1))
UNDATED = record(created=None)
RECORDS = [
    *((seen, any_, [("delete-record", "record-gone")]) for seen in GONE for any_ in (OWN, ANOTHER)),
    *((seen, any_, [("delete-record", "record-stopped")]) for seen in STOPPED for any_ in (OWN, ANOTHER)),
    (machine(), OWN, []),
    (machine(), ANOTHER, [("update-record", "record-serving")]),
    *((seen, OWN, []) for seen in (*LOST, *UNCLAIMED, machine(state="pending"))),
    *((seen, ANOTHER, [("delete-record", "record-address")]) for seen in (*LOST, *UNCLAIMED, machine(state="pending"))),
    *((seen, BEFORE_LAUNCH, [("delete-record", "record-before-launch")]) for seen in WITHOUT_ADDRESS),
    *((seen, AFTER_LAUNCH, []) for seen in WITHOUT_ADDRESS),
    *((seen, record(created=OLD), []) for seen in WITHOUT_ADDRESS),
    *((seen, UNDATED, []) for seen in WITHOUT_ADDRESS),
    (machine(ip=None, launched=None), record(created=OLD), []),
    (ABSENT, record(created=OLD), [("delete-record", "record-absent")]),
    (ABSENT, record(created=YOUNG), []),
    (ABSENT, UNDATED, []),
    *((seen, record(created=OLD), []) for seen in (UNKNOWN, machine(state="hibernating"))),
]


@pytest.mark.parametrize(("seen", "here", "changes"), RECORDS, ids=told)
def test_what_the_machine_is_evidence_for_at_its_name(
    seen: Seen, here: DnsRecord, changes: list[tuple[str, str]]
) -> None:
    assert shown(decided(seeing(seen, [here]))) == changes


def test_a_record_was_last_written_when_it_was_modified_else_created() -> None:
    for at_rest, changes in ((OLD, [("delete-record", "record-absent")]), (YOUNG, [])):
        assert shown(decided(seeing(ABSENT, [record(created=OLD, modified=at_rest)]))) == changes
        assert shown(decided(seeing(ABSENT, [record(created=None, modified=at_rest)]))) == changes
    fixed = record(created=OLD - timedelta(hours=1), modified=OLD + timedelta(seconds=1))
    assert not decided(seeing(machine(ip=None), [fixed])).changes, "it was fixed after the machine's last start"


@pytest.mark.parametrize(("seconds", "goes"), [(900, False), (901, True)])
def test_a_record_is_old_after_fifteen_minutes(seconds: int, goes: bool) -> None:
    seen = seeing(ABSENT, [record(created=NOW - timedelta(seconds=seconds))])
    assert bool(decided(seen).changes) is goes
    assert found(decided(seen)) == ([] if goes else ["instance-not-seen"])


def test_undated_record_of_an_absent_machine_asks_for_a_fix_by_hand() -> None:
    (finding,) = decided(seeing(ABSENT, [UNDATED])).findings
    assert finding.id == "undated-record"
    assert "by hand" in finding.hint


TO_TEACHER = {"teacher": link(TEACHER)}
LINKS = [
    *((seen, "link-dead") for seen in (*GONE, *STOPPED)),
    *((replace(seen, tagged=False), "link-dead") for seen in (*GONE, *STOPPED)),
    *((seen, None) for seen in (machine(), *LOST, *UNCLAIMED, machine(state="pending"))),
    (machine(role="student"), "link-astray"),
    (machine(role="student", tagged=False), "link-astray"),
    (machine(meeting="m2"), "link-astray"),
    (machine(meeting="m2", tagged=False), "link-astray"),
    (machine(meeting="m2", role="?"), "link-astray"),
    (machine(meeting="nobody's"), None),
    (machine(meeting="nobody's", role="student"), "link-astray"),
    (machine(meeting=None, role="student"), "link-astray"),
    *((seen, None) for seen in WITHOUT_ADDRESS),
    (machine(ip=None, meeting="m2"), None),
    (machine(ip=None, role="student"), None),
    *((seen, None) for seen in (ABSENT, UNKNOWN, machine(state="hibernating"))),
]


@pytest.mark.parametrize(("seen", "rule"), LINKS, ids=told)
def test_what_the_machine_is_evidence_for_of_a_link_to_it(seen: Seen, rule: str | None) -> None:
    machines = [machine(STUDENT, state="pending", ip=None, role="student")]  # somebody for whom the meeting goes on
    machines += [seen] if isinstance(seen, Instance) else []
    rows = [row(status="HEALTHY", links=TO_TEACHER), row("m2", None)]
    seen_so = world(machines, [record()], rows, absent=[TEACHER] if seen == ABSENT else [])
    changes = [c for c in decided(seen_so).changes if (c.key, c.role) == ("m1", "teacher")]
    assert shown(changes) == ([("clear-link", rule)] if rule else [])


TOMORROW, YESTERDAY = (NOW + timedelta(days=1)).isoformat(), (NOW - timedelta(hours=24, seconds=1)).isoformat()
COUNTING = [
    *((seen, when, True) for seen in GONE for when in (TOMORROW, YESTERDAY, None)),
    *((seen, YESTERDAY, False) for seen in (*STOPPED, *LOST, *UNCLAIMED, *WITHOUT_ADDRESS, machine())),
    (ABSENT, YESTERDAY, True),
    (ABSENT, TOMORROW, False),
    (ABSENT, None, False),
    *((seen, YESTERDAY, False) for seen in (UNKNOWN, machine(state="hibernating"))),
]


def ends(seen: World) -> bool:
    return ("terminate-meeting", "meeting-over") in shown(decided(seen))


@pytest.mark.parametrize(("seen", "meet_time", "counts"), COUNTING, ids=told)
@pytest.mark.parametrize("status", ["DNS_WRITTEN", "HEALTHY", "IN_PROGRESS"])
def test_what_counts_towards_a_meetings_end(seen: Seen, meet_time: str | None, counts: bool, status: str) -> None:
    assert ends(seeing(seen, rows=lesson(status, meet_time=meet_time))) is counts


def test_absence_never_ends_a_meeting_that_was_only_launched() -> None:
    late = (NOW - timedelta(days=300)).isoformat()
    wanted = decided(seeing(ABSENT, rows=lesson("LAUNCHED", meet_time=late)))
    assert wanted.changes == ()
    assert found(wanted) == ["instance-not-seen", "meeting-late"]


@pytest.mark.parametrize(
    ("meet_time", "is_past"),
    [
        ("2026-01-30T11:59:59", True),
        ("2026-01-30T12:00:00", False),
        ("2026-01-30 11:59:59", True),
        ("2026-01-30T11:59:59.5Z", True),
        ("2026-01-30T12:30:00+00:00", False),
        ("2026-01-30T13:59:59+02:00", True),
        ("2026-01-30T14:00:00+02:00", False),
        ("2026-01-30T05:00:00-08:00", False),
        ("2026-01-28", True),
        ("2026-01-29", False),  # it has ended at noon of the 30th, in the westernmost time zone
        ("20260128", False),
        ("2026-W04-1", False),
        (" 2026-01-28", False),
        ("2026-01-28\n", False),
        ("2026-01-99", False),
        ("the day before yesterday", False),
        ("1712102451234", False),
        ("", False),
        (NonString("N", '{"N": "0"}'), False),
    ],
)
def test_when_a_meetings_time_is_more_than_a_day_past(meet_time: Value, is_past: bool) -> None:
    assert ends(seeing(ABSENT, rows=lesson(meet_time=meet_time))) is is_past


FORBIDDING = [
    ([record(comment=FOREIGN)], {}, ["foreign-instance", "meeting-late"]),
    ([], {"student": "https://elsewhere.example.org/"}, ["instance-not-seen", "meeting-late"]),
    ([], {"teacher": f"https://{TEACHER}.example.org:8443"}, None),
]


@pytest.mark.parametrize(("records", "links", "findings"), FORBIDDING, ids=["another mark", "another shape", "domain"])
def test_absence_does_not_end_meeting_another_deployment_may_serve(
    records: list[DnsRecord], links: dict[str, Value], findings: list[str] | None
) -> None:
    rows = lesson(meet_time=YESTERDAY, links=links)
    wanted = decided(seeing(ABSENT, records, rows))
    assert wanted.changes == ()
    assert found(wanted) == (findings or ["instance-not-seen", "link-of-another-domain", "meeting-late"])
    assert ends(seeing(GONE[0], records, rows)), "what was seen ends it all the same"


def test_foreign_mark_at_a_linked_name_forbids_an_end_by_absence() -> None:
    rows = [row(status="HEALTHY", ids={"teacher": TEACHER}, meet_time=YESTERDAY, links={"student": link(STUDENT)})]
    marked = [record(STUDENT, comment=FOREIGN)]
    assert not decided(world([], marked, rows, absent=[TEACHER, STUDENT])).changes
    assert ends(world([], [], rows, absent=[TEACHER, STUDENT]))


def test_an_empty_link_is_none_and_forbids_nothing() -> None:
    for nothing in ("", None, NonString("NULL", '{"NULL": true}')):
        assert ends(seeing(ABSENT, rows=lesson(meet_time=YESTERDAY, links={"teacher": nothing})))


def test_lost_tag_is_a_finding_and_a_stop_deletes_the_record() -> None:
    rows = lesson("IN_PROGRESS", links=TO_TEACHER)
    lost = decided(seeing(machine(tagged=False), [record()], rows))
    assert (lost.changes, found(lost)) == ((), ["untagged-instance"])
    stopped = decided(seeing(machine(tagged=False, state="stopping"), [record()], rows))
    assert shown(stopped) == [("delete-record", "record-stopped"), ("clear-link", "link-dead")]


def test_what_was_seen_of_one_machine_says_nothing_of_another() -> None:
    rows = [row(status="HEALTHY", ids={"teacher": TEACHER, "student": OTHER})]
    assert not decided(world([machine(state="terminated")], [record(OTHER, ELSEWHERE)], rows)).changes


def test_dead_link_is_removed_where_an_unread_cell_delays_the_new_one() -> None:
    """The row names a machine that may be up in that cell, so nothing replaces the link for now."""
    meeting = row(status="HEALTHY", ids={"teacher": STUDENT}, links={"teacher": link(OTHER)})
    seen = world([machine(), machine(OTHER, state="terminated", ip=None)], [record()], [meeting])
    assert shown(decided(seen)) == [("write-link", "link-current")]
    assert shown(decided(replace(seen, unread=frozenset({"1/away"})))) == [("clear-link", "link-dead")]


def test_unmarked_record_may_be_that_of_a_machine_in_an_unread_cell() -> None:
    """The finding says that it may be deleted by hand."""
    seen = world(records=[record(comment="")])
    assert found(decided(seen)) == ["unmarked-record"]
    assert found(decided(replace(seen, unread=frozenset({"1/away"})))) == []


def test_a_late_meeting_is_not_reported_over_while_a_cell_is_unread() -> None:
    """The finding says that none of its machines is up, and to end it by hand."""
    meeting = row(status="HEALTHY", ids={"teacher": TEACHER}, meet_time=(NOW - timedelta(hours=13)).isoformat())
    late = world([machine(state="terminated", launched=YOUNG)], rows=[meeting])
    assert found(decided(late)) == ["meeting-late"]
    assert found(decided(replace(late, unread=frozenset({"1/away"})))) == []
