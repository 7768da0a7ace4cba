"""A link is written once all that was to be done at its machine's name is done, and else it says why not."""

from dataclasses import replace

from controller.apply.outcomes import NOT_REACHED, Outcomes
from controller.model import Action, DnsRecord, Outcome, Result, RowChange
from controller.reconcile import SILENT
from controller.rules.plan import plan
from tests.support.build import ELSEWHERE, OTHER, STUDENT, Told, decided, link, machine, record, row, settings, world
from tests.unit.apply.odd_clouds import LOST, Answer, OddTable, OddZone, carried_out

NAMED = row(status="HEALTHY", links={"teacher": link(OTHER)})
DOUBLE = record(content=ELSEWHERE, id="r2")
NOT_IN_PLACE = "is not in place, so no link is written."


def link_after(answers: list[Answer], here: list[DnsRecord], *records: DnsRecord) -> Result:
    """How the link to a running machine with these records ended; the one to a machine that is gone goes in any case.

    What is reported meanwhile is what the board holds at the end.
    """
    told = Told()
    seen = world([machine(), machine(OTHER, state="terminated")], records, [NAMED])
    table, zone = OddTable(NAMED, []), OddZone(answers, here)
    ended = carried_out(decided(seen), seen, table, zone, now=[*seen.instances.values()], listener=told)
    assert set(told.results) == set(ended.results)
    removed, result = (result for result in ended.results if isinstance(result.change, RowChange))
    assert (removed.change.action, removed.outcome) == (Action.CLEAR_LINK, Outcome.APPLIED)
    assert result.change.action is Action.WRITE_LINK
    assert [bool(write.sets) for write in table.writes] == [False, True][: 1 + (result.outcome is Outcome.APPLIED)]
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


def test_link_is_superseded_after_one_superseded_and_one_done_record() -> None:
    wrong = record(proxied=False)
    result = link_after([LOST], [record(content="192.0.2.99", proxied=False)], wrong, DOUBLE)
    assert result.outcome is Outcome.SUPERSEDED


def test_link_of_a_lost_record_is_superseded_if_its_double_is_deleted() -> None:
    assert link_after([LOST], [], record(), DOUBLE).outcome is Outcome.SUPERSEDED


def test_what_nobody_has_noted_was_not_reached() -> None:
    wanted = plan(world([machine(), machine(STUDENT, role="student")]), settings())
    outcomes = Outcomes(wanted, SILENT)
    outcomes.note(wanted.changes[0], Outcome.APPLIED)
    assert outcomes.of(wanted.changes) == {Outcome.APPLIED, Outcome.NOT_REACHED}
    done, missing = wanted.changes
    assert outcomes.close().results == (
        Result(done, Outcome.APPLIED),
        Result(missing, Outcome.NOT_REACHED, NOT_REACHED),
    )
    held = replace(wanted, changes=(replace(wanted.changes[0], guarded=True),))
    assert Outcomes(held, SILENT).of(held.changes) == {Outcome.GUARDED}
