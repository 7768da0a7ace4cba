"""Every counterexample that was once a bug of the controller, as small as it gets."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from controller.errors import AmbiguousError, ConditionError
from controller.model import DnsRecord, Instance, Outcome
from tests.model.properties.clouds import Clouds
from tests.model.properties.faults import RECORD_FAULTS, ROW_FAULTS, Calls, Fault, Lost, Script
from tests.model.properties.passes import applied, planned, run
from tests.model.properties.random_worlds import settings_with
from tests.model.properties.simulation import what_a_calm_pass_leaves
from tests.support import build
from tests.support.build import MARK, link
from tests.support.clock import START
from tests.support.spec import sight as spec
from tests.support.spec.allowed import misdeeds
from tests.support.spec.sight import Sight
from tests.support.state import Case, Row, State

BORN = START - timedelta(days=1)
ONE, TWO, THREE = "i-00000001", "i-00000002", "i-00000003"
FOREIGN = "elephant-dns:somebody/else"
LATE = "2026-01-30T11:00:00Z"  # more than a day past
MOVED_ON = Calls({0: ROW_FAULTS.index(Fault(ConditionError))})


def machine(
    instance: str,
    address: str | None,
    *,
    state: str = "running",
    meeting: str = "m",
    role: str = "teacher",
    age: timedelta = timedelta(hours=1),
) -> Instance:
    return build.machine(instance, state, ip=address, meeting=meeting, role=role, launched=START - age)


def record(key: str, instance: str, content: str, comment: str = MARK) -> DnsRecord:
    return build.record(instance, content, id=key, comment=comment, created=BORN)


def world(machines: list[Instance], records: list[DnsRecord], **rows: Row) -> Case:
    state = State(START, {m.id: m for m in machines}, {r.id: r for r in records}, rows)
    return Case(state, settings_with())


def test_own_record_is_not_updated_into_a_foreign_twin() -> None:
    case = world(
        [machine(ONE, "203.0.113.1")],
        [record("s1", ONE, "203.0.113.1", FOREIGN), record("s2", ONE, "203.0.113.9")],
    )
    assert what_a_calm_pass_leaves(Clouds(case)) == []
    assert "s1" in applied(case).state.records


def test_own_record_is_not_updated_into_foreign_or_unmarked_twin() -> None:
    case = world(
        [machine(ONE, "203.0.113.1")],
        [
            record("s1", ONE, "203.0.113.8", FOREIGN),
            record("s2", ONE, "203.0.113.9"),
            record("s3", ONE, "203.0.113.1", "created by hand"),
        ],
    )
    assert what_a_calm_pass_leaves(Clouds(case)) == []
    assert {"s1", "s3"} <= applied(case).state.records.keys()


def test_a_role_has_had_its_machine_only_by_this_meetings_tags() -> None:
    ended = machine(ONE, None, state="terminated", meeting="other", age=timedelta(minutes=4))
    case = world([ended], [], m={"status": "LAUNCHED", "student_ec2_id": ONE})
    assert applied(case).state.rows["m"]["status"] == "LAUNCHED"


def test_reconsidered_link_is_not_written_after_address_changed() -> None:
    def stop_and_start(clouds: Clouds) -> None:
        moved = replace(clouds.state.instances[ONE], public_ip="203.0.113.2")
        clouds.state = replace(clouds.state, instances={ONE: moved})

    case = world([machine(ONE, "203.0.113.1")], [record("s1", ONE, "203.0.113.1")], m={"teacher_ec2_id": ONE})
    ran = applied(case, script=Script(row_writes=replace(MOVED_ON, meddlers={0: stop_and_start})))
    assert ran.state.rows == case.state.rows


def test_reconsidered_end_rests_on_no_new_absence() -> None:
    def launch(clouds: Clouds) -> None:
        clouds.state = replace(clouds.state, rows={"m": {**clouds.state.rows["m"], "student_ec2_id": TWO}})

    case = world([], [], m={"status": "IN_PROGRESS", "meet_time": LATE, "teacher_ec2_id": ONE})
    ran = applied(case, force=True, script=Script(row_writes=Calls(meddlers={0: launch})))
    assert ran.state.rows["m"]["status"] == "IN_PROGRESS"
    assert [r.outcome for r in ran.results] == [Outcome.SUPERSEDED]


def test_these_worlds_are_judged_by_the_specification_too() -> None:
    case = world([machine(ONE, "203.0.113.1")], [], m={"teacher_ec2_id": ONE, "teacher_ec2_link": link(TWO)})
    ran = run(Clouds(case))
    assert misdeeds(ran.journal, case.settings) == []
    assert spec.class_of(Sight.of(ran.state, case.settings), ONE) == spec.SERVING


def test_link_is_not_written_if_the_second_look_misses_its_record() -> None:
    def right_one_goes(clouds: Clouds) -> None:
        rest = {key: r for key, r in clouds.state.records.items() if key != "right"}
        clouds.state = replace(clouds.state, records=rest)

    lost = RECORD_FAULTS.index(Fault(AmbiguousError, Lost.DONE))
    case = world(
        [machine(ONE, "203.0.113.1")],
        [record("wrong", ONE, "203.0.113.9"), record("right", ONE, "203.0.113.1")],
        m={"teacher_ec2_id": ONE},
    )
    ran = applied(case, script=Script(writes=Calls({0: lost}, {0: right_one_goes})))
    assert ran.state.rows == case.state.rows


def test_link_to_anothers_machine_goes_if_the_new_record_fails() -> None:
    astray = machine(TWO, "203.0.113.2", meeting="other")
    row = {"teacher_ec2_id": ONE, "teacher_ec2_link": link(TWO)}
    case = world([machine(ONE, "203.0.113.1"), astray], [], m=row, other={})
    ran = applied(case, script=Script(poison=f"{ONE}.example.com"))
    assert "teacher_ec2_link" not in ran.state.rows["m"]


@pytest.mark.parametrize("scope", [None, [ONE]])
def test_what_a_second_look_shows_is_followed_up(scope: list[str] | None) -> None:
    """The machine ends between its first description and its second: its link goes, or leads to its successor."""

    def end(clouds: Clouds) -> None:
        ended = replace(clouds.state.instances[ONE], state="terminated", public_ip=None)
        clouds.state = replace(clouds.state, instances={**clouds.state.instances, ONE: ended})

    case = world(
        [machine(ONE, "203.0.113.1"), machine(TWO, "203.0.113.2")],
        [
            record("s1", ONE, "203.0.113.1"),
            record("s2", ONE, "203.0.113.9"),
            record("s3", TWO, "203.0.113.2"),
        ],
        m={"status": "HEALTHY", "teacher_ec2_id": ONE, "teacher_ec2_link": link(ONE)},
    )
    reads = planned(case, scope).calls
    ran = applied(case, scope, script=Script(calls=Calls(meddlers={len(reads) - 1: end})))
    assert ran.state.rows["m"].get("teacher_ec2_link") == (None if scope else link(TWO))
    assert set(ran.state.records) == {"s3"}


ONE_ENDED, TWO_ENDED = machine(ONE, None, state="terminated"), machine(TWO, None, state="terminated", role="student")
OF_BOTH = {"status": "HEALTHY", "teacher_ec2_id": ONE, "student_ec2_id": TWO}


def test_reconsidered_end_removes_no_link_to_an_unseen_machine() -> None:
    """Another pass has linked a replacement in the meantime, and EC2 does not know it yet."""

    def relink(clouds: Clouds) -> None:
        row = {**clouds.state.rows["m"], "teacher_ec2_link": link(THREE)}
        clouds.state = replace(clouds.state, rows={"m": row})

    case = world([ONE_ENDED, TWO_ENDED], [], m={**OF_BOTH, "meet_time": LATE})
    ran = applied(case, force=True, script=Script(row_writes=Calls(meddlers={0: relink})))
    assert [result.outcome for result in ran.results] == [Outcome.SUPERSEDED]
    assert ran.state.rows["m"] == {**OF_BOTH, "meet_time": LATE, "teacher_ec2_link": link(THREE)}


def test_end_within_the_day_removes_no_link_to_an_absent_machine() -> None:
    """EC2 lags behind a replacement; a day later the link is evidence as any other."""
    row = {**OF_BOTH, "teacher_ec2_link": link(THREE)}
    assert applied(world([ONE_ENDED, TWO_ENDED], [], m=row), force=True).state.rows["m"] == row
    late = applied(world([ONE_ENDED, TWO_ENDED], [], m={**row, "meet_time": LATE}))
    assert late.state.rows["m"]["status"] == "TERMINATED"
    assert [r.change.evidence for r in late.results] == [(ONE, TWO, THREE)]


@pytest.mark.parametrize(
    "was",
    [machine(TWO, None, state="stopped"), machine(TWO, "203.0.113.2", role="student")],
    ids=["started again", "got its role back"],
)
def test_a_dead_link_that_another_is_to_replace_is_judged_once_more(was: Instance) -> None:
    """The successor's record is to be created, and meanwhile the machine that the link leads to has come back."""

    def come_back(clouds: Clouds) -> None:
        back = machine(TWO, "203.0.113.2")
        clouds.state = replace(clouds.state, instances={**clouds.state.instances, TWO: back})

    row = {"status": "HEALTHY", "teacher_ec2_id": TWO, "teacher_ec2_link": link(TWO)}
    case = world([machine(ONE, "203.0.113.1"), was], [record("s2", TWO, "203.0.113.2")], m=row)
    second_look = len(planned(case).calls) - 1
    assert applied(case, script=Script(Calls(meddlers={second_look: come_back}))).state.rows["m"] == row
    gone = applied(case, script=Script(poison=f"{ONE}.example.com"))
    assert "teacher_ec2_link" not in gone.state.rows["m"]


