"""A row that has moved on is read once more, with the machines that it names now, and the rules are asked again."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from controller.apply.outcomes import Outcomes
from controller.apply.rows import RowApplier
from controller.aws.cells import CellFleet
from controller.errors import CallError, ConditionError, DeniedError, TerminalError, TransientError
from controller.model import Instance, Meeting, Outcome, Result, RowChange, World
from controller.ports import Readers
from controller.reconcile import SILENT
from controller.rules.plan import plan
from controller.runtime.budget import Budget
from tests.support.build import (
    FOREIGN,
    NOW,
    OTHER,
    STUDENT,
    TEACHER,
    YOUNG,
    context,
    link,
    machine,
    record,
    row,
    settings,
    world,
)
from tests.support.clock import FastClock
from tests.unit.apply.odd_clouds import OddFleet, OddTable, OddZone

MOVED, MAYBE_OURS = ConditionError("moved on"), ConditionError("moved on", retried=True)


def applied(seen: World, table: OddTable, now: Sequence[Instance] = (), cells: CellFleet | None = None) -> Result:
    """How the one change of the row ended, with the table, the fleet and the cells as they are by now."""
    wanted = plan(seen, settings())
    changes = [change for change in wanted.changes if isinstance(change, RowChange)]
    outcomes = Outcomes(replace(wanted, changes=tuple(changes)), SILENT)
    readers = Readers(OddFleet(now), table, OddZone([[]]), cells)
    with suppress(TerminalError):
        RowApplier(context(readers, Budget(FastClock(), 60)), table, seen, outcomes).apply(changes)
    (result,) = outcomes.close().results
    return result


EARLY, HEALTHY = row(status="LAUNCHED"), row(status="HEALTHY")
TAGGED = world([machine()], [record()], [EARLY])


def test_moved_row_gets_link_to_tagged_machine_without_a_new_look() -> None:
    table = OddTable(HEALTHY, [MOVED])
    result = applied(TAGGED, table)
    assert (result.outcome, result.error) == (Outcome.APPLIED, None)
    assert result.change.after == (("teacher_ec2_link", link(TEACHER)),), "what was written is reported"
    assert result.change.before == (("teacher_ec2_link", None),)
    assert [dict(write.sets).get("status") for write in table.writes] == ["DNS_WRITTEN", None]


def test_what_the_row_names_is_seen_as_it_is_now_and_not_as_it_was() -> None:
    named = replace(HEALTHY, instance_ids={"teacher": TEACHER})
    for now in ([], [machine(state="stopped")]):
        table = OddTable(named, [MOVED])
        result = applied(TAGGED, table, now)
        assert (result.outcome, len(table.writes)) == (Outcome.SUPERSEDED, 1)
        assert result.error == "The row changed and no longer needs this change."


@pytest.mark.parametrize(("away", "writes"), [({}, 2), ({"1/away": TransientError("away")}, 1)])
def test_moved_row_keeps_a_machine_that_an_unread_cell_may_have(away: dict[str, CallError], writes: int) -> None:
    table = OddTable(replace(HEALTHY, instance_ids={"teacher": OTHER}), [MOVED])
    applied(TAGGED, table, cells=CellFleet({}, Budget(FastClock(), 60), away))
    assert len(table.writes) == writes


def test_end_by_absence_is_written_to_a_moved_row_that_still_needs_it() -> None:
    named = row(status="HEALTHY", ids={"teacher": TEACHER}, meet_time=(NOW - timedelta(days=2)).isoformat())
    seen = world([], [], [named], absent=[TEACHER])
    for moved, writes in ((replace(named, status="IN_PROGRESS"), 2), (replace(named, links={"student": "x"}), 1)):
        table = OddTable(moved, [MOVED])
        result = applied(seen, table)
        assert (result.outcome is Outcome.APPLIED, len(table.writes)) == (writes == 2, writes)
        assert result.change.evidence == (TEACHER,)


@pytest.mark.parametrize(("marks", "writes"), [([], 2), ([FOREIGN], 1)])
def test_moved_row_that_may_be_served_elsewhere_does_not_end(marks: list[str], writes: int) -> None:
    named = row(status="HEALTHY", ids={"teacher": TEACHER}, meet_time=(NOW - timedelta(days=2)).isoformat())
    seen = world([], [record(OTHER, comment=mark) for mark in marks], [named], absent=[TEACHER])
    table = OddTable(replace(named, instance_ids={"teacher": TEACHER, "student": OTHER}), [MOVED])
    applied(seen, table, [machine(OTHER, role="student", state="terminated")])
    assert len(table.writes) == writes


def test_living_machine_of_the_rows_own_meeting_prevents_its_end() -> None:
    dead = machine(state="terminated", launched=YOUNG)
    named = row(status="HEALTHY", ids={"teacher": TEACHER, "student": STUDENT})
    seen = world([dead, machine(STUDENT, state="terminated", role="student")], [], [named])
    living = [machine(OTHER, role="student")]
    table = OddTable(replace(named, instance_ids={"teacher": TEACHER, "student": OTHER}), [MOVED])
    assert applied(seen, table, [dead, *living]).outcome is Outcome.SUPERSEDED
    table = OddTable(replace(named, status="IN_PROGRESS"), [MOVED])
    assert applied(seen, table, list(seen.instances.values())).outcome is Outcome.APPLIED


def test_a_row_that_moves_on_twice_is_left_to_the_next_pass() -> None:
    table = OddTable(HEALTHY, [MOVED, MOVED])
    result = applied(TAGGED, table)
    assert (result.outcome, len(table.writes)) == (Outcome.SUPERSEDED, 2)
    assert result.error == "The row changed again. The next pass looks again."


def test_a_row_that_is_gone_wants_nothing() -> None:
    table = OddTable(None, [MAYBE_OURS])
    assert (applied(TAGGED, table).outcome, len(table.writes)) == (Outcome.SUPERSEDED, 1)


STOPPED = world([machine(state="stopped")], [], [replace(HEALTHY, links={"teacher": link(TEACHER)})])
OVER = world(
    [machine(state="terminated")],
    [],
    [replace(HEALTHY, instance_ids={"teacher": TEACHER}, links={"teacher": link(TEACHER)})],
)
ENDED = replace(HEALTHY, status="TERMINATED", instance_ids={"teacher": TEACHER})


@pytest.mark.parametrize(
    ("seen", "by_now"),
    [
        (TAGGED, replace(EARLY, status="DNS_WRITTEN", links={"teacher": link(TEACHER)})),
        (STOPPED, HEALTHY),
        (OVER, replace(ENDED, termination_reason="INSTANCES_GONE")),
    ],
    ids=["link", "removal", "end"],
)
def test_what_an_earlier_try_with_a_lost_answer_has_done_is_applied(seen: World, by_now: Meeting) -> None:
    table = OddTable(by_now, [MAYBE_OURS])
    assert (applied(seen, table).outcome, len(table.writes)) == (Outcome.APPLIED, 1)
    table = OddTable(by_now, [MOVED])
    assert applied(seen, table, list(seen.instances.values())).outcome is Outcome.SUPERSEDED


@pytest.mark.parametrize(
    "by_now",
    [replace(ENDED, links={"teacher": link(TEACHER)}), replace(HEALTHY, instance_ids={"student": OTHER})],
    ids=["no link removed", "not ended"],
)
def test_what_is_only_half_done_was_not_done_by_this_pass(by_now: Meeting) -> None:
    table = OddTable(by_now, [MAYBE_OURS])
    result = applied(OVER, table, [machine(OTHER, role="student")])
    assert (result.outcome, len(table.writes)) == (Outcome.SUPERSEDED, 1)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(TransientError("not now"), Outcome.NOT_REACHED), (DeniedError("not yours"), Outcome.FAILED)],
)
def test_where_a_second_look_fails_that_is_how_the_change_ended(error: CallError, outcome: Outcome) -> None:
    table = OddTable(error, [MOVED])
    result = applied(TAGGED, table)
    assert (result.outcome, result.error, len(table.writes)) == (outcome, str(error), 1)
