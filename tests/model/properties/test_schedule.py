"""Event equals schedule: a scoped pass plans what the full pass plans for what it may change."""

from collections.abc import Collection
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from controller.model import Action
from tests.model.properties.clouds import Clouds
from tests.model.properties.passes import planned, run
from tests.model.properties.profiles import PROMISE
from tests.model.properties.random_worlds import LOST_IDS, Chooser, cases
from tests.model.properties.schedule import unlike_the_full_pass
from tests.support.spec import sight as spec
from tests.support.spec.sight import Sight
from tests.support.state import Case


def assert_like_the_full_pass(case: Case, scope: Collection[str]) -> None:
    full, scoped = planned(case, force=True).results, planned(case, scope).results
    assert unlike_the_full_pass(case, scope, full, scoped) == []


@PROMISE
@given(cases())
def test_event_of_any_instance_plans_what_the_schedule_plans(case: Case) -> None:
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
def test_scoped_pass_infers_nothing_from_absence_and_ends_nothing(case: Case) -> None:
    sight = Sight.of(case.state, case.settings)
    for instance in (*case.state.instances, *LOST_IDS):
        for force in (True, False):
            ran = run(Clouds(case), [instance], force=force)
            assert ran.report is not None
            assert not ran.report.guard.tripped
            for result in ran.results:
                assert result.change.action is not Action.TERMINATE_MEETING
                assert spec.class_of(sight, str(result.change.instance)) != spec.ABSENT


@PROMISE
@given(cases())
def test_a_strangers_machine_costs_one_call_and_nothing_more(case: Case) -> None:
    sight = Sight.of(case.state, case.settings)
    strangers = [i for i in case.state.instances if spec.class_of(sight, i) == spec.UNTAGGED]
    for scope in [[i] for i in strangers] + [strangers] * bool(strangers):
        ran = run(Clouds(case), scope, force=True)
        assert ran.calls == ("fleet.by_id",)
        assert ran.results == ()
