"""What was seen is never guarded; what rests on absence is, all together, where this may be the wrong place to look."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.errors import MismatchError
from controller.model import Action, DnsRecord, Instance, Outcome
from tests.model.properties.clouds import Clouds
from tests.model.properties.passes import applied, planned, run
from tests.model.properties.profiles import PROMISE
from tests.model.properties.random_worlds import OWNERS, cases, mark_of, settings_with
from tests.model.properties.schedule import subject
from tests.model.properties.test_regressions import LATE, ONE, TWO, machine, record, world
from tests.support.build import PLACE, link
from tests.support.clock import START
from tests.support.spec import sight as spec
from tests.support.spec.guarded import is_held, rests_on
from tests.support.spec.sight import Sight
from tests.support.state import Case, State

PLACES = st.sampled_from((PLACE, None))


def looked_at_from(case: Case, place: str | None) -> Case:
    """The same where this account and region are looked at; None: they are not known."""
    return replace(case, settings=replace(case.settings, place=place))


@PROMISE
@given(cases(), PLACES)
def test_guard_holds_all_absence_changes_and_nothing_else(case: Case, place: str | None) -> None:
    case = looked_at_from(case, place)
    sight = Sight.of(case.state, case.settings)
    forced, ran = planned(case, force=True), planned(case)
    assert ran.report is not None
    held = [subject(r) for r in ran.results if r.outcome is Outcome.GUARDED]
    assert held == [subject(r) for r in forced.results if is_held(r, sight)]
    assert [subject(r) for r in ran.results] == [subject(r) for r in forced.results]
    assert ran.report.guard.tripped == bool(held)


@PROMISE
@given(cases())
def test_where_the_owner_id_names_the_place_nothing_is_ever_held(case: Case) -> None:
    owner = replace(case.settings, owner_id=f"{PLACE}/{case.settings.owner_id}"[:60])
    assert {result.outcome for result in planned(replace(case, settings=owner)).results} <= {Outcome.PLANNED}


@PROMISE
@given(cases())
def test_tripped_guard_fails_and_names_force_which_releases_it(case: Case) -> None:
    clouds = Clouds(looked_at_from(case, None))
    ran = run(clouds)
    assert ran.report is not None
    assert ran.report.guard.tripped == bool(ran.ended(Outcome.GUARDED))
    if ran.report.guard.tripped:
        assert not ran.report.ended_well
        assert "force" in str(ran.report.guard.reason)
    forced = run(clouds, force=True)
    assert {result.outcome for result in forced.results} <= {Outcome.APPLIED}


@PROMISE
@given(cases())
def test_nothing_rests_on_a_lost_tag_on_a_state_or_on_a_removed_link(case: Case) -> None:
    sight = Sight.of(case.state, case.settings)
    for result in planned(looked_at_from(case, None)).ended(Outcome.GUARDED):
        assert result.change.action in (Action.DELETE_RECORD, Action.TERMINATE_MEETING)
        assert {spec.class_of(sight, i) for i in rests_on(result, sight)} == {spec.ABSENT}


def fleet(count: int, *, state: str | None, owner: str, place: str | None = PLACE) -> Case:
    """So many machines that ended, or are not there, each with its record; and one that is there without any."""
    settings = settings_with(owner_id=owner, place=place)
    ids = [f"i-{number:08x}" for number in range(count)]
    born = START - timedelta(hours=1)
    machines = {i: Instance(i, state, None, True, "m", "teacher", born) for i in ids if state}
    machines["i-ffffffff"] = Instance("i-ffffffff", "pending", None, True, "other", "teacher", born)
    records = {
        f"s{i}": DnsRecord(f"s{i}", f"{i}.example.com", i, "A", "192.0.2.1", True, mark_of(settings), born) for i in ids
    }  # fmt: skip
    return Case(State(START, machines, records, {}), settings)


@pytest.mark.parametrize("owner", [PLACE, *OWNERS])
@pytest.mark.parametrize("count", [1, 6, 300])
def test_ended_machines_lose_their_records_one_or_a_thousand(count: int, owner: str) -> None:
    ran = applied(fleet(count, state="terminated", owner=owner))
    assert ran.state.records == {}
    assert ran.ended(Outcome.GUARDED) == []


@pytest.mark.parametrize(
    ("owner", "is_held"), [(PLACE, False), (OWNERS[0], False), (OWNERS[1], True), (OWNERS[2], True), (OWNERS[3], True)]
)
@pytest.mark.parametrize("count", [1, 300])
def test_vanished_machines_lose_records_if_owner_id_names_the_place(count: int, owner: str, is_held: bool) -> None:
    ran = applied(fleet(count, state=None, owner=owner))
    assert len(ran.ended(Outcome.GUARDED)) == len(ran.state.records) == (count if is_held else 0)


@pytest.mark.parametrize("state", ["running", "stopped", "terminated"])
def test_one_shown_machine_of_our_records_makes_absence_believed(
    state: str,
) -> None:
    case = fleet(300, state=None, owner="elephant-production")
    seen = replace(machine("i-00000000", None, state=state), tagged=False)
    ran = applied(replace(case, state=replace(case.state, instances={seen.id: seen})))
    assert ran.ended(Outcome.GUARDED) == []
    assert len(ran.state.records) == (state == "running")  # its record may be its own: it was written after the launch


@pytest.mark.parametrize(
    "owner", ["999999999999/us-west-2", "123456789012/eu-west-1", "123456789012/eu-west-1/x", "eu-west-1/x"]
)
@pytest.mark.parametrize("scope", [None, [ONE]])
def test_an_owner_id_that_names_another_place_stops_the_pass(owner: str, scope: list[str] | None) -> None:
    ran = applied(fleet(1, state="terminated", owner=owner), scope, force=True)
    assert isinstance(ran.error, MismatchError)
    assert ran.calls == ()


def test_link_to_a_gone_machine_is_removed_while_the_end_is_held() -> None:
    row = {
        "status": "HEALTHY",
        "meet_time": LATE,
        "teacher_ec2_id": ONE,
        "teacher_ec2_link": link(ONE),
        "student_ec2_id": TWO,
        "student_ec2_link": link(TWO),
    }
    clouds = Clouds(looked_at_from(world([machine(ONE, None, state="terminated")], [], m=row), None))
    first, second = run(clouds), run(clouds)
    without = {name: value for name, value in row.items() if name != "teacher_ec2_link"}
    assert first.state.rows["m"] == second.state.rows["m"] == without
    assert [(r.change.action, r.outcome) for r in first.results] == [(Action.CLEAR_LINK, Outcome.APPLIED)]
    assert [(r.change.action, r.outcome) for r in second.results] == [(Action.TERMINATE_MEETING, Outcome.GUARDED)]


def test_second_own_machine_that_is_seen_releases_a_held_end() -> None:
    row = {"status": "HEALTHY", "meet_time": LATE, "teacher_ec2_id": ONE}
    case = world([machine(TWO, "203.0.113.2", meeting="z")], [record("s", TWO, "203.0.113.2")], m=row)
    assert applied(looked_at_from(case, None)).state.rows["m"]["status"] == "TERMINATED"
