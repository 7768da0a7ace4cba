"""Worlds in which the first rules cut a user off, or left a name with a stranger, as a review has found them.

Those that need more than one reading are in ``../passes``, those about writing in ``../apply``.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from controller.model import Instance
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
    name,
    record,
    row,
    settings,
    shown,
    world,
)

SOON, LONG_AGO = (NOW + timedelta(minutes=3)).isoformat(), NOW - timedelta(hours=3)
BOTH = {"teacher": TEACHER, "student": STUDENT}
BOTH_LINKS = {"teacher": link(TEACHER), "student": link(STUDENT)}


def ids(count: int) -> list[str]:
    return [f"i-{number:017x}" for number in range(count)]


def teachers(count: int, **changed: Any) -> list[Instance]:
    """A lesson's teacher each."""
    return [machine(i, meeting=f"m{n}", **changed) for n, i in enumerate(ids(count))]


@pytest.mark.parametrize("status", ["LAUNCHED", "DNS_WRITTEN", "HEALTHY", "IN_PROGRESS"])
def test_meeting_over_not_while_ec2_is_behind_its_launch(status: str) -> None:
    rows = [row(status=status, ids=BOTH, meet_time=SOON)]
    assert decided(world(rows=rows, absent=[TEACHER, STUDENT])).changes == ()


def test_meeting_over_not_of_another_regions_lesson_in_the_same_table() -> None:
    """A table that is replicated: the other region's machines are absent here, and its marks are at their names."""
    rows = [row(status="IN_PROGRESS", ids=BOTH, links=BOTH_LINKS, meet_time=(NOW - timedelta(days=2)).isoformat())]
    marked = [record(TEACHER, comment=FOREIGN), record(STUDENT, id="r2", comment=FOREIGN)]
    wanted = decided(world([machine(OTHER, meeting="m9")], marked, rows, absent=[TEACHER, STUDENT]))
    assert [change.instance for change in wanted.changes] == [OTHER]
    assert found(wanted) == ["foreign-instance", "foreign-instance", "meeting-late"]


def test_link_of_productions_lesson_stays_for_staging_on_its_table() -> None:
    staging = settings(PROJECT_TAG="Project=Staging", OWNER_ID="123456789012/us-west-2/staging")
    machines = [machine(tagged=False), machine(STUDENT, role="student", tagged=False)]
    productions = "elephant-dns:123456789012/us-west-2"
    marked = [record(comment=productions), record(STUDENT, id="r2", comment=productions)]
    wanted = decided(world(machines, marked, [row(status="HEALTHY", ids=BOTH, links=BOTH_LINKS)]), staging)
    assert wanted.changes == ()
    assert found(wanted) == ["untagged-instance"] * 2
    assert "another deployment" in wanted.findings[0].hint


@pytest.mark.parametrize("running", [0, 1, 40])
def test_record_absent_goes_at_once_after_an_outage_however_many(running: int) -> None:
    up, gone = ids(running), ids(running + 40)[running:]
    machines = teachers(running)
    records = [record(i, id=i) for i in (*up, *gone)]
    rows = [row(m.meeting or "", links={"teacher": link(m.id)}) for m in machines]
    wanted = decided(world(machines, records, rows, absent=gone))
    assert shown(wanted) == [("delete-record", "record-absent")] * 40
    assert not wanted.guard.tripped
    assert not any(change.guarded for change in wanted.changes)


def test_meeting_over_is_left_to_the_full_pass_when_both_machines_die() -> None:
    machines = [machine(state="terminated"), machine(STUDENT, state="terminated", role="student")]
    seen = world(machines, [record()], [row(status="HEALTHY", ids=BOTH, links=BOTH_LINKS)], scope=[TEACHER, STUDENT])
    assert shown(decided(seen)) == [("delete-record", "record-gone")] + [("clear-link", "link-dead")] * 2
    assert ("terminate-meeting", "meeting-over") in shown(decided(replace(seen, scope=None)))


