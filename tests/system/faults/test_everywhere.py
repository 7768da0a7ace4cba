"""Every kind of fault at the calls of full, scoped, contended and blind passes over a messy fleet."""

from collections.abc import Callable

import pytest

from tests.system.faults.calls import Call
from tests.system.faults.plan import CALLS, Case, cases_at, places, sample
from tests.system.faults.summary import TRIALS
from tests.system.faults.trial import Ends, Workshop, calls_of, try_fault

pytest_plugins = ("tests.system.faults.bench",)

Note = Callable[[str, object], None]


@pytest.mark.parametrize("scenario", CALLS)
def test_the_calls_are_those_that_a_pass_makes(workshop: Workshop, scenario: str) -> None:
    assert calls_of(workshop, scenario) == list(CALLS[scenario])


@pytest.mark.parametrize("case", sample()[::3], ids=str)  # `make proof` has all of them at all calls
def test_a_fault_makes_the_pass_fail_at_worst(
    workshop: Workshop, ends: Ends, case: Case, record_property: Note
) -> None:
    record_property(TRIALS, 1)
    assert try_fault(workshop, case, ends[case.scenario]) == []


@pytest.mark.proof
@pytest.mark.parametrize(("scenario", "call"), places(), ids=str)
def test_every_fault_at_every_call(
    workshop: Workshop, ends: Ends, scenario: str, call: Call, record_property: Note
) -> None:
    cases = cases_at(scenario, call)
    found = {str(case): wrong for case in cases if (wrong := try_fault(workshop, case, ends[scenario]))}
    record_property(TRIALS, len(cases))
    assert found == {}
