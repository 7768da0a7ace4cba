"""Every counterexample that was once a bug of the controller, as small as it gets."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from controller.errors import AmbiguousError, ConditionError
from controller.model import Action, DnsRecord, Instance, Outcome
from tests.properties import spec
from tests.properties.clouds import Clouds
from tests.properties.faults import RECORD_FAULTS, ROW_FAULTS, Calls, Fault, Lost, Script
from tests.properties.passes import applied, planned, run
from tests.properties.simulation import what_a_calm_pass_leaves
from tests.properties.spec import Sight
from tests.properties.spec_allowed import misdeeds
from tests.properties.state import START, Case, Row, State
from tests.properties.worlds import MARK, settings_with

BORN = START - timedelta(days=1)
ONE, TWO, THREE, NINE = "i-00000001", "i-00000002", "i-00000003", "i-00000009"
FOREIGN = "elephant-dns:somebody/else"
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
    return Instance(instance, state, address, True, meeting, role, START - age)


def record(key: str, instance: str, content: str, comment: str = MARK) -> DnsRecord:
    return DnsRecord(key, f"{instance}.example.com", instance, "A", content, True, comment, BORN)


def world(machines: list[Instance], records: list[DnsRecord], **rows: Row) -> Case:
    state = State(START, {m.id: m for m in machines}, {r.id: r for r in records}, rows)
    return Case(state, settings_with())


def link(instance: str) -> str:
    return f"https://{instance}.example.com:8443"


def test_ours_beside_a_foreign_record_with_the_right_address_is_not_mended_into_its_double_for_ever() -> None:
    case = world(
        [machine(ONE, "203.0.113.1")],
        [record("s1", ONE, "203.0.113.1", FOREIGN), record("s2", ONE, "203.0.113.9")],
    )
    assert what_a_calm_pass_leaves(Clouds(case)) == []
    assert "s1" in applied(case).state.records


def test_ours_beside_a_foreign_and_an_unmarked_record_with_the_right_address_likewise() -> None:
    case = world(
        [machine(ONE, "203.0.113.1")],
        [
            record("s1", ONE, "203.0.113.8", FOREIGN),
            record("s2", ONE, "203.0.113.9"),
            record("s3", ONE, "203.0.113.1", "made by hand"),
        ],
    )
    assert what_a_calm_pass_leaves(Clouds(case)) == []
    assert {"s1", "s3"} <= applied(case).state.records.keys()


def test_a_role_has_had_its_machine_only_by_this_meetings_tags() -> None:
    ended = machine(ONE, None, state="terminated", meeting="other", age=timedelta(minutes=4))
    case = world([ended], [], m={"status": "LAUNCHED", "student_ec2_id": ONE})
    assert applied(case).state.rows["m"]["status"] == "LAUNCHED"


def test_asked_again_a_link_is_not_written_to_a_machine_whose_address_has_changed() -> None:
    def stop_and_start(clouds: Clouds) -> None:
        moved = replace(clouds.state.instances[ONE], public_ip="203.0.113.2")
        clouds.state = replace(clouds.state, instances={ONE: moved})

    case = world([machine(ONE, "203.0.113.1")], [record("s1", ONE, "203.0.113.1")], m={"teacher_ec2_id": ONE})
    ran = applied(case, script=Script(row_writes=replace(MOVED_ON, meddlers={0: stop_and_start})))
    assert ran.state.rows == case.state.rows


def test_asked_again_a_termination_rests_on_no_absence_that_the_guard_has_not_counted() -> None:
    def launch(clouds: Clouds) -> None:
        clouds.state = replace(clouds.state, rows={"m": {**clouds.state.rows["m"], "student_ec2_id": TWO}})

    case = world([], [], m={"status": "IN_PROGRESS", "teacher_ec2_id": ONE})
    ran = applied(case, force=True, script=Script(row_writes=Calls(meddlers={0: launch})))
    assert ran.state.rows["m"]["status"] == "IN_PROGRESS"
    assert [r.outcome for r in ran.results] == [Outcome.SUPERSEDED]


def test_a_duplicate_beside_a_right_record_keeps_no_scoped_pass_from_writing_the_link() -> None:
    case = world(
        [machine(ONE, "203.0.113.1"), machine(TWO, "203.0.113.2")],
        [record("s1", ONE, "203.0.113.1"), record("s2", TWO, "203.0.113.2"), record("s3", TWO, "203.0.113.9")],
        m={"teacher_ec2_id": TWO},
    )
    links = [r.change.instance for r in planned(case, [ONE]).results if r.change.action is Action.WRITE_LINK]
    assert links == [TWO]


def test_these_worlds_are_judged_by_the_specification_too() -> None:
    case = world([machine(ONE, "203.0.113.1")], [], m={"teacher_ec2_id": ONE, "teacher_ec2_link": link(TWO)})
    ran = run(Clouds(case))
    assert misdeeds(ran.journal, case.settings) == []
    assert spec.class_of(Sight.of(ran.state, case.settings), ONE) == spec.SERVING


def test_a_link_is_not_written_where_a_second_look_has_shown_its_record_to_be_gone() -> None:
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


def test_which_event_comes_does_not_decide_whether_an_end_is_guarded() -> None:
    gone = [machine(ONE, None, state="terminated"), machine(TWO, None, state="terminated", role="student")]
    row = {"status": "HEALTHY", "teacher_ec2_id": ONE, "student_ec2_id": TWO, "student_ec2_link": link("i-00000003")}
    case = world(gone, [], m=row)
    for scope in ([ONE], [TWO], [ONE, TWO]):
        (end,) = applied(case, scope).results
        assert (end.change.concluded, end.outcome) == (("i-00000003",), Outcome.GUARDED)


def test_a_link_to_another_meetings_machine_goes_where_its_successors_record_cannot_be_made() -> None:
    astray = machine(TWO, "203.0.113.2", meeting="other")
    case = world([machine(ONE, "203.0.113.1"), astray], [], m={"teacher_ec2_id": ONE, "teacher_ec2_link": link(TWO)})
    for scope in (None, [ONE]):
        ran = applied(case, scope, script=Script(poison=f"{ONE}.example.com"))
        assert "teacher_ec2_link" not in ran.state.rows["m"]


def test_what_a_confirmation_shows_is_followed_up() -> None:
    """The machine ends between its first description and its second: the link must go to the one that replaces it."""

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
    reads = planned(case, [ONE]).calls
    before_the_confirmation = Script(calls=Calls(meddlers={len(reads) - 1: end}))
    ran = applied(case, [ONE], script=before_the_confirmation)
    assert ran.state.rows["m"]["teacher_ec2_link"] == link(TWO)
    assert set(ran.state.records) == {"s3"}


ONE_ENDED, TWO_ENDED = machine(ONE, None, state="terminated"), machine(TWO, None, state="terminated", role="student")
OF_BOTH = {"status": "HEALTHY", "teacher_ec2_id": ONE, "student_ec2_id": TWO}
UNTOUCHED = machine(NINE, "203.0.113.9", meeting="z")


def without_guarded_changes(case: Case) -> Case:
    return replace(case, settings=settings_with(max_guarded_deletes=0, max_guarded_delete_percent=0))


@pytest.mark.parametrize("scope", [None, [ONE]])
def test_asked_again_an_end_takes_no_link_to_a_machine_that_nobody_has_seen(scope: list[str] | None) -> None:
    """Another pass has linked a replacement in the meantime, and EC2 does not know it yet."""

    def relink(clouds: Clouds) -> None:
        row = {**clouds.state.rows["m"], "teacher_ec2_link": link(THREE)}
        clouds.state = replace(clouds.state, rows={"m": row})

    case = without_guarded_changes(world([ONE_ENDED, TWO_ENDED, UNTOUCHED], [], m=OF_BOTH))
    ran = applied(case, scope, script=Script(row_writes=Calls(meddlers={0: relink})))
    (end,) = (result for result in ran.results if result.change.action is Action.TERMINATE_MEETING)
    assert end.outcome is Outcome.SUPERSEDED
    assert ran.state.rows["m"] == {**OF_BOTH, "teacher_ec2_link": link(THREE)}


@pytest.mark.parametrize("scope", [None, [ONE]])
def test_no_end_takes_a_link_to_an_absent_machine_with_a_young_record(scope: list[str] | None) -> None:
    """EC2 lags behind a replacement; once its record is old, the link is a conclusion as any other."""
    row = {**OF_BOTH, "teacher_ec2_link": link(THREE)}
    old = record("s3", THREE, "203.0.113.3")
    young = replace(old, created_on=START - timedelta(seconds=20))
    machines = [ONE_ENDED, TWO_ENDED, UNTOUCHED]
    assert applied(world(machines, [young], m=row), scope, force=True).state.rows["m"] == row
    ran = applied(without_guarded_changes(world(machines, [old], m=row)), scope)
    (end,) = (result for result in ran.results if result.change.action is Action.TERMINATE_MEETING)
    assert (end.outcome, end.change.concluded) == (Outcome.GUARDED, (THREE,))
    assert ran.state.rows["m"] == row


@pytest.mark.parametrize("scope", [None, [ONE]])
@pytest.mark.parametrize(
    "was",
    [
        [machine(TWO, None, state="stopped")],
        [replace(machine(TWO, "203.0.113.2"), tagged=False)],
        [],
    ],
    ids=["started again", "got its tag back", "EC2 had lagged"],
)
def test_a_link_that_goes_instead_of_another_is_judged_anew(was: list[Instance], scope: list[str] | None) -> None:
    """The successor's record cannot be made, and meanwhile the machine that the link leads to has come back."""

    def return_(clouds: Clouds) -> None:
        back = machine(TWO, "203.0.113.2")
        clouds.state = replace(clouds.state, instances={**clouds.state.instances, TWO: back})

    row = {"status": "HEALTHY", "teacher_ec2_id": TWO, "teacher_ec2_link": link(TWO)}
    case = world([machine(ONE, "203.0.113.1"), UNTOUCHED, *was], [], m=row)
    script = Script(writes=Calls(meddlers={0: return_}), poison=f"{ONE}.example.com")
    assert applied(case, scope, script=script).state.rows["m"] == row
    if scope is None:
        gone = applied(case, scope, script=Script(poison=f"{ONE}.example.com"))
        assert gone.state.rows["m"] == {"status": "HEALTHY", "teacher_ec2_id": TWO}


