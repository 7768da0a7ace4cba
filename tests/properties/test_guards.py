"""What was seen is never guarded; what rests on absence or a lost tag is, all together, beyond a limit."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.model import Action, DnsRecord, Instance, Outcome
from tests.properties import spec
from tests.properties.clouds import Clouds
from tests.properties.guarded import all_concluded, rests_on
from tests.properties.passes import Ran, applied, planned, run
from tests.properties.profiles import PROMISE
from tests.properties.schedule import subject
from tests.properties.spec import Sight
from tests.properties.spec_allowed import guard_limit
from tests.properties.state import START, Case, State
from tests.properties.test_regressions import ONE, TWO, link, machine, record, world
from tests.properties.worlds import MARK, cases, settings_with

LIMITS = st.sampled_from([(0, 0), (1, 0), (2, 0), (0, 20), (0, 34), (0, 50), (5, 20), (0, 100)])


def limited(case: Case, limits: tuple[int, int]) -> Case:
    most, percent = limits
    changed = replace(case.settings, max_guarded_deletes=most, max_guarded_delete_percent=percent)
    return replace(case, settings=changed)


def must_trip(case: Case, forced: Ran) -> bool:
    sight = Sight.of(case.state, case.settings)
    concluded = all_concluded(forced.results, sight)
    nothing_listed = not any(i.tagged for i in case.state.instances.values())
    return len(concluded) > guard_limit(sight) or (nothing_listed and bool(concluded))


@PROMISE
@given(cases(), LIMITS)
def test_beyond_the_limit_or_with_an_empty_listing_the_guard_trips_and_never_else(
    case: Case, limits: tuple[int, int]
) -> None:
    case = limited(case, limits)
    ran = planned(case)
    assert ran.report is not None
    assert ran.report.guard.tripped == must_trip(case, planned(case, force=True))


@PROMISE
@given(cases(), LIMITS)
def test_all_guarded_changes_are_held_together_and_everything_else_is_planned(
    case: Case, limits: tuple[int, int]
) -> None:
    case = limited(case, limits)
    sight = Sight.of(case.state, case.settings)
    forced, ran = planned(case, force=True), planned(case)
    trips = must_trip(case, forced)
    held = [subject(r) for r in ran.results if r.outcome is Outcome.GUARDED]
    assert held == [subject(r) for r in forced.results if trips and rests_on(r, sight)]
    planned_ones = {subject(r) for r in ran.results if r.outcome is Outcome.PLANNED}
    assert planned_ones >= {subject(r) for r in forced.results if not (trips and rests_on(r, sight))}


@PROMISE
@given(cases())
def test_what_was_seen_is_never_guarded(case: Case) -> None:
    case = limited(case, (0, 0))
    seen = [i for i in case.state.instances.values() if i.tagged]
    sight = Sight.of(replace(case.state, instances={i.id: i for i in seen}), case.settings)
    for result in planned(case).results:
        classes = {spec.class_of(sight, i) for i in (result.change.instance,) if i}
        if result.change.record and classes <= {spec.GONE, spec.STOPPED, spec.STARTING, spec.SERVING}:
            assert result.outcome is Outcome.PLANNED


@PROMISE
@given(cases())
def test_a_held_termination_does_not_hold_the_removal_of_links_to_instances_that_were_seen_gone(case: Case) -> None:
    case = limited(case, (0, 0))
    sight = Sight.of(case.state, case.settings)
    ran = applied(case)
    for result in ran.ended(Outcome.GUARDED):
        if result.change.action is Action.TERMINATE_MEETING:
            before, after = sight.rows[result.change.key], ran.state.rows[result.change.key]
            for role in case.settings.roles:
                there = spec.linked(before, role, case.settings)
                was_seen = there and spec.class_of(sight, there) in (spec.GONE, spec.STOPPED)
                assert not was_seen or f"{role}_ec2_link" not in after


@PROMISE
@given(cases())
def test_a_tripped_guard_fails_loudly_and_names_the_way_through_and_force_is_that_way(case: Case) -> None:
    case = limited(case, (0, 0))
    clouds = Clouds(case)
    ran = run(clouds)
    assert ran.report is not None
    assert ran.report.guard.tripped == bool(ran.ended(Outcome.GUARDED))
    if ran.report.guard.tripped:
        assert not ran.report.ended_well
        assert "force" in str(ran.report.guard.reason)
    forced = run(clouds, force=True)
    assert {result.outcome for result in forced.results} <= {Outcome.APPLIED}


@pytest.mark.parametrize("count", [1, 6, 300])
def test_machines_that_were_seen_ending_lose_their_records_be_it_one_or_a_thousand(count: int) -> None:
    case = ended_machines(count, state="terminated")
    ran = applied(case)
    assert ran.state.records == {}
    assert ran.ended(Outcome.GUARDED) == []


@pytest.mark.parametrize(("count", "is_held"), [(5, False), (6, True), (300, True)])
def test_machines_that_are_missing_keep_their_records_beyond_the_limit(count: int, is_held: bool) -> None:
    # 20 % of what is named: one machine is there and has no part in it.
    ran = applied(ended_machines(count, state=None))
    assert bool(ran.ended(Outcome.GUARDED)) is is_held
    assert len(ran.state.records) == (count if is_held else 0)


@pytest.mark.parametrize(("percent", "is_held"), [(100, False), (99, True), (50, True)])
def test_the_percentage_is_not_rounded(percent: int, is_held: bool) -> None:
    ran = applied(limited(ended_machines(30, state=None), (0, percent)))
    assert bool(ran.ended(Outcome.GUARDED)) is is_held


def ended_machines(count: int, *, state: str | None) -> Case:
    """So many machines that ended, or are not there, each with its record; and one that is there without any."""
    ids = [f"i-{number:08x}" for number in range(count)]
    born = START - timedelta(hours=1)
    machines = {i: Instance(i, state, None, True, "m", "teacher", born) for i in ids if state}
    machines["i-ffffffff"] = Instance("i-ffffffff", "pending", None, True, "other", "teacher", born)
    records = {
        f"s{i}": DnsRecord(f"s{i}", f"{i}.example.com", i, "A", "192.0.2.1", True, MARK, born) for i in ids
    }  # fmt: skip
    return Case(State(START, machines, records, {}), settings_with())


def test_the_link_to_a_machine_that_was_seen_gone_goes_while_the_end_of_its_meeting_is_held() -> None:
    row = {
        "status": "HEALTHY",
        "teacher_ec2_id": ONE,
        "teacher_ec2_link": link(ONE),
        "student_ec2_id": TWO,
        "student_ec2_link": link(TWO),
    }
    case = limited(world([machine(ONE, None, state="terminated")], [], m=row), (0, 0))
    ran = applied(case)
    assert ran.state.rows["m"] == {name: value for name, value in row.items() if name != "teacher_ec2_link"}
    outcomes = {str(r.change.action): r.outcome for r in ran.results}
    assert outcomes == {"clear-link": Outcome.APPLIED, "terminate-meeting": Outcome.GUARDED}


def test_a_machine_is_counted_once_however_much_rests_on_its_absence() -> None:
    row = {"status": "HEALTHY", "teacher_ec2_id": ONE, "teacher_ec2_link": link(ONE), "student_ec2_id": "i-00000003"}
    rest = [machine(TWO, None, state="pending"), machine("i-00000003", None, state="stopped")]
    case = world(rest, [record("a", ONE, "192.0.2.1"), record("b", ONE, "192.0.2.2")], m=row)
    ran = applied(limited(case, (1, 0)))
    assert len(ran.ended(Outcome.APPLIED)) == len(ran.results) == 3
