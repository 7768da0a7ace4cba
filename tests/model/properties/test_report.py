"""The report tells the truth: what it calls applied is so, and what it calls written was written."""

from random import Random

from hypothesis import given

from controller.model import Action, CreateRecord, DeleteRecord, Outcome, Result, RowChange, RowWrite, UpdateRecord
from tests.model.properties.clouds import Clouds
from tests.model.properties.passes import Ran, run
from tests.model.properties.profiles import PROMISE
from tests.model.properties.random_worlds import Chooser, cases
from tests.model.properties.simulation import random_scope, random_script
from tests.model.properties.test_ownership import TROUBLES, alone
from tests.support.journal import Write
from tests.support.state import Case


def troubled(case: Case, choose: Chooser) -> Ran:
    clouds = Clouds(case)
    return run(clouds, random_scope(choose, clouds), force=choose.chance(0.5), script=alone(random_script(choose)))


@PROMISE
@given(cases(), TROUBLES)
def test_what_is_reported_as_applied_is_so(case: Case, rng: Random) -> None:
    ran = troubled(case, Chooser(rng))
    for result in ran.ended(Outcome.APPLIED) if ran.report else []:
        assert is_so(result, ran), result


def is_so(result: Result, ran: Ran) -> bool:
    change = result.change
    if isinstance(change, RowChange):
        row = ran.state.rows[change.key]
        written = [r.change for r in ran.ended(Outcome.APPLIED) if r.change.action is Action.WRITE_LINK]
        if change.action is Action.CLEAR_LINK and any((w.key, w.role) == (change.key, change.role) for w in written):
            return True  # the dead link went first, and then came the new one
        return all(row.get(name) == value for name, value in change.after if name != "status" or value == "TERMINATED")
    if isinstance(change, DeleteRecord):
        return change.id not in ran.state.records
    there = [r for r in ran.state.records.values() if r.name == change.key and r.type == "A"]
    assert isinstance(change, (CreateRecord, UpdateRecord))
    return any(r.content == change.content and r.proxied for r in there)


@PROMISE
@given(cases(), TROUBLES)
def test_what_was_written_to_a_row_is_in_the_report_and_nothing_else(case: Case, rng: Random) -> None:
    ran = troubled(case, Chooser(rng))
    told = {(r.change.key, *field) for r in ran.results for field in r.change.after} if ran.report else set()
    for event in ran.journal:
        if isinstance(event, Write) and isinstance(event.wanted, RowWrite):
            before, after = event.before.rows[event.key], event.after.rows[event.key]
            for name in before.keys() | after.keys():
                if before.get(name) != after.get(name):
                    assert (event.key, name, after.get(name)) in told


@PROMISE
@given(cases(), TROUBLES)
def test_pass_is_complete_only_if_nothing_failed_or_was_left_out(case: Case, rng: Random) -> None:
    ran = troubled(case, Chooser(rng))
    if ran.report and ran.report.complete:
        outcomes = {result.outcome for result in ran.results}
        assert outcomes <= {Outcome.APPLIED, Outcome.GUARDED, Outcome.SUPERSEDED}