def test_what_a_confirmation_dooms_is_confirmed_as_well() -> None:
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
    confirmation = len(planned(case, [ONE]).calls) - 1
    for started, seed in product(range(1, confirmation), range(6)):
        script = Script(calls=Calls(meddlers={started: start, confirmation: end}))
        ran = run(Clouds(case), [ONE], script=script, seed=seed)
        assert ran.state.rows["m"]["teacher_ec2_link"] == link(TWO), ran.calls


def test_an_absence_by_which_a_forced_pass_ends_a_meeting_is_confirmed() -> None:
    """EC2 lagged behind the launch of the student's machine when it was first asked."""
    fresh = machine(TWO, "203.0.113.2", role="student", age=timedelta(seconds=20))

    def launch(clouds: Clouds) -> None:
        row = {**clouds.state.rows["m"], "student_ec2_id": TWO, "status": "HEALTHY"}
        clouds.state = replace(clouds.state, instances={**clouds.state.instances, TWO: fresh}, rows={"m": row})

    case = world([ONE_ENDED], [record("s1", ONE, "203.0.113.1")], m={"status": "LAUNCHED", "teacher_ec2_id": ONE})
    for number in range(1, 4):
        script = Script(calls=Calls(meddlers={number: launch}), unlisted=frozenset({TWO}))
        ran = run(Clouds(case), [ONE, TWO], force=True, script=script)
        assert ran.state.rows["m"]["status"] != "TERMINATED", ran.calls[number]