def test_what_a_second_look_dooms_is_looked_at_again_as_well() -> None:
    """The first machine ends between its two descriptions; its sibling was stopped when it was listed, and runs now."""
    sibling = machine(TWO, None, state="stopped")
    running = replace(sibling, state="running", public_ip="203.0.113.2")

    def start(clouds: Clouds) -> None:
        row = {**clouds.state.rows["m"], "teacher_ec2_link": link(TWO)}
        clouds.state = replace(clouds.state, instances={**clouds.state.instances, TWO: running}, rows={"m": row})

    def end(clouds: Clouds) -> None:
        ended = replace(clouds.state.instances[ONE], state="terminated", public_ip=None)
        clouds.state = replace(clouds.state, instances={**clouds.state.instances, ONE: ended})

    records = [record("s1", ONE, "203.0.113.1"), record("s2", ONE, "203.0.113.9")]
    case = world([machine(ONE, "203.0.113.1"), sibling], records, m={"status": "HEALTHY", "teacher_ec2_id": TWO})
    second_look = len(planned(case, [ONE]).calls) - 1
    for started, seed in product(range(1, second_look), range(6)):
        script = Script(calls=Calls(meddlers={started: start, second_look: end}))
        ran = run(Clouds(case), [ONE], script=script, seed=seed)
        assert ran.state.rows["m"]["teacher_ec2_link"] == link(TWO), ran.calls


