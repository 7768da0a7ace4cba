"""Monotonic status, no phantom rows, no link without its record: whatever fails."""

from random import Random

from hypothesis import given

from controller.model import RowChange
from tests.model.properties.passes import planned
from tests.model.properties.profiles import PROMISE
from tests.model.properties.random_worlds import Chooser, cases
from tests.model.properties.test_ownership import TROUBLES, some_passes
from tests.support.spec import sight as spec
from tests.support.spec.sight import Sight
from tests.support.state import Case

OURS = ("status", "termination_reason")


@PROMISE
@given(cases(), TROUBLES)
def test_later_statuses_are_overwritten_by_terminated_only(case: Case, rng: Random) -> None:
    before = case.state.rows
    for state in some_passes(case, Chooser(rng)):
        for meeting, row in state.rows.items():
            old, new = before[meeting].get("status"), row.get("status")
            is_written = old in spec.EARLY and new == "DNS_WRITTEN"
            is_ended = old in (*spec.LIVE, *spec.EARLY) and new == "TERMINATED"  # an early one by way of DNS_WRITTEN
            assert old == new or is_written or is_ended, (old, new)


@PROMISE
@given(cases(), TROUBLES)
def test_a_terminated_meeting_is_history_and_never_written(case: Case, rng: Random) -> None:
    history = {key: row for key, row in case.state.rows.items() if row.get("status") == "TERMINATED"}
    for state in some_passes(case, Chooser(rng)):
        assert {key: state.rows[key] for key in history} == history


@PROMISE
@given(cases(), TROUBLES)
def test_no_row_is_ever_made_and_none_is_lost(case: Case, rng: Random) -> None:
    for state in some_passes(case, Chooser(rng)):
        assert state.rows.keys() == case.state.rows.keys()


@PROMISE
@given(cases())
def test_nothing_is_planned_for_a_meeting_without_a_row(case: Case) -> None:
    for result in planned(case, force=True).results:
        assert not isinstance(result.change, RowChange) or result.change.key in case.state.rows


@PROMISE
@given(cases(), TROUBLES)
def test_only_links_status_and_reason_are_ever_written(case: Case, rng: Random) -> None:
    links = [f"{role}_ec2_link" for role in case.settings.roles]
    for state in some_passes(case, Chooser(rng)):
        for meeting, row in state.rows.items():
            rest = {name: value for name, value in row.items() if name not in (*OURS, *links)}
            before = case.state.rows[meeting].items()
            assert rest == {name: value for name, value in before if name not in (*OURS, *links)}


@PROMISE
@given(cases(), TROUBLES)
def test_new_link_leads_only_to_its_machine_whatever_fails(case: Case, rng: Random) -> None:
    before = case.state.rows
    for state in some_passes(case, Chooser(rng)):
        sight = Sight.of(state, case.settings)
        for meeting, row in state.rows.items():
            for role, there in spec.links_of(row, case.settings).items():
                is_new = row.get(f"{role}_ec2_link") != before[meeting].get(f"{role}_ec2_link")
                assert not is_new or spec.leads_to_it_alone(sight, there)
