"""Event equals schedule: a scoped pass plans what the full pass plans for what it may change, two exceptions aside."""

from collections.abc import Collection
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from controller.model import Outcome
from tests.properties import spec
from tests.properties.clouds import Clouds
from tests.properties.passes import planned, run
from tests.properties.profiles import PROMISE
from tests.properties.schedule import leads_outside, may_change, subjects
from tests.properties.spec import Sight
from tests.properties.state import Case
from tests.properties.worlds import LOST_IDS, Chooser, cases


def assert_like_the_full_pass(case: Case, scope: Collection[str]) -> None:
    full, scoped = planned(case, force=True).results, planned(case, scope, force=True).results
    due = [r for r in full if may_change(r, case, scope) and not leads_outside(r, full, scope)]
    assert subjects(scoped, scope) == subjects(due, scope)


@PROMISE
@given(cases())
def test_an_event_of_any_instance_plans_what_the_schedule_plans_for_it(case: Case) -> None:
    for instance in (*case.state.instances, *LOST_IDS):
        assert_like_the_full_pass(case, [instance])


@PROMISE
@given(cases(), st.randoms(use_true_random=False))
def test_a_batch_of_events_plans_what_the_schedule_plans_for_them(case: Case, rng: Random) -> None:
    choose = Chooser(rng)
    everyone = (*case.state.instances, *LOST_IDS)
    assert_like_the_full_pass(case, [i for i in everyone if choose.chance(0.5)])
    assert_like_the_full_pass(case, everyone)


@PROMISE
@given(cases())
def test_a_scoped_pass_holds_what_rests_on_absence_and_does_not_fail_for_it(case: Case) -> None:
    sight = Sight.of(case.state, case.settings)
    for instance in (*case.state.instances, *LOST_IDS):
        ran = run(Clouds(case), [instance])
        assert ran.report is not None
        assert ran.report.ended_well
        for result in ran.ended(Outcome.APPLIED):
            there = result.change.instance
            assert result.change.record is None or spec.class_of(sight, str(there)) not in spec.GUARDED


@PROMISE
@given(cases())
def test_a_strangers_machine_costs_one_call_and_nothing_more(case: Case) -> None:
    sight = Sight.of(case.state, case.settings)
    strangers = [i for i in case.state.instances if spec.class_of(sight, i) == spec.UNTAGGED]
    for scope in [[i] for i in strangers] + [strangers] * bool(strangers):
        ran = run(Clouds(case), scope, force=True)
        assert ran.calls == ("fleet.by_id",)
        assert ran.results == ()