def test_absence_behind_a_forced_end_is_looked_at_again() -> None:
    """EC2 lagged behind the launch of the student's machine when it was first asked."""
    fresh = machine(TWO, "203.0.113.2", role="student", age=timedelta(seconds=20))

    def launch(clouds: Clouds) -> None:
        clouds.state = replace(clouds.state, instances={**clouds.state.instances, TWO: fresh})

    row = {"status": "HEALTHY", "meet_time": LATE, "teacher_ec2_id": ONE, "student_ec2_id": TWO}
    case = world([ONE_ENDED], [record("s1", ONE, "203.0.113.1")], m=row)
    assert applied(case, force=True).state.rows["m"]["status"] == "TERMINATED"
    calls = planned(case, force=True).calls
    assert calls.count("fleet.by_id") == 2
    for number in range(len(calls)):
        ran = run(Clouds(case), force=True, script=Script(Calls(meddlers={number: launch}), unlisted=frozenset({TWO})))
        assert ran.state.rows["m"]["status"] != "TERMINATED", ran.calls[number]


LOST_ITS_TAG = replace(machine(TWO, "203.0.113.2"), tagged=False)
STUDENTS = replace(LOST_ITS_TAG, role="student")
UNSEEN: dict[str, tuple[list[Instance], list[DnsRecord], Row]] = {
    "its record has another address": ([ONE_ENDED, LOST_ITS_TAG], [record("s2", TWO, "203.0.113.9")], {}),
    "its link is the other role's": ([STUDENTS], [], {"meet_time": LATE, "teacher_ec2_link": link(TWO)}),
}