@pytest.mark.parametrize("since", [LONG_AGO, OLD, YOUNG])
def test_record_stays_while_running_machine_is_shown_without_address(since: datetime) -> None:
    seen = machine(ip=None, launched=since - timedelta(seconds=1))
    lesson = row(status="IN_PROGRESS", ids={"teacher": TEACHER}, links={"teacher": link(TEACHER)})
    assert decided(world([seen], [record(created=since)], [lesson])).changes == ()


def test_record_stays_when_59_of_60_machines_lose_their_tag() -> None:
    history = [row(f"old{n}", "COMPLETED", ids={"teacher": i, "student": i}) for n, i in enumerate(ids(300)[100:250])]
    lost = [replace(m, tagged=m.id == TEACHER) for m in [*teachers(59), machine(TEACHER, meeting="m59")]]
    records = [record(m.id, id=m.id) for m in lost]
    rows = [row(m.meeting or "", "HEALTHY", ids={"teacher": m.id}, links={"teacher": link(m.id)}) for m in lost]
    wanted = decided(world(lost, records, [*history, *rows]))
    assert wanted.changes == ()
    assert found(wanted).count("untagged-instance") == 59


def test_link_stays_when_30_machines_get_a_meeting_without_a_row() -> None:
    fleet = teachers(30)
    records = [record(m.id, id=m.id) for m in fleet]
    rows = [row(m.meeting or "", "IN_PROGRESS", ids={"teacher": m.id}, links={"teacher": link(m.id)}) for m in fleet]
    changed = [replace(m, meeting="policy") for m in fleet]
    wanted = decided(world(changed, records, rows, rowless=["policy"]))
    assert wanted.changes == ()
    assert {finding.id: found(wanted).count(finding.id) for finding in wanted.findings} == {
        "missing-meeting": 30,
        "wrong-instance": 30,
    }


def test_link_current_waits_while_an_unmarked_record_leads_elsewhere() -> None:
    unmarked = record(content=ELSEWHERE, id="r2", comment="by hand")
    wanted = decided(world([machine()], [record(), unmarked], [row(status="LAUNCHED")]))
    assert wanted.changes == ()
    (finding,) = wanted.findings
    assert (finding.id, finding.key) == ("unmarked-record", name(TEACHER))
    assert "Delete it by hand" in finding.hint
    assert "ADOPT_UNMARKED" in finding.hint


def test_link_current_where_a_foreign_record_has_the_machines_address() -> None:
    wanted = decided(world([machine()], [record(comment=FOREIGN)], [row(status="HEALTHY")]))
    assert shown(wanted) == [("write-link", "link-current")]
    assert found(wanted) == ["foreign-record"]


def test_link_stays_mid_lesson_when_a_second_machine_appears() -> None:
    machines = [machine(), machine(OTHER, ip=ELSEWHERE, launched=YOUNG)]
    lesson = row(status="IN_PROGRESS", links={"teacher": link(TEACHER)})
    wanted = decided(world(machines, [record(), record(OTHER, ELSEWHERE, id="r2")], [lesson]))
    assert (wanted.changes, found(wanted)) == ((), ["several-serving"])


@pytest.mark.parametrize(
    "tags", [{"meeting": "m2"}, {"meeting": "m2", "role": "student"}, {"meeting": "without a row"}]
)
def test_meeting_over_not_by_another_meetings_terminated_machine(tags: dict[str, Any]) -> None:
    stranger = machine(state="terminated", **tags)
    rows = [row(status="HEALTHY", ids={"teacher": TEACHER}), row("m2", "TERMINATED")]
    wanted = decided(world([stranger], [], rows))
    assert (wanted.changes, found(wanted)) == ((), ["wrong-instance"])


@pytest.mark.parametrize("state", ["stopping", "stopped", "shutting-down", "terminated"])
def test_old_owners_record_of_an_ended_machine_is_orphaned(state: str) -> None:
    renamed = settings(OWNER_ID="123456789012/us-west-2/renamed")
    wanted = decided(world([machine(state=state)], [record()]), renamed)
    assert wanted.changes == ()
    (finding,) = wanted.findings
    assert (finding.id, finding.key) == ("orphaned-record", name(TEACHER))
    assert f"leads to {ADDRESS}" in finding.message
    assert "retire" in finding.hint
