"""The order of looking: evidence that destroys is read after what it destroys, and once more by id."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.model import Action, Instance, Outcome
from tests.model.properties.clouds import Clouds
from tests.model.properties.faults import Calls, Script
from tests.model.properties.passes import applied, planned, run
from tests.model.properties.profiles import PROMISE
from tests.model.properties.random_worlds import cases
from tests.model.properties.test_regressions import ONE, TWO, machine, record, world
from tests.support.build import link
from tests.support.spec import sight as spec
from tests.support.state import Case


def before_and_after_the_listing(case: Case) -> tuple[set[str], set[str]]:
    """What a full pass calls before it lists the machines, and after that."""
    calls = planned(case).calls
    listing = calls.index("fleet.tagged")
    return set(calls[:listing]), set(calls[listing + 1 :])


@PROMISE
@given(cases())
def test_records_and_rows_are_read_before_machines_and_lookups_last(case: Case) -> None:
    before, after = before_and_after_the_listing(case)
    assert before == {"records.listing", "table.live"}
    assert after <= {"records.zone", "table.rows", "fleet.by_id", "fleet.of_meetings"}


def test_full_pass_looks_up_named_machines_that_no_listing_brought() -> None:
    row = {"status": "LAUNCHED", "student_ec2_id": "i-00000003"}
    case = world([machine(ONE, "203.0.113.1")], [record("a", TWO, "192.0.2.1")], m=row)
    assert before_and_after_the_listing(case) == ({"records.listing", "table.live"}, {"fleet.by_id"})


@pytest.mark.parametrize("index", ["by-status", None])
def test_with_an_index_rows_of_gone_machines_are_read_by_key(index: str | None) -> None:
    """Out of the index's sight is the row of a meeting that is only scheduled; its link is dead all the same."""
    gone = machine(ONE, None, state="terminated")
    case = world([gone], [], m={"status": "SCHEDULED", "teacher_ec2_link": link(ONE)})
    ran = applied(replace(case, settings=replace(case.settings, status_index=index)))
    assert [(r.change.action, r.outcome) for r in ran.results] == [(Action.CLEAR_LINK, Outcome.APPLIED)]
    assert ("table.rows" in ran.calls) is (index is not None)


@pytest.mark.parametrize("status", ["LAUNCHED", "IN_PROGRESS", None, "SCHEDULED", "COMPLETED", "TERMINATED"])
def test_the_ids_of_rows_that_are_not_live_are_not_looked_up(status: str | None) -> None:
    case = world([], [], m={"status": status, "teacher_ec2_id": ONE, "student_ec2_link": link(TWO)})
    assert ("fleet.by_id" in planned(case).calls) is (status in spec.LIVE)


@PROMISE
@given(cases(), st.booleans())
def test_only_a_pass_that_removes_something_looks_twice(case: Case, is_scoped: bool) -> None:
    for scope in [[i] for i in case.state.instances] if is_scoped else [None]:
        ran = planned(case, scope, force=True)
        doomed = {machine for result in ran.results for machine in result.change.evidence}
        looks = ran.calls.count("fleet.by_id")
        named = spec.Sight.of(case.state, case.settings).instances.keys() - tagged(case)
        # What a second look is the first to show, such as where a link leads, is looked at a third time.
        assert bool(doomed) <= looks - bool(scope or named) <= 2 * bool(doomed), ran.calls


def tagged(case: Case) -> set[str]:
    return {machine.id for machine in case.state.instances.values() if machine.tagged}


def is_now(instance: Instance) -> Callable[[Clouds], None]:
    """The truth, which EC2 shows from now on."""

    def show(clouds: Clouds) -> None:
        clouds.state = replace(clouds.state, instances={**clouds.state.instances, instance.id: instance})

    return show


RUNS = machine(ONE, "192.0.2.1")
IN_PLACE = [record("a", ONE, "192.0.2.1")]
OF_ONE = {"status": "IN_PROGRESS", "teacher_ec2_id": ONE, "teacher_ec2_link": link(ONE)}
FIRST = {
    "stopped": replace(RUNS, state="stopped", public_ip=None),
    "shutting down": replace(RUNS, state="shutting-down", public_ip=None),
    "pending": replace(RUNS, state="pending", public_ip=None),
    "without its address": replace(RUNS, public_ip=None),
    "with the address of before": replace(RUNS, public_ip="192.0.2.9"),
    "not at all": None,
}


@pytest.mark.parametrize("scope", [None, [ONE]])
@pytest.mark.parametrize("first", FIRST.values(), ids=FIRST)
def test_machine_misread_in_the_first_reading_loses_nothing(first: Instance | None, scope: list[str] | None) -> None:
    case = world([first] if first else [], IN_PLACE, m=OF_ONE)
    calls = planned(case, scope).calls
    is_whole = is_now(RUNS)
    ran = run(Clouds(case), scope, script=Script(Calls(meddlers={len(calls) - 1: is_whole})))
    assert ran.state.rows == case.state.rows
    kept = ran.state.records.get("a")
    assert kept is not None
    assert kept.content in ("192.0.2.1", "192.0.2.9")


def test_forty_lessons_first_read_without_addresses_keep_records() -> None:
    ids = [f"i-{number:08x}" for number in range(40)]
    whole = [replace(machine(i, f"203.0.113.{n + 1}"), meeting=i) for n, i in enumerate(ids)]
    written = [record(f"s{i}", i, f"203.0.113.{n + 1}") for n, i in enumerate(ids)]
    rows = {i: {"status": "IN_PROGRESS", "teacher_ec2_id": i, "teacher_ec2_link": link(i)} for i in ids}
    case = world([replace(each, public_ip=None) for each in whole], written, **rows)
    calls = planned(case).calls

    def all_are_whole(clouds: Clouds) -> None:
        clouds.state = replace(clouds.state, instances={each.id: each for each in whole})

    ran = run(Clouds(case), script=Script(Calls(meddlers={len(calls) - 1: all_are_whole})))
    assert ran.results == ()
    assert ran.state.records.keys() == case.state.records.keys()
