"""Refusals of the whole domain: creates that would all meet the same are not tried; one alone proves nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from controller.errors import RefusedError
from controller.model import Action, DnsRecord, Outcome, RecordChange, Result, RowChange, World, Zone
from tests.support.build import ADDRESS, ELSEWHERE, answer_to, decided, machine, record, row, world
from tests.unit.apply.odd_clouds import LOST, OddTable, OddZone, carried_out

#: "Beneath a delegated child zone", and others that may concern a single record.
DELEGATED, ODD, OTHER_ODD, FULL = 89018, 9000, 9001, 81045


@dataclass
class Refusing(OddZone):
    """Refuses every batch in which a change meets a code, and takes all others."""

    codes: Sequence[int | None] = ()  # by the machine's number, again and again; None takes it
    only: Action | None = Action.CREATE_RECORD

    def write(self, changes: Sequence[RecordChange]) -> list[DnsRecord]:
        self.batches.append(len(changes))
        for change in changes:
            code = self.codes[int((change.instance or "")[2:], 16) % len(self.codes)]
            if code and change.action is self.only:
                raise RefusedError(f"refused with {code}", f"remedy of {code}", codes=(code,))
        return [answer_to(change) for change in changes]


def fleet(count: int, *, holds_domain: bool = True) -> World:
    """Running machines, each of its own meeting, without record and link."""
    machines = [machine(f"i-{number:017x}", meeting=f"m{number}") for number in range(count)]
    seen = world(machines, [], [row(f"m{number}", "LAUNCHED") for number in range(count)])
    return replace(seen, zone=Zone(None, holds_domain=holds_domain))


def applied(zone: OddZone, seen: World) -> tuple[list[Result], list[Result]]:
    """How the records' changes ended, and the rows'."""
    table = OddTable(None, [], of=[*seen.meetings])
    results = carried_out(decided(seen), seen, table, zone).results
    records = [result for result in results if isinstance(result.change, RecordChange)]
    return records, [result for result in results if isinstance(result.change, RowChange)]


def numbers(results: Sequence[Result], outcome: Outcome) -> list[int]:
    """The machines with a change that ended so."""
    return sorted(int((result.change.instance or "")[2:], 16) for result in results if result.outcome is outcome)


@pytest.mark.parametrize(("code", "calls"), [(DELEGATED, 12), (FULL, 8)])
def test_640_machines_that_are_all_refused_cost_a_handful_of_calls(code: int, calls: int) -> None:
    zone = Refusing([], codes=[code], known=Zone(None))
    records, links = applied(zone, fleet(640))
    assert len(zone.batches) == calls, "a batch of 200 is halved until one, or three, are alone"
    assert numbers(records, Outcome.FAILED) == list(range(640))
    assert len({result.error for result in records}) == 1, "all get the same remedy"
    assert numbers(links, Outcome.NOT_REACHED) == list(range(640))


def test_the_others_get_the_error_and_the_remedy() -> None:
    records, _ = applied(Refusing([], codes=[DELEGATED]), fleet(9))
    assert {result.error for result in records} == {f"refused with {DELEGATED} remedy of {DELEGATED}"}
    records, _ = applied(Refusing([], codes=[FULL]), fleet(9))
    assert {result.error for result in records} == {
        f"refused with {FULL} The zone is full: delete records that nobody needs, or take a larger Cloudflare plan."
    }


def test_refused_first_creates_of_an_unreadable_zone_fail_all_others() -> None:
    zone = Refusing([], codes=[DELEGATED])
    records, _ = applied(zone, fleet(640, holds_domain=False))
    assert zone.batches == [1, 1, 1]
    assert numbers(records, Outcome.FAILED) == list(range(640))


@pytest.mark.parametrize(
    ("codes", "refused"),
    [
        ([ODD, ODD, OTHER_ODD], range(12)),
        ([None, *[DELEGATED] * 11], range(1, 12)),
        ([DELEGATED, DELEGATED, None, *[DELEGATED] * 9], [0, 1, *range(3, 12)]),
    ],
    ids=["not the same code", "the first was accepted", "one was accepted before the third"],
)
def test_while_it_may_be_a_single_records_fault_each_is_tried(codes: list[int | None], refused: Sequence[int]) -> None:
    zone = Refusing([], codes=codes)
    records, _ = applied(zone, fleet(12))
    assert numbers(records, Outcome.FAILED) == list(refused)
    assert zone.batches.count(1) == 12, "each has been alone"


@dataclass
class Mute(Refusing):
    """Gives no answer to the first batch."""

    def write(self, changes: Sequence[RecordChange]) -> list[DnsRecord]:
        if not self.batches:
            self.batches.append(len(changes))
            raise LOST
        return Refusing.write(self, changes)


@pytest.mark.parametrize(("accepted", "alone"), [([0], 10), ([], 4)])
def test_a_create_that_was_accepted_in_silence_counts(accepted: list[int], alone: int) -> None:
    first, second = f"i-{0:017x}", f"i-{1:017x}"
    now = [record(first, ADDRESS if accepted else ELSEWHERE), record(second, ELSEWHERE)]
    zone = Mute([], now=now, codes=[DELEGATED])
    records, _ = applied(zone, fleet(12))
    assert numbers(records, Outcome.APPLIED) == accepted
    assert numbers(records, Outcome.FAILED) == list(range(2, 12)), "another writer created the others"
    assert zone.batches.count(1) == alone, "one that was accepted shows that the domain is not refused"


def test_of_two_that_are_refused_the_third_is_tried() -> None:
    records, links = applied(Refusing([], codes=[DELEGATED, DELEGATED, None]), fleet(3))
    assert numbers(records, Outcome.APPLIED) == numbers(links, Outcome.APPLIED) == [2]


def test_three_in_a_row_count_whatever_came_before_them() -> None:
    zone = Refusing([], codes=[ODD, *[DELEGATED] * 31])
    records, _ = applied(zone, fleet(32))
    assert numbers(records, Outcome.FAILED) == list(range(32))
    assert zone.batches.count(1) == 5, "four of the oldest, and the newest"


def test_three_odd_machines_that_are_the_oldest_starve_nobody() -> None:
    zone = Refusing([], codes=[DELEGATED] * 3 + [None] * 637, known=Zone(None))
    records, links = applied(zone, fleet(640))
    assert numbers(records, Outcome.FAILED) == [0, 1, 2]
    assert numbers(records, Outcome.APPLIED) == numbers(links, Outcome.APPLIED) == list(range(3, 640))
    assert len(zone.batches) < 30


def test_updates_that_are_refused_stop_no_creates() -> None:
    machines = [machine(f"i-{number:017x}") for number in range(6)]
    seen = world(machines, [record(m.id, ELSEWHERE, id=m.id) for m in machines[:5]])
    zone = Refusing([], codes=[DELEGATED], only=Action.UPDATE_RECORD)
    records, _ = applied(zone, seen)
    assert numbers(records, Outcome.FAILED) == list(range(5))
    assert numbers(records, Outcome.APPLIED) == [5]


def test_creates_that_are_refused_stop_no_deletes_and_updates() -> None:
    stopped = machine(f"i-{9:017x}", state="stopped", ip=None)
    seen = fleet(5)
    seen = replace(seen, instances={**seen.instances, stopped.id: stopped}, records=(record(stopped.id),))
    records, _ = applied(Refusing([], codes=[DELEGATED]), seen)
    assert numbers(records, Outcome.APPLIED) == [9]
