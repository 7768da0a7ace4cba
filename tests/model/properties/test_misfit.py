"""Settings that do not fit the world stop the pass; a zone that cannot be read is tried with one create."""

from dataclasses import replace
from datetime import timedelta

import pytest

from controller.errors import AmbiguousError, MismatchError
from controller.model import Instance, Outcome
from tests.model.properties.clouds import Clouds
from tests.model.properties.faults import RECORD_FAULTS, WRITES, Calls, Fault, Lost, Script
from tests.model.properties.passes import run
from tests.model.properties.random_worlds import IDS, ROUTABLE, settings_with
from tests.support.clock import START
from tests.support.state import Case, State, Zone


def machines(count: int) -> Case:
    """Running machines without records or rows, the oldest first."""
    found = {
        i: Instance(i, "running", ROUTABLE[n], True, "m1", "teacher", START - timedelta(hours=1, minutes=-n))
        for n, i in enumerate(IDS[:count])
    }
    return Case(State(START, found, {}, {}), settings_with())


@pytest.mark.parametrize("zone", ["example.org", "ample.com", "www.example.com", "com.example.com"])
def test_domain_root_outside_the_zone_stops_before_planning(zone: str) -> None:
    ran = run(Clouds(replace(machines(2), zone=Zone(name=zone))))
    assert isinstance(ran.error, MismatchError)
    assert not any(call in WRITES for call in ran.calls)


@pytest.mark.parametrize("zone", ["example.com", "com"])
def test_domain_root_in_a_readable_or_unreadable_zone_is_accepted(zone: str) -> None:
    for is_readable in (True, False):
        ran = run(Clouds(replace(machines(3), zone=Zone(name=zone, is_readable=is_readable))))
        assert len(ran.ended(Outcome.APPLIED)) == len(ran.results) == 3


UNCLEAR = [None, Fault(AmbiguousError, Lost.DONE), Fault(AmbiguousError)]


@pytest.mark.parametrize("first", UNCLEAR)
@pytest.mark.parametrize("second", UNCLEAR)
def test_wrong_unreadable_zone_is_left_without_any_record(first: Fault | None, second: Fault | None) -> None:
    faults = {n: RECORD_FAULTS.index(f) for n, f in enumerate((first, second)) if f}
    clouds = Clouds(replace(machines(3), zone=Zone(name="example.org", is_readable=False)))
    ran = run(clouds, script=Script(writes=Calls(faults)))
    assert ran.state.records == {}
    assert ran.report is not None
    assert not ran.report.complete
    assert ran.ended(Outcome.APPLIED) == []


@pytest.mark.parametrize("fault", UNCLEAR)
def test_unclear_answer_to_first_create_in_right_zone_is_resolved(
    fault: Fault | None,
) -> None:
    faults = {0: RECORD_FAULTS.index(fault)} if fault else {}
    clouds = Clouds(replace(machines(3), zone=Zone(is_readable=False)))
    ran = run(clouds, script=Script(writes=Calls(faults)))
    assert len(ran.ended(Outcome.APPLIED)) == len(ran.results) == 3
    assert len(ran.state.records) == 3
    assert ran.calls.count("records.write") == (3 if fault and fault.lost is Lost.UNDONE else 2)


def test_refused_first_create_fails_and_the_next_is_tried() -> None:
    clouds = Clouds(replace(machines(3), zone=Zone(is_readable=False)))
    ran = run(clouds, script=Script(poison=f"{IDS[0]}.example.com"))
    assert [r.outcome for r in ran.results if r.change.instance == IDS[0]] == [Outcome.FAILED]
    assert len(ran.ended(Outcome.APPLIED)) == 2
