"""How a meeting stands: the verdicts of ``rules/joining.py``, sorted by how soon a person is needed."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from controller.model import DnsRecord, Instance, Meeting
from controller.status.overview import LinkState, Overview, RecordState, Standing, overview, probed
from tests.support.build import (
    ADDRESS,
    ELSEWHERE,
    FOREIGN,
    NOW,
    OTHER,
    STUDENT,
    TARGET,
    TEACHER,
    link,
    machine,
    record,
    row,
    settings,
    world,
)

HERE = ADDRESS.replace(".7", ".8")
BOTH: dict[str, Any] = {
    "ids": {"teacher": TEACHER, "student": STUDENT},
    "links": {"teacher": link(TEACHER), "student": link(STUDENT)},
}
LESSON = row(status="IN_PROGRESS", meet_time="2026-01-31T12:00:00Z", **BOTH)
RECORDS = (record(), record(STUDENT, HERE, id="r2"))
MINUTES = timedelta(minutes=1)


def student(**changed: Any) -> Instance:
    return machine(STUDENT, **{"ip": HERE, "role": "student", **changed})


def seen(
    *rows: Meeting, machines: Iterable[Instance] = (machine(), student()), records: Iterable[DnsRecord] = RECORDS
) -> Overview:
    return overview(world(machines, records, rows or (LESSON,)), settings(), TARGET)


def standing(*rows: Meeting, **changed: Any) -> Standing:
    (line,) = seen(*rows, **changed).lines
    return line.standing


def test_where_everybody_can_join_the_meeting_is_ready() -> None:
    (line,) = seen().lines
    assert (line.standing, [seat.can_join for seat in line.seats]) == (Standing.READY, [True, True])
    assert [(seat.record, seat.link, seat.state) for seat in line.seats] == [
        (RecordState.RIGHT, LinkState.WRITTEN, "running")
    ] * 2


@pytest.mark.parametrize(("minutes", "expected"), [(9, Standing.STARTING), (10, Standing.CANNOT_JOIN)])
def test_a_machine_may_take_ten_minutes(minutes: int, expected: Standing) -> None:
    young = student(ip=None, state="pending", launched=NOW - minutes * MINUTES)
    assert standing(machines=[machine(), young], records=RECORDS[:1]) is expected


DUE = row(status="SCHEDULED", meet_time="2026-01-31T11:30:00Z")
OF_TWO_DAYS_AGO = row(status="SCHEDULED", meet_time="2026-01-29T11:30:00Z")


@pytest.mark.parametrize(
    ("meeting", "machines", "expected"),
    [
        (LESSON, [], Standing.NOT_KNOWN),
        (LESSON, [machine()], Standing.NOT_KNOWN),
        (LESSON, [machine(state="stopped")], Standing.CANNOT_JOIN),
        (LESSON, [machine(), student()], Standing.READY),
        (DUE, [], Standing.NOT_KNOWN),
        (OF_TWO_DAYS_AGO, [], Standing.QUIET),
    ],
)
def test_what_an_unread_cell_may_have_is_not_known(
    meeting: Meeting, machines: list[Instance], expected: Standing
) -> None:
    there = replace(world(machines, RECORDS, [meeting]), absent=frozenset(), unread=frozenset({"1/away"}))
    (line,) = overview(there, settings(), TARGET).lines
    assert line.standing is expected


def test_a_machine_without_a_launch_time_is_not_waited_for() -> None:
    assert standing(machines=[machine(), student(ip=None, launched=None)]) is Standing.CANNOT_JOIN


@pytest.mark.parametrize("state", ["stopped", "stopping", "shutting-down", "terminated"])
def test_a_machine_that_stops_keeps_its_user_out_however_young(state: str) -> None:
    over = student(state=state, launched=NOW - MINUTES)
    assert standing(machines=[machine(), over]) is Standing.CANNOT_JOIN


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-01-31T12:30:00Z", Standing.STARTING),
        ("2026-01-31T11:51:00Z", Standing.STARTING),
        ("2026-01-31T11:50:00Z", Standing.CANNOT_JOIN),
        (None, Standing.CANNOT_JOIN),
    ],
)
def test_a_role_without_a_machine_may_wait_until_ten_minutes_past(time: str | None, expected: Standing) -> None:
    alone = row(status="HEALTHY", ids={"teacher": TEACHER}, links={"teacher": link(TEACHER)}, meet_time=time)
    assert standing(alone, machines=[machine()]) is expected


@pytest.mark.parametrize(
    ("status", "time", "expected"),
    [
        ("SCHEDULED", "2026-01-31T13:00:00Z", Standing.QUIET),
        ("SCHEDULED", None, Standing.QUIET),
        (None, None, Standing.QUIET),
        ("SCHEDULED", "2026-01-31T11:50:00Z", Standing.CANNOT_JOIN),
        ("SCHEDULED", "2026-01-30T11:59:00Z", Standing.QUIET),
        ("LAUNCHED", "2026-01-31T12:10:00Z", Standing.STARTING),
        ("LAUNCHED", "2026-01-31T11:10:00Z", Standing.CANNOT_JOIN),
        ("LAUNCHED", "2026-01-30T11:59:00Z", Standing.QUIET),
    ],
)
def test_a_meeting_without_machines_is_judged_by_its_time(
    status: str | None, time: str | None, expected: Standing
) -> None:
    assert standing(row(status=status, meet_time=time), machines=[]) is expected


@pytest.mark.parametrize("status", ["TERMINATED", "COMPLETED", "PAUSED"])
def test_a_meeting_in_a_status_that_nobody_joins_is_quiet(status: str) -> None:
    assert standing(row(status=status, **BOTH)) is Standing.QUIET


def test_a_meeting_with_all_machines_gone_is_quiet() -> None:
    assert standing(machines=[machine(state="terminated"), student(state="terminated")]) is Standing.QUIET


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([], RecordState.NONE),
        ([record(content=ELSEWHERE)], RecordState.WRONG),
        ([record(proxied=False)], RecordState.WRONG),
        ([record(), record(content=ELSEWHERE, id="r9", comment=FOREIGN)], RecordState.WRONG),
        ([record(), record(type="TXT", content="hello", id="r9")], RecordState.RIGHT),
        ([record(type="TXT", content="hello")], RecordState.NONE),
    ],
)
def test_a_record_is_right_where_its_name_leads_to_the_machine_alone(
    records: list[DnsRecord], expected: RecordState
) -> None:
    (line,) = seen(records=records).lines
    assert line.seats[0].record is expected
    assert line.seats[0].can_join is (expected is RecordState.RIGHT)


@pytest.mark.parametrize(("seconds", "expected"), [(65, 65.0), (-5, None)])
def test_the_time_to_the_record_counts_from_the_launch(seconds: int, expected: float | None) -> None:
    launched = NOW - timedelta(hours=1)
    created = record(created=launched + timedelta(seconds=seconds))
    (line,) = seen(machines=[machine(launched=launched), student()], records=[created]).lines
    assert line.seats[0].seconds_to_record == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (None, LinkState.NONE),
        ("", LinkState.NONE),
        ("https://elsewhere.test", LinkState.OTHER),
        (link(TEACHER), LinkState.WRITTEN),
    ],
)
def test_a_link_is_ours_only_in_our_domain_and_port(written: str | None, expected: LinkState) -> None:
    (line,) = seen(row(status="HEALTHY", ids=BOTH["ids"], links={"teacher": written})).lines
    assert line.seats[0].link is expected


def test_the_worst_come_first_then_the_earliest() -> None:
    early, late = (row(f"m-{n}", "LAUNCHED", meet_time=f"2026-01-31T0{n}:00:00Z") for n in (2, 3))
    quiet, soon = row("q", "SCHEDULED"), row("s", "LAUNCHED", meet_time="2026-01-31T12:05:00Z")
    found = seen(quiet, late, LESSON, soon, early)
    assert [line.meeting for line in found.lines] == ["m-2", "m-3", "s", "m1", "q"]
    assert found.counts == {"cannot join": 2, "starting": 1, "ready": 1, "quiet": 1}
    assert found.somebody_cannot_join


def test_a_link_that_a_probe_finds_broken_keeps_its_user_out() -> None:
    found = probed(seen(), {TEACHER: (True, "it answers"), STUDENT: (False, "port 8443 is closed"), OTHER: (False, "")})
    (line,) = found.lines
    assert (line.standing, found.somebody_cannot_join) == (Standing.CANNOT_JOIN, True)
    assert [(s.can_join, s.probed) for s in line.seats] == [(True, "works"), (False, "fails")]
    assert line.seats[1].because == "port 8443 is closed"


def test_a_probe_that_knows_nothing_changes_no_verdict() -> None:
    (line,) = probed(seen(), {TEACHER: (None, "a login page answers")}).lines
    assert line.standing is Standing.READY
    assert line.seats[0].probed == "not known: a login page answers"


def test_a_meeting_that_is_starting_stays_so_whatever_a_probe_says() -> None:
    young = student(ip=None, state="pending", launched=NOW)
    found = probed(seen(machines=[machine(), young]), {TEACHER: (False, "closed"), STUDENT: (False, "closed")})
    assert found.lines[0].standing is Standing.STARTING
    assert not found.lines[0].seats[0].can_join
