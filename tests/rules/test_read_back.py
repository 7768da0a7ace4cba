"""What Cloudflare answers to a write, and what a second look shows, decide how a change has ended."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import pytest

from controller.apply_records import RecordApplier
from controller.board import Board
from controller.budget import Budget, SystemClock
from controller.errors import AmbiguousError, RefusedError
from controller.model import Applied, Change, DnsRecord, Outcome, World, Zone
from controller.ports import Listing
from controller.rules import plan
from tests.build import ADDRESS, ELSEWHERE, MARK, TEACHER, machine, name, record, settings, world


@dataclass
class OddZone:
    """Answers a write, and a second look, with what it is told to."""

    answer: list[DnsRecord] | RefusedError | AmbiguousError
    now: Sequence[DnsRecord] = ()
    writes: int = 0

    def write(self, changes: Sequence[Change]) -> list[DnsRecord]:
        self.writes += 1
        if isinstance(self.answer, list):
            return self.answer
        error, self.answer = self.answer, [RIGHT]
        raise error

    def listing(self, instances: Collection[str] | None = None) -> Listing:
        assert instances == {TEACHER}
        return Listing(tuple(self.now))

    def zone(self) -> Zone:
        return Zone("example.com")

    def remove(self, ids: Sequence[str]) -> None:
        raise AssertionError("nothing is removed")

    def strays(self, name: str) -> list[DnsRecord]:
        raise AssertionError("nothing is searched")


STALE = RefusedError("stale", codes=(81058,))
LOST = AmbiguousError("lost")
WRONG, RIGHT = record(content=ELSEWHERE), record()
RUNNING, STOPPED = machine(), machine(state="stopped")


def applied(zone: OddZone, seen: World) -> Applied:
    """The record changes of the plan for this world, applied to this zone."""
    changes = tuple(change for change in plan(seen, settings()).changes if change.record)
    board = Board(replace(plan(seen, settings()), changes=changes))
    RecordApplier(zone, zone, seen, settings(), Budget(SystemClock(), 60), board).apply(changes)
    return board.close()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (record(content=ELSEWHERE), f"content {ELSEWHERE}, proxied, comment '{MARK}'"),
        (record(proxied=False), f"content {ADDRESS}, not proxied, comment '{MARK}'"),
        (record(comment="gone"), f"content {ADDRESS}, proxied, comment 'gone'"),
    ],
)
def test_an_answer_that_is_not_what_was_wanted_is_failed_and_found(answer: DnsRecord, said: str) -> None:
    ended = applied(OddZone([answer]), world([RUNNING], [WRONG]))
    (result,), (finding,) = ended.results, ended.findings
    assert (result.outcome, finding.id, finding.key) == (Outcome.FAILED, "does-not-converge", name(TEACHER))
    assert finding.message.endswith(f"is not what was wanted: {said}.")
    assert result.error == f"{finding.message} {finding.hint}"


def test_another_type_or_name_is_not_what_was_wanted_either() -> None:
    for answer in (record(type="TXT"), replace(record(), name="other.example.com")):
        assert applied(OddZone([answer]), world([RUNNING], [WRONG])).results[0].outcome is Outcome.FAILED


@pytest.mark.parametrize(
    ("here", "outcome", "writes"),
    [
        ([RIGHT], Outcome.APPLIED, 1),
        ([], Outcome.SUPERSEDED, 1),
        ([WRONG], Outcome.APPLIED, 2),
        ([record(content="192.0.2.99")], Outcome.SUPERSEDED, 1),
        ([record(content=ELSEWHERE, comment="elephant-dns:somebody/else")], Outcome.SUPERSEDED, 1),
    ],
    ids=["done", "vanished", "as it was", "moved", "taken over"],
)
def test_an_update_that_is_unclear_or_stale_is_looked_at(here: list[DnsRecord], outcome: Outcome, writes: int) -> None:
    zone = OddZone(LOST, here)
    assert [r.outcome for r in applied(zone, world([RUNNING], [WRONG])).results] == [outcome]
    assert zone.writes == writes
    if outcome is Outcome.SUPERSEDED:
        zone = OddZone(STALE, here)
        (result,) = applied(zone, world([RUNNING], [WRONG])).results
        assert (result.outcome, zone.writes) == (outcome, 1)
        assert result.error == "Another hand has changed this record; the next pass looks again."


@pytest.mark.parametrize(
    ("here", "outcome", "writes"),
    [
        ([], Outcome.APPLIED, 1),
        ([WRONG], Outcome.APPLIED, 2),
        ([record(content="192.0.2.99")], Outcome.SUPERSEDED, 1),
    ],
    ids=["gone", "as it was", "moved"],
)
def test_a_delete_that_is_unclear_is_looked_at(here: list[DnsRecord], outcome: Outcome, writes: int) -> None:
    zone = OddZone(LOST, here)
    ended = applied(zone, world([STOPPED], [WRONG]))
    assert [result.outcome for result in ended.results] == [outcome]
    assert zone.writes == writes


@pytest.mark.parametrize(
    ("here", "outcome", "writes"),
    [
        ([RIGHT], Outcome.APPLIED, 1),
        ([record(type="TXT", comment="")], Outcome.APPLIED, 2),
        ([record(type="CNAME", content="a.example.com", comment="")], Outcome.SUPERSEDED, 1),
        ([record(content=ELSEWHERE, comment="")], Outcome.SUPERSEDED, 1),
    ],
    ids=["done", "beside a text", "taken by an alias", "taken by an address"],
)
def test_a_create_that_is_unclear_is_looked_at(here: list[DnsRecord], outcome: Outcome, writes: int) -> None:
    zone = OddZone(LOST, here)
    ended = applied(zone, world([RUNNING]))
    assert [result.outcome for result in ended.results] == [outcome]
    assert zone.writes == writes