@pytest.mark.parametrize(("machines", "records", "more"), UNSEEN.values(), ids=UNSEEN)
def test_unnamed_untagged_running_machine_keeps_its_meeting_alive(
    machines: list[Instance], records: list[DnsRecord], more: Row
) -> None:
    """The first pass takes away the record, or the link, by which the machine was looked at."""
    clouds = Clouds(world(machines, records, m={"status": "HEALTHY", "teacher_ec2_id": ONE, **more}))
    states = [run(clouds, force=True).state for _ in range(3)]
    assert states[0] != clouds.case.state
    assert [state.rows["m"]["status"] for state in states] == ["HEALTHY"] * 3


def test_a_scoped_pass_believes_no_absence_that_its_second_look_shows() -> None:
    def be_forgotten(clouds: Clouds) -> None:
        clouds.state = replace(clouds.state, instances={})

    case = world([machine(ONE, None, state="stopped")], [record("s1", ONE, "203.0.113.1")])
    second_look = len(planned(case, [ONE]).calls) - 1
    ran = applied(case, [ONE], script=Script(Calls(meddlers={second_look: be_forgotten})))
    assert ran.results == ()
    assert "s1" in ran.state.records


@pytest.mark.parametrize("scope", [None, [ONE], [TWO]])
@pytest.mark.parametrize("linked", [ONE, TWO])
def test_second_machine_does_not_move_the_link_during_a_lesson(linked: str, scope: list[str] | None) -> None:
    machines = [machine(ONE, "203.0.113.1"), machine(TWO, "203.0.113.2", age=timedelta(minutes=20))]
    records = [record("s1", ONE, "203.0.113.1"), record("s2", TWO, "203.0.113.2")]
    row = {"status": "IN_PROGRESS", "teacher_ec2_id": THREE, "teacher_ec2_link": link(linked)}
    assert applied(world(machines, records, m=row), scope).results == ()


@pytest.mark.parametrize("seed", range(6))
def test_an_end_waits_for_the_records_of_its_machines(seed: int) -> None:
    row = {"status": "HEALTHY", "teacher_ec2_id": ONE}
    ran = run(Clouds(world([ONE_ENDED], [record("s1", ONE, "203.0.113.1")], m=row)), seed=seed)
    assert [call for call in ran.calls if call.endswith(".write")] == ["records.write", "rows.write"]


def test_reconsidered_end_rests_on_no_absence_of_another_meeting() -> None:
    """The row that has moved on names a machine that only another row named before, and that EC2 does not know."""

    def name_another(clouds: Clouds) -> None:
        row = {**clouds.state.rows["m"], "student_ec2_id": TWO}
        clouds.state = replace(clouds.state, rows={**clouds.state.rows, "m": row})

    gone = {"status": "HEALTHY", "meet_time": LATE, "teacher_ec2_id": ONE}
    case = world([ONE_ENDED], [], m=gone, n={"status": "LAUNCHED", "teacher_ec2_id": TWO})
    ran = applied(case, script=Script(row_writes=Calls(meddlers={0: name_another})))
    assert [r.outcome for r in ran.results] == [Outcome.SUPERSEDED]
    assert ran.state.rows["m"]["status"] == "HEALTHY"
