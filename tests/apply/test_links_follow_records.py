"""A link is written once all that was to be done at its machine's name is done, and else it says why not."""

from dataclasses import replace

import pytest

from controller.apply import apply
from controller.board import NOT_REACHED, Board
from controller.budget import Budget
from controller.model import Action, Applied, DnsRecord, Outcome, Result, World
from controller.ports import Readers, Writers
from controller.rules import plan
from controller.rules.guards import REMEDY
from controller.settings import Settings
from tests.apply.odd_clouds import FULL, LOST, Answer, OddFleet, OddTable, OddZone
from tests.build import ELSEWHERE, OTHER, STUDENT, TEACHER, decided, link, machine, record, row, settings, world
from tests.faults.clock import FastClock

NAMED = row(status="HEALTHY", links={"teacher": link(OTHER)})
DOUBLE = record(content=ELSEWHERE, id="r2")
NOT_IN_PLACE = "is not in place; no link is written."


def applied(zone: OddZone, table: OddTable, seen: World, using: Settings | None = None) -> tuple[Applied, list[Result]]:
    """How the plan for this world ended, where all machines are as they were, and what was told meanwhile."""
    told, using = list[Result](), using or settings()
    readers, writers = Readers(OddFleet([*seen.instances.values()]), table, zone), Writers(table, zone)
    budget = Budget(FastClock(), 60)
    return apply(decided(seen, using), seen, using, readers, writers, budget, told.append), told


def link_after(answers: list[Answer], here: list[DnsRecord], *records: DnsRecord) -> Result:
    """How the link to a running machine with these records ended, instead of a link to a machine that is gone."""
    table = OddTable(NAMED, [])
    seen = world([machine(), machine(OTHER, state="terminated")], records, [NAMED])
    ended, told = applied(OddZone(answers, here), table, seen)
    assert set(told) == set(ended.results)
    (result,) = (result for result in ended.results if result.change.action is Action.WRITE_LINK)
    (write,) = table.writes
    assert bool(write.sets) is (result.outcome is Outcome.APPLIED)
    assert bool(write.removes) is not (result.outcome is Outcome.APPLIED)
    return result


def test_after_its_record_is_made_the_link_is_written() -> None:
    assert link_after([[record()]], []).outcome is Outcome.APPLIED


def test_after_its_record_failed_the_link_is_not_reached() -> None:
    result = link_after([[record(content=ELSEWHERE)]], [])
    assert result.outcome is Outcome.NOT_REACHED
    assert (result.error or "").endswith(NOT_IN_PLACE)


def test_after_its_record_was_superseded_so_is_the_link() -> None:
    result = link_after([LOST], [record(content="192.0.2.99", comment="")])
    assert result.outcome is Outcome.SUPERSEDED
    assert (result.error or "").endswith(NOT_IN_PLACE)


def test_after_one_of_its_records_was_superseded_and_another_done_the_link_is_superseded() -> None:
    wrong = record(proxied=False)
    result = link_after([LOST], [record(content="192.0.2.99", proxied=False)], wrong, DOUBLE)
    assert result.outcome is Outcome.SUPERSEDED


def test_a_lost_record_supersedes_its_link_although_its_doubles_delete_is_done() -> None:
    assert link_after([LOST], [], record(), DOUBLE).outcome is Outcome.SUPERSEDED


def test_what_nobody_has_noted_was_not_reached() -> None:
    wanted = plan(world([machine(), machine(STUDENT, role="student")]), settings())
    board = Board(wanted)
    board.note(wanted.changes[0], Outcome.APPLIED)
    assert board.outcomes(wanted.changes) == {Outcome.APPLIED, Outcome.NOT_REACHED}
    done, missing = wanted.changes
    assert board.close().results == (
        Result(done, Outcome.APPLIED),
        Result(missing, Outcome.NOT_REACHED, NOT_REACHED),
    )
    held = replace(wanted, changes=(replace(wanted.changes[0], held=True),))
    assert Board(held).outcomes(held.changes) == {Outcome.GUARDED}


def test_what_goes_instead_of_a_link_stands_at_its_place_among_the_others() -> None:
    gone = [machine(OTHER, state="terminated"), machine(STUDENT, state="terminated", meeting="m1")]
    over = [replace(machine(f"i-{number:017x}", state="terminated"), meeting="m0") for number in range(1)]
    seen = world([machine(), *gone, *over], [], [NAMED, row("m0", "HEALTHY")])
    ended, _ = applied(OddZone([FULL]), OddTable(NAMED, [], of=("m0", "m1")), seen)
    assert [(str(result.change.action), str(result.outcome)) for result in ended.results] == [
        ("create-record", "failed"),
        ("clear-link", "applied"),
        ("write-link", "not-reached"),
        ("terminate-meeting", "applied"),
    ]


def test_what_would_go_instead_and_is_gone_already_is_superseded() -> None:
    seen = world([machine(), machine(OTHER, state="terminated")], [], [NAMED])
    table = OddTable(replace(NAMED, links={}), [])
    ended, _ = applied(OddZone([FULL]), table, seen)
    assert [(str(result.change.action), str(result.outcome)) for result in ended.results] == [
        ("create-record", "failed"),
        ("clear-link", "superseded"),
        ("write-link", "not-reached"),
    ]
    assert table.writes == []


@pytest.mark.parametrize(("scope", "hint"), [(None, REMEDY), (frozenset({TEACHER}), "A scoped pass leaves")])
def test_what_would_go_instead_and_is_held_says_so(scope: frozenset[str] | None, hint: str) -> None:
    """The zone is full, and the link leads to a machine that is only absent, which is one too many."""
    seen = world([machine()], [], [NAMED], absent=[OTHER])
    seen = replace(seen, scope=scope, named=frozenset({TEACHER, OTHER}) if scope else frozenset())
    table = OddTable(NAMED, [])
    none = settings(MAX_GUARDED_DELETES="0", MAX_GUARDED_DELETE_PERCENT="0")
    ended, _ = applied(OddZone([FULL]), table, seen, none)
    assert [(str(result.change.action), str(result.outcome)) for result in ended.results] == [
        ("create-record", "failed"),
        ("clear-link", "guarded"),
        ("write-link", "not-reached"),
    ]
    (finding,) = ended.findings
    assert (finding.id, finding.key) == ("guarded-change-held", OTHER)
    assert finding.hint.startswith(hint)
    assert table.writes == []
