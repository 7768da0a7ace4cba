"""The guard: what rests on absence is held where nothing shows that this is the right place to look."""

from datetime import timedelta

import pytest

from controller.model import Instance, Meeting, World
from tests.support.build import (
    FOREIGN,
    NOW,
    OTHER,
    STUDENT,
    TEACHER,
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

#: An owner id that does not say where it is at home; its mark, and those that do.
SCHOOL, MARK = settings(OWNER_ID="school"), "elephant-dns:school"
LATE = (NOW - timedelta(days=2)).isoformat()
UNMARKED_IS_OURS = settings(OWNER_ID="school", ADOPT_UNMARKED="true")


def vanished(*machines: Instance, rows: tuple[Meeting, ...] = (), comment: str = MARK) -> World:
    """The teacher's machine is absent, and its record there; beside it these machines are seen."""
    return world(machines, [record(comment=comment)], rows, absent=[TEACHER])


def test_owner_id_without_a_place_holds_changes_by_absence() -> None:
    wanted = decided(vanished(machine(OTHER)), SCHOOL)
    assert [(change.rule, change.guarded) for change in wanted.changes] == [
        ("record-absent", True),
        ("record-serving", False),
    ], "everything else is applied"
    assert wanted.guard.tripped
    assert [(finding.id, finding.key) for finding in wanted.findings] == [
        ("guarded-change-held", wanted.changes[0].key)
    ]


def test_a_tripped_guard_says_why_and_names_the_way_to_let_it_through() -> None:
    reason = decided(vanished(), SCHOOL).guard.reason or ""
    for part in (
        "123456789012/us-west-2",
        "does not know 1 of our machines",
        "OWNER_ID school",
        "--force",
        '"force": true',
    ):
        assert part in reason
    (finding,) = decided(vanished(), SCHOOL).findings
    assert TEACHER in finding.message
    assert "--force" in finding.hint


@pytest.mark.parametrize("owner", ["123456789012/us-west-2", "123456789012/us-west-2/staging"])
def test_absence_is_believed_where_the_owner_id_names_this_place(owner: str) -> None:
    wanted = decided(vanished(comment=f"elephant-dns:{owner}"), settings(OWNER_ID=owner))
    assert shown(wanted) == [("delete-record", "record-absent")]
    assert not wanted.changes[0].guarded
    assert not wanted.guard.tripped


@pytest.mark.parametrize("owner", ["123456789012", "123456789012/staging", "123456789012/us-west-2x", "us-west-2"])
def test_half_a_place_is_none(owner: str) -> None:
    assert decided(vanished(comment=f"elephant-dns:{owner}"), settings(OWNER_ID=owner)).guard.tripped


@pytest.mark.parametrize(
    "seen",
    [
        machine(OTHER),
        machine(OTHER, state="terminated"),
        machine(OTHER, tagged=False),
        machine(OTHER, role="?"),
        machine(OTHER, state="hibernating"),
    ],
    ids=lambda seen: f"{seen.state}-{seen.tagged}-{seen.role}",
)
def test_absence_is_believed_if_ec2_shows_a_machine_of_an_own_record(seen: Instance) -> None:
    both = [record(comment=MARK), record(OTHER, id="r2", comment=MARK)]
    wanted = decided(world([seen], both, absent=[TEACHER]), SCHOOL)
    assert ("delete-record", "record-absent") in shown(wanted)
    assert not wanted.guard.tripped


@pytest.mark.parametrize("comment", [FOREIGN, "by hand", "elephant-dns:schools"])
def test_a_record_that_is_not_ours_makes_nothing_believed(comment: str) -> None:
    here = [record(comment=MARK), record(OTHER, id="r2", comment=comment)]
    assert decided(world([machine(OTHER)], here, absent=[TEACHER]), SCHOOL).guard.tripped


def test_with_adoption_an_unmarked_record_is_ours_here_too() -> None:
    here = [record(comment=""), record(OTHER, id="r2", comment="")]
    assert not decided(world([machine(OTHER)], here, absent=[TEACHER]), UNMARKED_IS_OURS).guard.tripped
    assert decided(world([], here[:1], absent=[TEACHER]), UNMARKED_IS_OURS).guard.tripped


def test_an_end_a_day_late_is_held_and_dead_links_go() -> None:
    ids, links = {"teacher": TEACHER, "student": STUDENT}, {"student": link(STUDENT)}
    lesson = row(status="HEALTHY", ids=ids, links=links, meet_time=LATE)
    gone = machine(STUDENT, state="terminated", role="student")
    first = decided(world([gone], [], [lesson], absent=[TEACHER]), SCHOOL)
    assert [(change.rule, change.guarded) for change in first.changes] == [("link-dead", False)]
    lesson = row(status="HEALTHY", ids=ids, meet_time=LATE)
    then = decided(world([gone], [], [lesson], absent=[TEACHER]), SCHOOL)
    assert [(change.rule, change.guarded) for change in then.changes] == [("meeting-over", True)]
    assert then.guard.tripped


@pytest.mark.parametrize("state", ["stopped", "terminated"])
def test_what_was_seen_is_never_held_be_it_a_thousand_machines(state: str) -> None:
    fleet = [machine(f"i-{number:017x}", state=state, ip=None) for number in range(1000)]
    wanted = decided(world(fleet, [record(m.id, id=m.id, comment=MARK) for m in fleet]), SCHOOL)
    assert len(wanted.changes) == 1000
    assert not any(change.guarded for change in wanted.changes)
    assert not wanted.guard.tripped


def test_an_end_of_machines_that_were_seen_gone_is_never_held() -> None:
    wanted = decided(world([machine(state="terminated")], [], [row(status="HEALTHY")]), SCHOOL)
    assert [(change.rule, change.guarded) for change in wanted.changes] == [("meeting-over", False)]


def test_force_lets_it_through_once() -> None:
    wanted = decided(
        vanished(rows=(row(status="HEALTHY", ids={"teacher": TEACHER}, meet_time=LATE),)), SCHOOL, force=True
    )
    assert shown(wanted) == [("delete-record", "record-absent"), ("terminate-meeting", "meeting-over")]
    assert not any(change.guarded for change in wanted.changes)
    assert (wanted.guard.tripped, wanted.guard.reason) == (False, None)
    assert "guarded-change-held" not in found(wanted)


def test_link_replacing_one_to_an_absent_machine_is_not_guarded() -> None:
    rows = [row(status="HEALTHY", links={"teacher": link(TEACHER)})]
    foreign = record(OTHER, comment=FOREIGN)  # so that none of our records proves the place
    wanted = decided(world([machine(OTHER)], [foreign], rows, absent=[TEACHER]), SCHOOL)
    assert [(change.rule, change.guarded) for change in wanted.changes] == [("link-current", False)]
    assert not wanted.guard.tripped


def test_where_nothing_rests_on_absence_the_guard_is_silent() -> None:
    young = world([], [record(comment=MARK, created=NOW)], absent=[TEACHER])
    wanted = decided(young, SCHOOL)
    assert (wanted.changes, wanted.guard.tripped, found(wanted)) == ((), False, ["instance-not-seen"])
