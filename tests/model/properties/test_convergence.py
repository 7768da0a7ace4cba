"""If the world stops changing, one clean pass makes it right, two in a few worlds, and the next plans nothing."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from controller.model import Outcome
from tests.model.actors import Meddle
from tests.model.properties.clouds import Clouds
from tests.model.properties.passes import planned, run
from tests.model.properties.profiles import PROMISE
from tests.model.properties.random_worlds import cases
from tests.model.properties.simulation import what_a_calm_pass_leaves
from tests.support.spec.right import takes_two_passes, wrongs
from tests.support.state import Case


@PROMISE
@given(cases())
def test_one_clean_pass_converges_and_the_next_plans_nothing(case: Case) -> None:
    assert what_a_calm_pass_leaves(Clouds(case)) == []


@PROMISE
@given(cases(), st.integers(0, 1 << 30))
def test_a_world_that_is_right_is_left_alone_and_no_other_one_is(case: Case, seed: int) -> None:
    clouds = Clouds(case)
    for ruin in (lambda _: None, Meddle(seed), Meddle(seed + 1)):
        run(clouds, force=True)  # few random worlds are right, and few are nearly right
        ruin(clouds)
        now = replace(case, state=clouds.moment())
        assert (planned(now, force=True).results == ()) == (wrongs(now.state, now.settings) == [])


@PROMISE
@given(cases())
def test_no_random_world_is_left_alone_while_it_is_wrong(case: Case) -> None:
    assert planned(case, force=True).results or wrongs(case.state, case.settings) == []


@PROMISE
@given(cases())
def test_without_force_only_held_changes_are_left_and_planned_again(case: Case) -> None:
    clouds = Clouds(case)
    passes = [run(clouds)]
    # Records that this pass has written show the next one that this is the right place: it may hold less.
    is_held = any(result.outcome is Outcome.GUARDED for result in passes[0].results)
    passes += [run(clouds) for _ in range(1 + is_held + takes_two_passes(case.state, case.settings))]
    assert {result.outcome for ran in passes for result in ran.results} <= {Outcome.APPLIED, Outcome.GUARDED}
    assert {result.outcome for result in passes[-1].results} <= {Outcome.GUARDED}
    assert passes[-1].state == passes[-2].state


@PROMISE
@given(cases(size=4))
def test_scoped_passes_over_every_instance_converge(case: Case) -> None:
    clouds = Clouds(case)
    for _ in range(2):  # a link may wait for the record of a machine that comes later
        for instance in sorted(case.state.instances):
            run(clouds, [instance], force=True)
    assert [run(clouds, [i], force=True).results for i in sorted(case.state.instances)] == [()] * len(
        case.state.instances
    )
