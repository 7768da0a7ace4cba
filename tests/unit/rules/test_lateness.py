"""What takes too long: the moment before a limit is silent, the moment after it is a finding."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from controller.model import Finding, Instance, Meeting, World
from tests.support.build import NOW, OTHER, STUDENT, TEACHER, decided, link, machine, row, settings, world

LATE = {"machine-overdue", "meeting-late", "not-launched", "role-not-launched", "never-healthy"}
HOURS, MINUTES, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
BOTH = {"teacher": TEACHER, "student": STUDENT}


def late(seen: World, **environment: str) -> list[Finding]:
    """The findings of this kind."""
    return [finding for finding in decided(seen, settings(**environment)).findings if finding.id in LATE]


def kinds(seen: World, **environment: str) -> list[tuple[str, str]]:
    return [(finding.id, finding.key) for finding in late(seen, **environment)]


def ago(span: timedelta) -> str:
    return (NOW - span).isoformat()


def student(**changed: Any) -> Instance:
    return machine(STUDENT, role="student", ip="192.0.2.8", **changed)


@pytest.mark.parametrize("state", ["running", "pending"])
@pytest.mark.parametrize("status", ["IN_PROGRESS", "HEALTHY", "TERMINATED", "COMPLETED", None])
def test_a_machine_up_for_too_long_is_reported_whatever_its_row(state: str, status: str | None) -> None:
    (finding,) = late(world([machine(state=state, launched=NOW - 13 * HOURS)], [], [row(status=status)]))
    assert (finding.id, finding.key) == ("machine-overdue", TEACHER)
    assert "up for 13 hours; MAX_MACHINE_HOURS is 12" in finding.message


@pytest.mark.parametrize(
    "instance",
    [
        machine(launched=NOW - 12 * HOURS),
        machine(launched=None),
        machine(state="stopped", launched=NOW - 90 * HOURS),
        machine(state="terminated", launched=NOW - 90 * HOURS),
        machine(tagged=False, launched=NOW - 90 * HOURS),
    ],
    ids=["at the limit", "unknown launch", "stopped", "terminated", "not ours"],
)
def test_a_machine_that_costs_nothing_or_is_young_is_not_overdue(instance: Instance) -> None:
    assert kinds(world([instance], [], [row(status="HEALTHY")])) == []


def test_the_limit_of_a_machine_can_be_set() -> None:
    seen = world([machine(launched=NOW - 2 * HOURS)], [], [row(status="HEALTHY")])
    assert kinds(seen, MAX_MACHINE_HOURS="1") == [("machine-overdue", TEACHER)]


@pytest.mark.parametrize("status", ["LAUNCHED", "DNS_WRITTEN", "HEALTHY", "IN_PROGRESS"])
@pytest.mark.parametrize("state", ["running", "stopped"])
def test_a_live_meeting_of_long_ago_with_a_machine_is_late(status: str, state: str) -> None:
    seen = world([machine(state=state)], [], [row(status=status, meet_time=ago(72 * HOURS))])
    (finding,) = late(seen)
    assert (finding.id, finding.key) == ("meeting-late", "m1")
    assert f"still {status}, and {TEACHER} still exists." in finding.message
    assert finding.hint.startswith("Terminate its machines if the lesson is over")
    (finding,) = late(replace(seen, instances={**seen.instances, STUDENT: student()}))
    assert f"and {TEACHER}, {STUDENT} still exist." in finding.message


def test_a_live_meeting_with_absent_machines_is_late_within_its_day() -> None:
    seen = world([], [], [row(status="IN_PROGRESS", ids=BOTH, meet_time=ago(13 * HOURS))], absent=BOTH.values())
    (finding,) = late(seen)
    assert "and none of its machines is up." in finding.message
    assert finding.hint.startswith("Set its status to TERMINATED if it is over")


@pytest.mark.parametrize(
    "seen",
    [
        world([machine()], [], [row(status="HEALTHY", ids=BOTH, meet_time=ago(12 * HOURS))]),
        world([machine()], [], [row(status="HEALTHY", meet_time="soon")]),
        world([machine()], [], [row(status="PAUSED", meet_time=ago(72 * HOURS))]),
        world([], [], [row(status="HEALTHY", meet_time=ago(72 * HOURS))]),
        world([], [], [row(status="HEALTHY", ids=BOTH, meet_time=ago(72 * HOURS))]),
        world([machine(state="terminated")], [], [row(status="HEALTHY", meet_time=ago(72 * HOURS))]),
    ],
    ids=["at the limit", "unreadable time", "unknown status", "no machine", "not looked at", "ended by this pass"],
)
def test_a_meeting_that_is_not_live_or_not_past_is_not_late(seen: World) -> None:
    assert kinds(seen) == []


def test_the_limit_of_a_meeting_can_be_set() -> None:
    seen = world([machine()], [], [row(status="HEALTHY", meet_time=ago(2 * HOURS), links={"student": "x"})])
    assert kinds(seen, MAX_MEETING_HOURS="1") == [("meeting-late", "m1")]


@pytest.mark.parametrize("span", [10 * MINUTES + SECOND, 23 * HOURS])
def test_a_scheduled_meeting_past_its_time_is_not_launched(span: timedelta) -> None:
    assert kinds(world([], [], [row(status="SCHEDULED", meet_time=ago(span))])) == [("not-launched", "m1")]


@pytest.mark.parametrize("span", [-1 * HOURS, 10 * MINUTES, 24 * HOURS + SECOND])
def test_a_scheduled_meeting_to_come_or_of_the_past_is_silent(span: timedelta) -> None:
    assert kinds(world([], [], [row(status="SCHEDULED", meet_time=ago(span))])) == []


def test_a_scheduled_meeting_that_has_a_machine_is_launched() -> None:
    assert kinds(world([machine()], [], [row(status="SCHEDULED", meet_time=ago(HOURS))])) == []


@pytest.mark.parametrize("status", ["LAUNCHED", "DNS_WRITTEN", "HEALTHY", "IN_PROGRESS"])
def test_a_role_without_a_machine_is_reported_once_the_meeting_began(status: str) -> None:
    lesson = row(status=status, ids={"teacher": TEACHER}, meet_time=ago(11 * MINUTES))
    (finding,) = late(world([machine(launched=NOW - 20 * MINUTES)], [], [lesson]))
    assert (finding.id, finding.key) == ("role-not-launched", "m1")
    assert "no machine of the student was ever launched" in finding.message


@pytest.mark.parametrize(
    "lesson",
    [
        row(status="HEALTHY", meet_time=ago(10 * MINUTES)),
        row(status="HEALTHY"),
        row(status="HEALTHY", ids={"student": OTHER}, meet_time=ago(HOURS)),
        row(status="HEALTHY", links={"student": link(OTHER)}, meet_time=ago(HOURS)),
        row(status="COMPLETED", meet_time=ago(HOURS)),
    ],
    ids=["not yet", "no time", "named", "linked", "unknown status"],
)
def test_a_role_that_has_or_had_a_machine_is_not_reported(lesson: Meeting) -> None:
    assert kinds(world([machine()], [], [lesson], absent=[OTHER])) == []


def test_a_meeting_that_stays_dns_written_is_never_healthy() -> None:
    seen = world([machine(launched=NOW - 2 * HOURS), student(launched=NOW - 31 * MINUTES)], [], [row(ids=BOTH)])
    (finding,) = late(seen)
    assert (finding.id, finding.key) == ("never-healthy", "m1")
    assert "31 minutes after the launch of its last machine" in finding.message
    assert kinds(seen, HEALTHY_MINUTES="31") == []
    assert kinds(replace(seen, unread=frozenset({"1/away"}))) == []  # a replacement may be starting there


@pytest.mark.parametrize(
    "seen",
    [
        world([machine(launched=NOW - 30 * MINUTES)], [], [row()]),
        world([machine(), student(launched=NOW - MINUTES)], [], [row(ids=BOTH)]),
        world([machine(launched=None)], [], [row()]),
        world([machine(), student(launched=None)], [], [row(ids=BOTH)]),
        world([machine(state="stopped")], [], [row()]),
        world([machine()], [], [row(status="HEALTHY")]),
    ],
    ids=["at the limit", "a replacement", "unknown launch", "unknown launch of one", "stopped", "healthy"],
)
def test_a_meeting_that_may_still_become_healthy_is_silent(seen: World) -> None:
    assert kinds(seen) == []


def test_a_pass_over_single_machines_reports_nothing_as_late() -> None:
    rows = [row(meet_time=ago(72 * HOURS)), row("m2", "SCHEDULED", meet_time=ago(HOURS))]
    assert kinds(world([machine(launched=NOW - 90 * HOURS)], [], rows, scope=[TEACHER])) == []
