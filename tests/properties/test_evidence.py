"""The order of looking, section 1: evidence that destroys is read after what it destroys."""

from dataclasses import replace

import pytest
from hypothesis import given

from controller.model import Action, Outcome
from tests.properties.clouds import Clouds
from tests.properties.faults import Calls, Script
from tests.properties.passes import applied, planned
from tests.properties.profiles import PROMISE
from tests.properties.state import Case
from tests.properties.test_regressions import ONE, TWO, link, machine, record, world
from tests.properties.worlds import cases


def before_and_after_the_listing(case: Case) -> tuple[set[str], set[str]]:
    """What a full pass calls before it lists the machines, and after that."""
    calls = planned(case).calls
    listing = calls.index("fleet.tagged")
    return set(calls[:listing]), set(calls[listing + 1 :])


@PROMISE
@given(cases())
def test_records_and_rows_are_read_before_the_machines_and_what_they_name_is_looked_up_last(case: Case) -> None:
    before, after = before_and_after_the_listing(case)
    assert before == {"records.listing", "table.live"}
    assert after <= {"records.zone", "table.rows", "fleet.by_id"}


def test_a_full_pass_asks_last_for_machines_that_a_record_or_a_row_names_and_no_listing_brought() -> None:
    case = world([machine(ONE, "203.0.113.1")], [record("a", TWO, "192.0.2.1")], m={"student_ec2_id": "i-00000003"})
    assert before_and_after_the_listing(case) == ({"records.listing", "table.live"}, {"fleet.by_id"})


@pytest.mark.parametrize("index", ["by-status", None])
def test_behind_an_index_the_rows_of_machines_that_are_gone_are_read_by_key(index: str | None) -> None:
    """Out of the index's sight is the row of a meeting that is only scheduled; its link is dead all the same."""
    gone = machine(ONE, None, state="terminated")
    case = world([gone], [], m={"status": "SCHEDULED", "teacher_ec2_link": link(ONE)})
    ran = applied(replace(case, settings=replace(case.settings, status_index=index)))
    assert [(r.change.action, r.outcome) for r in ran.results] == [(Action.CLEAR_LINK, Outcome.APPLIED)]
    assert ("table.rows" in ran.calls) is (index is not None)


def test_what_a_scoped_pass_would_delete_is_described_once_more_and_that_counts() -> None:
    """The machine starts again after it was first described, and after all around it was read."""

    def start(clouds: Clouds) -> None:
        clouds.state = replace(clouds.state, instances={ONE: machine(ONE, "192.0.2.1")})

    case = world([machine(ONE, None, state="stopped")], [record("a", ONE, "192.0.2.1")], m={})
    ran = applied(case, [ONE], script=Script(Calls(meddlers={4: start})))
    assert ran.calls[0] == ran.calls[4] == "fleet.by_id"
    assert "a" in ran.state.records
