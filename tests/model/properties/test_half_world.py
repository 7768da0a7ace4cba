"""Never a plan from half a world: any reading that fails makes the pass fail before it writes anything."""

from collections.abc import Collection
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.model.properties.clouds import Clouds
from tests.model.properties.faults import READ_FAULTS, WRITES, Calls, Script
from tests.model.properties.passes import Ran, applied, planned, run
from tests.model.properties.profiles import COSTLY
from tests.model.properties.random_worlds import cases
from tests.support.state import Case


def each_failing(case: Case, scope: Collection[str] | None, error: int) -> list[Ran]:
    """One pass for every reading that the plan rests on, which fails."""
    readings = len(planned(case, scope, force=True).calls)
    scripts = [Script(Calls({number: error})) for number in range(readings)]
    return [run(Clouds(case), scope, force=True, script=script) for script in scripts]


@pytest.mark.parametrize("error", range(len(READ_FAULTS)))
@COSTLY
@given(cases())
def test_a_full_pass_with_a_failed_reading_writes_nothing(error: int, case: Case) -> None:
    for ran in each_failing(case, None, error):
        assert ran.error is not None
        assert ran.state == case.state
        assert not any(call in WRITES for call in ran.calls)


@pytest.mark.parametrize("error", range(len(READ_FAULTS)))
@COSTLY
@given(cases(), st.randoms(use_true_random=False))
def test_a_scoped_pass_with_a_failed_reading_writes_nothing(error: int, case: Case, rng: Random) -> None:
    instances = sorted(case.state.instances)
    scope = rng.sample(instances, min(2, len(instances)))
    for ran in each_failing(case, scope, error):
        assert ran.error is not None
        assert ran.state == case.state
        assert not any(call in WRITES for call in ran.calls)


@COSTLY
@given(cases())
def test_a_plan_calls_nothing_that_writes(case: Case) -> None:
    ran = planned(case, force=True)
    assert ran.state == case.state
    assert not any(call in WRITES for call in ran.calls)


@COSTLY
@given(cases())
def test_a_pass_without_time_writes_nothing(case: Case) -> None:
    for cut in range(len(planned(case).calls)):
        ran = applied(case, force=True, script=Script(Calls(cut=cut)))
        assert ran.error is not None
        assert ran.state == case.state


@COSTLY
@given(cases())
def test_a_pass_that_is_cut_says_what_it_has_not_reached(case: Case) -> None:
    calm = applied(case, force=True)
    for cut in range(sum(call in WRITES for call in calm.calls)):
        ran = applied(case, force=True, script=Script(writes=Calls(cut=cut)))
        assert ran.report is not None
        assert not ran.report.complete
        assert not ran.report.ended_well
