"""In a zone that nobody may read, creates go alone until one has landed at its own name."""

from dataclasses import replace

import pytest

from controller.apply.first_create import prove_zone
from controller.apply.outcomes import Outcomes
from controller.apply.records import PATIENCE, RecordApplier, no_answer
from controller.errors import (
    AmbiguousError,
    CallError,
    DeniedError,
    MismatchError,
    RefusedError,
    TransientError,
    WatchdogError,
)
from controller.model import Applied, Outcome, World, Zone
from controller.ports import Readers
from controller.reconcile import SILENT
from controller.rules.plan import plan
from controller.runtime.budget import Budget
from tests.support.build import (
    ELSEWHERE,
    MARK,
    OTHER,
    STUDENT,
    TEACHER,
    context,
    machine,
    name,
    of_records,
    record,
    settings,
    world,
)
from tests.support.clock import FastClock
from tests.unit.apply.odd_clouds import FULL, LOST, STALE, Answer, OddFleet, OddTable, OddZone

SEEN = replace(world([machine(), machine(STUDENT, role="student")]), zone=Zone(None))
RIGHT = record(comment=f"{MARK} teacher of m1")
ASTRAY = replace(RIGHT, name=f"{name(TEACHER)}.example.org")
NONSENSE = RefusedError("nonsense", codes=(9000,))


def proven(zone: OddZone, seen: World = SEEN) -> tuple[int | WatchdogError, Applied]:
    """How many creates are still to be sent, or what stopped the pass, and how those that were sent have ended."""
    wanted = plan(seen, settings())
    creates = of_records(wanted)
    outcomes = Outcomes(replace(wanted, changes=tuple(creates)), SILENT)
    readers = Readers(OddFleet([]), OddTable(None, []), zone)
    applier = RecordApplier(context(readers, Budget(FastClock(), 600)), zone, seen, outcomes)
    rest: int | WatchdogError
    try:
        left = prove_zone(applier, creates)
    except WatchdogError as error:
        rest = error
    else:
        rest = len(left)
        assert list(left) == creates[len(creates) - rest :]
    return rest, outcomes.close()


def ends(applied: Applied) -> list[Outcome]:
    return [result.outcome for result in applied.results]


DONE, FAILED, NOT_REACHED = Outcome.APPLIED, Outcome.FAILED, Outcome.NOT_REACHED


def test_one_that_lands_at_its_name_proves_the_zone_for_the_others() -> None:
    zone = OddZone([[RIGHT]])
    rest, applied = proven(zone)
    assert (rest, ends(applied), zone.batches) == (1, [DONE, NOT_REACHED], [1])
    assert not zone.searched
    assert not zone.removed


def test_created_record_with_wrong_content_fails_but_proves_the_zone() -> None:
    rest, applied = proven(OddZone([[replace(RIGHT, content=ELSEWHERE)]]))
    assert (rest, ends(applied)) == (1, [FAILED, NOT_REACHED])
    assert [finding.id for finding in applied.findings] == ["does-not-converge"]


def test_refused_first_create_fails_alone_and_the_next_is_tried() -> None:
    zone = OddZone([NONSENSE, [record(STUDENT, comment=f"{MARK} student of m1")]])
    rest, applied = proven(zone)
    assert (rest, ends(applied), zone.batches) == (0, [FAILED, DONE], [1, 1])
    assert applied.results[0].error == "nonsense"


def test_a_full_zone_is_said_once() -> None:
    zone = OddZone([FULL])
    three = [machine(instance, meeting=instance) for instance in (TEACHER, STUDENT, OTHER)]
    rest, applied = proven(zone, replace(world(three), zone=Zone(None)))
    assert (rest, ends(applied), zone.batches) == (0, [FAILED] * 3, [1])


def test_record_at_another_name_is_deleted_and_stops_the_pass() -> None:
    zone = OddZone([[ASTRAY]], removals=[[]])
    rest, applied = proven(zone)
    assert isinstance(rest, MismatchError)
    assert rest.message == f"A record for {name(TEACHER)} landed at {ASTRAY.name}, so DOMAIN_ROOT is not in this zone."
    assert rest.hint == "The pass deleted it. Correct DOMAIN_ROOT or ZONE_ID."
    assert (ends(applied), applied.results[0].error) == ([FAILED, NOT_REACHED], str(rest))
    assert (zone.removed, zone.searched, zone.batches) == ([[ASTRAY.id]], [], [1])


