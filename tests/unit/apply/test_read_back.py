"""What Cloudflare answers to a write, and what a second look shows, decide how a change has ended."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace

import pytest

from controller.apply.outcomes import Outcomes
from controller.apply.records import PATIENCE, RecordApplier, no_answer
from controller.errors import CallError, DeadlineError, DeniedError, ThrottledError, TransientError
from controller.model import Applied, DnsRecord, Outcome, World, Zone
from controller.ports import Listing, Readers
from controller.reconcile import SILENT
from controller.rules.findings import ZONE_NOT_READABLE
from controller.rules.plan import plan
from controller.runtime.budget import Budget
from controller.runtime.retry import BASE
from tests.support.build import (
    ADDRESS,
    ELSEWHERE,
    MARK,
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
from tests.unit.apply.odd_clouds import FULL, LOST, STALE, OddFleet, OddTable, OddZone

WRONG, RIGHT = record(content=ELSEWHERE), record()
RUNNING, STOPPED = machine(), machine(state="stopped")
BOTH = (RUNNING, machine(STUDENT, role="student"))


def apply(zone: OddZone, seen: World, clock: FastClock | None = None) -> tuple[RecordApplier, Applied]:
    """The record changes of the plan for this world, applied to this zone; a pass that gives up has said why."""
    changes = of_records(plan(seen, settings()))
    outcomes = Outcomes(replace(plan(seen, settings()), changes=tuple(changes)), SILENT)
    readers, budget = Readers(OddFleet([]), OddTable(None, []), zone), Budget(clock or FastClock(), 60)
    applier = RecordApplier(context(readers, budget), zone, seen, outcomes)
    with suppress(CallError):
        applier.apply(changes)
    return applier, outcomes.close()


def applied(zone: OddZone, seen: World) -> Applied:
    """How these changes ended."""
    return apply(zone, seen)[1]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (record(content=ELSEWHERE), f"content {ELSEWHERE}, proxied, comment '{MARK}'"),
        (record(proxied=False), f"content {ADDRESS}, not proxied, comment '{MARK}'"),
        (record(comment="gone"), f"content {ADDRESS}, proxied, comment 'gone'"),
    ],
)
def test_an_answer_that_is_not_what_was_wanted_is_failed_and_found(answer: DnsRecord, said: str) -> None:
    ended = applied(OddZone([[answer]]), world([RUNNING], [WRONG]))
    (result,), (finding,) = ended.results, ended.findings
    assert (result.outcome, finding.id, finding.key) == (Outcome.FAILED, "does-not-converge", name(TEACHER))
    assert finding.message.endswith(f"differs from the desired record: {said}.")
    assert finding.hint.startswith("Look at the record")
    assert finding.hint.endswith("Until then no link is written.")
    assert result.error == f"{finding.message} {finding.hint}"


def test_another_type_or_name_is_not_what_was_wanted_either() -> None:
    for answer in (record(type="TXT"), replace(record(), name="other.example.com")):
        assert applied(OddZone([[answer]]), world([RUNNING], [WRONG])).results[0].outcome is Outcome.FAILED


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
    zone = OddZone([LOST, [RIGHT]], here)
    (result,) = applied(zone, world([RUNNING], [WRONG])).results
    assert (result.outcome, result.error is None) == (outcome, outcome is Outcome.APPLIED)
    assert len(zone.batches) == writes
    if outcome is Outcome.SUPERSEDED:
        zone = OddZone([STALE], here)
        (result,) = applied(zone, world([RUNNING], [WRONG])).results
        assert (result.outcome, zone.batches) == (outcome, [1])
        assert result.error == "Another writer changed this record. The next pass looks again."


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
    zone = OddZone([LOST, [RIGHT]], here)
    ended = applied(zone, world([STOPPED], [WRONG]))
    assert [result.outcome for result in ended.results] == [outcome]
    assert len(zone.batches) == writes


@pytest.mark.parametrize(
    ("here", "outcome", "writes"),
    [
        ([RIGHT], Outcome.APPLIED, 1),
        ([record(type="TXT", comment="")], Outcome.APPLIED, 2),
        ([record(type="CNAME", content="a.example.com", comment="")], Outcome.SUPERSEDED, 1),
        ([record(type="NS", content="a.example.com", comment="")], Outcome.SUPERSEDED, 1),
        ([record(content=ELSEWHERE, comment="")], Outcome.SUPERSEDED, 1),
    ],
    ids=["done", "beside a text", "taken by an alias", "given away", "taken by an address"],
)
def test_a_create_that_is_unclear_is_looked_at(here: list[DnsRecord], outcome: Outcome, writes: int) -> None:
    zone = OddZone([LOST, [RIGHT]], here)
    ended = applied(zone, world([RUNNING]))
    assert [result.outcome for result in ended.results] == [outcome]
    assert len(zone.batches) == writes


def test_stale_batch_accepts_existing_records_and_sends_the_rest() -> None:
    zone = OddZone([STALE, [record(STUDENT, id="r2")]], [RIGHT])
    assert [result.outcome for result in applied(zone, world(BOTH)).results] == [Outcome.APPLIED] * 2
    assert zone.batches == [2, 1]


def test_stale_refusal_with_an_unchanged_listing_fails_alone() -> None:
    zone = OddZone([STALE], [])
    assert [result.outcome for result in applied(zone, world(BOTH)).results] == [Outcome.FAILED] * 2
    assert zone.batches == [2, 1, 1]


def test_listing_that_contradicts_refusals_is_read_a_few_more_times() -> None:
    looks: list[Collection[str] | None] = []

    class Watched(OddZone):
        def listing(self, instances: Collection[str] | None = None) -> Listing:
            looks.append(instances)
            return OddZone.listing(self, instances)

    many = [machine(f"i-{number:017x}", meeting=f"m{number}") for number in range(8)]
    ended = applied(Watched([STALE], []), world(many))
    assert [result.outcome for result in ended.results] == [Outcome.FAILED] * 8
    assert len(looks) == 15 + PATIENCE, "one for each batch and each half of it, and those"


def test_record_created_by_other_writer_is_not_a_stale_listing() -> None:
    """Cloudflare takes no double of it; the next pass knows what to do with both."""
    zone = OddZone([STALE], [WRONG, record(id="r2", comment="by hand")])
    (result,) = applied(zone, world([RUNNING], [WRONG])).results
    assert (result.outcome, zone.batches) == (Outcome.SUPERSEDED, [1])


def test_a_further_look_that_fails_fails_one_change_and_not_the_rest() -> None:
    looks: list[Collection[str] | None] = []

    class Throttled(OddZone):
        def listing(self, instances: Collection[str] | None = None) -> Listing:
            looks.append(instances)
            if len(looks) > 2:
                raise ThrottledError("slowly")
            return OddZone.listing(self, instances)

    zone = Throttled([STALE, STALE, [record(STUDENT, id="r2")]], [])
    first, second = applied(zone, world(BOTH)).results
    assert (first.outcome, second.outcome, len(looks)) == (Outcome.FAILED, Outcome.APPLIED, 3)


def test_the_waits_for_such_a_listing_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda _, longest: longest)
    clock = FastClock()
    apply(OddZone([STALE], []), world([RUNNING]), clock)
    assert clock.slept == [BASE * 2**n for n in range(PATIENCE)]


def test_a_full_zone_is_said_once_with_what_to_do() -> None:
    zone = OddZone([FULL])
    for result in applied(zone, world(BOTH)).results:
        assert result.outcome is Outcome.FAILED
        assert (result.error or "").startswith("No more records. The zone is full")
    assert zone.batches == [2, 1]


def test_what_stays_unclear_is_given_up_after_some_looks() -> None:
    zone = OddZone([LOST], [WRONG])
    (result,) = applied(zone, world([RUNNING], [WRONG])).results
    assert (result.outcome, result.error, len(zone.batches)) == (Outcome.FAILED, "lost", PATIENCE)


def test_what_stays_unclear_fails_alone_where_the_rest_is_done() -> None:
    zone = OddZone([LOST], [RIGHT])
    first, second = applied(zone, world(BOTH)).results
    assert (first.outcome, second.outcome, second.error) == (Outcome.APPLIED, Outcome.FAILED, "lost")
    assert zone.batches == [2, 1, 1, 1]


def test_what_the_answer_leaves_out_is_looked_at_and_sent_again() -> None:
    zone = OddZone([[], [RIGHT]], [WRONG])
    assert [result.outcome for result in applied(zone, world([RUNNING], [WRONG])).results] == [Outcome.APPLIED]
    assert len(zone.batches) == 2


def test_what_every_answer_leaves_out_is_given_up_after_some_looks() -> None:
    zone = OddZone([[]], [WRONG])
    (result,) = applied(zone, world([RUNNING], [WRONG])).results
    assert (result.outcome, result.error, len(zone.batches)) == (Outcome.FAILED, str(no_answer()), PATIENCE)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ThrottledError("slow down"), Outcome.NOT_REACHED),
        (TransientError("not now"), Outcome.NOT_REACHED),
        (DeadlineError("too late"), Outcome.NOT_REACHED),
        (DeniedError("not yours"), Outcome.FAILED),
    ],
)
def test_what_stops_the_pass_is_noted_at_each_of_the_batch(error: CallError, outcome: Outcome) -> None:
    zone = OddZone([error])
    results = applied(zone, world(BOTH)).results
    assert [(result.outcome, result.error) for result in results] == [(outcome, str(error))] * 2
    assert zone.batches == [2]


MANY = [machine(f"i-{number:017x}", meeting=f"m{number}") for number in range(201)]
MADE = [record(m.id, id=m.id) for m in MANY]


@pytest.mark.parametrize(
    ("known", "batches", "found"),
    [
        (Zone("example.com", batch_limit=3500), [201], []),
        (Zone("example.com"), [200, 1], []),
        (Zone(None), [200, 1], ["zone-not-readable"]),
        (DeniedError("not yours"), [200, 1], []),
    ],
    ids=["paid", "free", "not readable", "not to be asked"],
)
def test_zone_plan_is_asked_for_if_a_batch_exceeds_the_free_limit(
    known: Zone | CallError, batches: list[int], found: list[str]
) -> None:
    zone, seen = OddZone([MADE], known=known), replace(world(MANY), zone=Zone(None))
    ended = applied(zone, seen)
    assert {result.outcome for result in ended.results} == {Outcome.APPLIED}
    assert (zone.batches, [finding.id for finding in ended.findings]) == (batches, found)
    assert applied(zone, replace(seen, findings=(ZONE_NOT_READABLE,))).findings == (), "it was found before"


def test_zone_plan_is_not_asked_for_if_known_or_not_needed() -> None:
    for machines, zone in ((MANY[:200], Zone(None)), (MANY, Zone("example.com", batch_limit=3500))):
        odd = OddZone([MADE])
        applied(odd, replace(world(machines), zone=zone))
        assert odd.batches == [len(machines)]


def test_where_a_second_look_fails_the_answer_is_reported() -> None:
    zone = OddZone([LOST], TransientError("not now"))
    (result,) = applied(zone, world([RUNNING], [WRONG])).results
    assert (result.outcome, result.error, zone.batches) == (Outcome.FAILED, "lost", [1])


@pytest.mark.parametrize(
    ("here", "is_lost"),
    [
        ([RIGHT], False),
        ([], True),
        ([WRONG], True),
        ([record(comment="")], False),
        ([record(proxied=False)], True),
        ([record(type="TXT")], True),
    ],
    ids=["right", "none", "elsewhere", "of another", "unproxied", "text"],
)
def test_look_during_a_delete_notices_the_loss_of_the_right_record(here: list[DnsRecord], is_lost: bool) -> None:
    double = record(content=ELSEWHERE, id="r2")
    applier, ended = apply(OddZone([LOST, [double]], [*here, double]), world([RUNNING], [RIGHT, double]))
    assert [result.outcome for result in ended.results] == [Outcome.APPLIED]
    assert applier.lost == ({TEACHER} if is_lost else set())
