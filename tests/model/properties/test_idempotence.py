"""Any change applied twice equals applied once; a lost answer is not a failure."""

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.errors import AmbiguousError, ConditionError, RefusedError
from controller.model import Change, Outcome, RecordChange, RowChange
from tests.model.properties.clouds import Clouds
from tests.model.properties.faults import RECORD_FAULTS, WRITES, Calls, Fault, Lost, Script
from tests.model.properties.passes import applied, planned, run
from tests.model.properties.profiles import COSTLY, PROMISE
from tests.model.properties.random_worlds import cases
from tests.support.ports import writers_of
from tests.support.spec.right import takes_two_passes
from tests.support.state import Case


def do(clouds: Clouds, change: Change) -> None:
    match change:
        case RecordChange():
            writers_of(clouds).records.write([change])
        case RowChange():
            writers_of(clouds).rows.write(change.meeting, change.write)


@PROMISE
@given(cases())
def test_any_change_applied_twice_equals_applied_once(case: Case) -> None:
    for change in (result.change for result in planned(case, force=True).results):
        clouds = Clouds(case)
        try:
            do(clouds, change)
        except RefusedError:
            continue  # it needs a change before it
        once = clouds.state
        with suppress(RefusedError, ConditionError):
            do(clouds, change)
        assert clouds.state == once


@pytest.mark.parametrize("lost", Lost)
@COSTLY
@given(cases())
def test_a_lost_answer_from_cloudflare_is_not_a_failure(lost: Lost, case: Case) -> None:
    calm = applied(case, force=True)
    which = RECORD_FAULTS.index(Fault(AmbiguousError, lost))
    for number, method in enumerate(m for m in calm.calls if m in WRITES):
        if method == "records.write":
            ran = applied(case, force=True, script=Script(writes=Calls({number: which})))
            assert [r for r in ran.results if r.outcome is not Outcome.APPLIED] == []
            assert same_world(ran.state.records, calm.state.records)
            assert ran.state.rows == calm.state.rows


def same_world(ours: object, theirs: object) -> bool:
    """Ids and times of creation aside."""

    def contents(records: object) -> list[str]:
        assert isinstance(records, dict)
        return sorted(repr(replace(r, id="", created_on=None, modified_on=None)) for r in records.values())

    return contents(ours) == contents(theirs)


@PROMISE
@given(cases(), st.booleans())
def test_a_row_write_that_is_sent_twice_ends_as_once(case: Case, force: bool) -> None:
    ran, calm = (applied(case, force=force, script=Script(resends=resends)) for resends in (True, False))
    assert ran.state == calm.state
    assert [(r.change, r.outcome) for r in ran.results] == [(r.change, r.outcome) for r in calm.results]


@PROMISE
@given(cases(), st.booleans())
def test_the_same_pass_once_more_writes_nothing(case: Case, force: bool) -> None:
    clouds = Clouds(case)
    if takes_two_passes(case.state, case.settings):
        run(clouds, force=force)
    first = run(clouds, force=force)
    if first.ended(Outcome.GUARDED) and first.ended(Outcome.APPLIED):
        first = run(clouds, force=force)  # a record of a machine that is seen proves the place, and frees what was held
    again = run(clouds, force=force)
    held = {result.change.ident for result in first.results if result.outcome is Outcome.GUARDED}
    assert {result.change.ident for result in again.results} == held
    assert not [call for call in again.calls if call in WRITES]