@pytest.mark.parametrize("unclear", [LOST, STALE, []], ids=["lost", "stale", "silent"])
def test_after_an_unclear_answer_what_is_there_proves_the_zone(unclear: Answer) -> None:
    zone = OddZone([unclear], [RIGHT], [[]])
    rest, applied = proven(zone)
    assert (rest, ends(applied), zone.batches) == (1, [DONE, NOT_REACHED], [1])
    assert zone.searched == [name(TEACHER)]


@pytest.mark.parametrize("unclear", [LOST, STALE, []], ids=["lost", "stale", "silent"])
def test_after_an_unclear_answer_what_is_astray_is_taken_away(unclear: Answer) -> None:
    zone = OddZone([unclear], [], [[ASTRAY]], [[]])
    rest, applied = proven(zone)
    assert isinstance(rest, MismatchError)
    assert (ends(applied), zone.removed, zone.batches) == ([FAILED, NOT_REACHED], [[ASTRAY.id]], [1])


def test_create_is_sent_again_if_an_unclear_answer_left_no_record() -> None:
    zone = OddZone([LOST, [RIGHT]], [], [[]])
    rest, applied = proven(zone)
    assert (rest, ends(applied), zone.batches) == (1, [DONE, NOT_REACHED], [1, 1])


@pytest.mark.parametrize(("unclear", "reported"), [(LOST, LOST), (STALE, STALE), ([], no_answer())], ids=str)
def test_what_stays_unclear_stops_the_pass_after_some_looks(unclear: Answer, reported: CallError) -> None:
    zone = OddZone([unclear], [], [[]])
    rest, applied = proven(zone)
    assert (type(rest), str(rest)) == (type(reported), str(reported))
    assert (ends(applied), len(zone.batches)) == ([FAILED, NOT_REACHED], PATIENCE)
    assert applied.results[0].error == str(reported)


def test_what_only_looks_like_it_is_left_alone() -> None:
    others = [
        replace(ASTRAY, type="TXT"),
        replace(ASTRAY, content=ELSEWHERE),
        replace(ASTRAY, comment=MARK),
    ]
    zone = OddZone([LOST], [RIGHT], [others])
    assert (proven(zone)[0], zone.removed) == (1, [])


@pytest.mark.parametrize(("now", "strayed"), [(TransientError("down"), []), ([], TransientError("down"))])
def test_where_a_look_fails_the_unclear_answer_is_reported(now: Answer, strayed: Answer) -> None:
    rest, applied = proven(OddZone([LOST], now, [strayed]))
    assert isinstance(rest, TransientError)
    assert (ends(applied), applied.results[0].error) == ([FAILED, NOT_REACHED], "lost")


def test_a_removal_that_was_unclear_is_looked_at() -> None:
    zone = OddZone([[ASTRAY]], [], [[ASTRAY], []], [LOST, NONSENSE])
    rest, _ = proven(zone)
    assert isinstance(rest, MismatchError)
    assert rest.hint.startswith("The pass deleted it.")
    assert (zone.removed, zone.searched) == ([[ASTRAY.id]] * 2, [name(TEACHER)] * 2)


@pytest.mark.parametrize(
    ("error", "tries"), [(AmbiguousError("lost"), PATIENCE), (NONSENSE, PATIENCE), (DeniedError("not yours"), 1)]
)
def test_a_removal_that_fails_is_left_to_a_person(error: CallError, tries: int) -> None:
    zone = OddZone([[ASTRAY]], [], [[ASTRAY]], [error])
    rest, applied = proven(zone)
    assert isinstance(rest, MismatchError)
    assert rest.message == f"A record for {name(TEACHER)} landed at {ASTRAY.name}, so DOMAIN_ROOT is not in this zone."
    assert rest.hint == f"Cannot delete it: do that by hand ({error.message})."
    assert (ends(applied), len(zone.removed)) == ([FAILED, NOT_REACHED], tries)


def test_answer_with_two_records_deletes_only_the_misplaced_one() -> None:
    zone = OddZone([[RIGHT, replace(ASTRAY, id="r9")]], removals=[[]])
    assert isinstance(proven(zone)[0], MismatchError)
    assert zone.removed == [["r9"]]
