"""The judge sees: for each promise a tiny history that breaks it, and for each excuse one that does not."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from controller.model import DnsRecord, Instance, Value
from tests.support.build import settings
from tests.support.clock import START
from tests.support.history import Deployment, Event, Look, Machine, Outage, Reading, Step, Truth
from tests.support.truth import PATIENCE, Promise, Verdict, judge

HERE = "111122223333/us-west-2"
ROOT = "example.com"
US = Deployment("ours", settings(HERE), HERE)
THEM = Deployment("theirs", settings("111122223333/eu-west-1"), "111122223333/eu-west-1")
ONE, TWO = "i-00000001", "i-00000002"
OWN, OTHER = "203.0.113.1", "203.0.113.2"
LATER, LONG_AFTER = START + timedelta(seconds=60), START + PATIENCE + timedelta(seconds=61)

Rows = Mapping[str, Mapping[str, Value]]


def machine(instance: str = ONE, *, state: str = "running", address: str | None = OWN, whose: str = "ours") -> Machine:
    seen = Instance(instance, state, address, True, "m", "teacher", START)
    place = US.place if whose == "ours" else THEM.place
    return Machine(seen, place, "Elephant", whose, "m", "teacher", START, is_warm=True)


def record(content: str = OWN, *, instance: str = ONE, key: str = "r1", comment: str = US.settings.mark) -> DnsRecord:
    return DnsRecord(key, f"{instance}.{ROOT}", instance, "A", content, True, comment, START)


def row(status: Value = "HEALTHY", link: str | None = ONE, named: str | None = ONE) -> dict[str, Value]:
    values = {"status": status, "teacher_ec2_link": link and US.link(link), "teacher_ec2_id": named}
    return {name: value for name, value in values.items() if value}


def world(machines: Iterable[Machine], records: Iterable[DnsRecord], rows: Rows | None = None) -> Truth:
    return Truth({m.instance.id: m for m in machines}, {ROOT: {r.id: r for r in records}}, rows or {})


WELL = world([machine()], [record()], {"m": row()})


def begins(truth: Truth = WELL) -> Step:
    return Step(START, "nobody", truth, truth)


def writes(before: Truth, after: Truth, **how: bool) -> Step:
    return Step(LATER, "ours", before, after, LATER - timedelta(seconds=1), **how)


def rows_of(truth: Truth, **changes: Mapping[str, Value]) -> Truth:
    return replace(truth, rows={**truth.rows, **changes})


def records_of(truth: Truth, *records: DnsRecord) -> Truth:
    return replace(truth, zones={ROOT: {r.id: r for r in records}})


def tried(*events: Event, owners: Mapping[str, str] | None = None) -> Verdict:
    return judge(events, [US, THEM], owners)


def broken(*events: Event, owners: Mapping[str, str] | None = None) -> set[Promise]:
    return {violation.promise for violation in tried(*events, owners=owners).violations}


ENDED = rows_of(WELL, m=row("TERMINATED", None))
NO_LINK = rows_of(WELL, m=row(link=None))
BESIDE = records_of(WELL, record(), record(OTHER, key="x1", comment="by hand"))
UNRECORDED = records_of(NO_LINK)
THEIRS = world([machine(whose="theirs")], [record(comment=THEM.settings.mark)], {"m": row()})
ELSEWHERE = world(
    [replace(machine(), meeting="other", instance=replace(machine().instance, meeting="other"))], [record()]
)

#: What a pass does, and the promise that it breaks.
DEEDS = {
    Promise.NO_END_WHILE_UP: (WELL, ENDED),
    Promise.RECORD_STAYS: (WELL, records_of(WELL)),
    Promise.LINK_LEADS_THERE: (rows_of(BESIDE, m=row(link=None)), BESIDE),
    Promise.LINK_HAS_RECORD: (UNRECORDED, rows_of(UNRECORDED, m=row())),
    Promise.LINK_IS_THEIRS: (rows_of(ELSEWHERE, m=row(link=None)), rows_of(ELSEWHERE, m=row())),
    Promise.STAY: (WELL, NO_LINK),
    Promise.OWNERSHIP: (BESIDE, records_of(BESIDE, record())),
    Promise.STATUS: (WELL, rows_of(WELL, m=row("DNS_WRITTEN"))),
    Promise.NO_PHANTOM: (WELL, rows_of(WELL, n={"status": "TERMINATED"})),
    Promise.ONLY_OURS: (WELL, rows_of(WELL, m=row(named=TWO))),
}


@pytest.mark.parametrize("promise", DEEDS)
def test_a_deed_that_breaks_a_promise_is_seen(promise: Promise) -> None:
    before, after = DEEDS[promise]
    assert promise in broken(begins(before), writes(before, after))


@pytest.mark.parametrize("promise", DEEDS)
def test_what_others_do_breaks_no_promise(promise: Promise) -> None:
    before, after = DEEDS[promise]
    assert broken(begins(before), replace(writes(before, after), by="somebody")) == set()


def test_every_promise_has_its_history() -> None:
    elsewhere = {Promise.END_IS_FULL, Promise.OTHERS, Promise.JOIN, Promise.NAME}  # below
    assert DEEDS.keys() | elsewhere == set(Promise)


def test_a_world_in_which_all_is_well_breaks_nothing() -> None:
    assert tried(begins(), Look(LATER), Look(LONG_AFTER)) == Verdict()


# Ends

OVER = world([machine(state="terminated", address=None)], [], {"m": row(link=None)})


def test_an_end_by_a_scoped_pass_is_seen() -> None:
    end = writes(OVER, rows_of(OVER, m=row("TERMINATED", None)))
    assert broken(begins(OVER), end) == set()
    assert broken(begins(OVER), replace(end, is_scoped=True)) == {Promise.END_IS_FULL}


@pytest.mark.parametrize("state", ["pending", "running"])
def test_machine_never_shown_by_row_or_reading_may_be_forgotten(state: str) -> None:
    hidden = world([machine(state=state)], [], {"m": row(link=None, named=None)})
    end = writes(hidden, rows_of(hidden, m=row("TERMINATED", None, None)))
    assert Promise.NO_END_WHILE_UP not in broken(begins(hidden), end)
    seen = Reading(START, "ours", frozenset({ONE}))
    assert Promise.NO_END_WHILE_UP in broken(begins(hidden), seen, end)
    assert Promise.NO_END_WHILE_UP not in broken(begins(hidden), replace(seen, by="theirs"), end)


# Users

CANNOT = rows_of(WELL, m=row(link=None))


def test_user_must_join_a_period_after_ec2_shows_the_machine() -> None:
    assert broken(begins(CANNOT), Look(START + PATIENCE)) == set()
    assert broken(begins(CANNOT), Look(LONG_AFTER)) == {Promise.JOIN}


def test_minutes_without_a_link_are_counted_from_then_on() -> None:
    looks = [Look(START + timedelta(seconds=30 * number)) for number in range(1, 21)]
    assert tried(begins(CANNOT), *looks).minutes_cut_off == 5.0


@pytest.mark.parametrize(
    "excuse",
    [
        Reading(LATER, "ours", lied=frozenset({ONE})),
        Outage(START, "ours", LATER),
        replace(begins(CANNOT), at=LATER, by="somebody", before=WELL),
    ],
    ids=["EC2 lied", "nobody was there", "somebody took the link"],
)
def test_time_is_counted_from_when_nothing_stood_in_the_way(excuse: Event) -> None:
    assert broken(begins(CANNOT), excuse, Look(LATER + PATIENCE)) == set()
    assert broken(begins(CANNOT), excuse, Look(LATER + PATIENCE + timedelta(seconds=1))) == {Promise.JOIN}


@pytest.mark.parametrize(
    "changes",
    [
        {"m": row("LAUNCHED", None)},
        {"m": row("TERMINATED", None)},
    ],
    ids=["not healthy yet", "ended by others"],
)
def test_a_user_whom_the_status_keeps_out_is_not_missed(changes: Rows) -> None:
    assert broken(begins(rows_of(WELL, **changes)), Look(LONG_AFTER)) == set()


@pytest.mark.parametrize(
    "other",
    [
        replace(machine(), project=""),
        replace(machine(), is_warm=False),
        replace(machine(), instance=replace(machine().instance, meeting="renamed")),
    ],
    ids=["tag lost", "desktop not ready", "renamed"],
)
def test_nor_one_whose_machine_does_not_say_whose_it_is(other: Machine) -> None:
    assert broken(begins(replace(CANNOT, machines={ONE: other})), Look(LONG_AFTER)) == set()


def test_nor_one_whose_name_somebody_else_has_blocked() -> None:
    blocked = records_of(CANNOT, record(), record(OTHER, key="x1", comment="by hand"))
    assert broken(begins(blocked), Look(LONG_AFTER)) == set()


def test_a_wrong_end_cuts_the_user_off_until_the_machine_goes() -> None:
    gone = replace(ENDED, machines={ONE: machine(state="terminated", address=None)})
    end = Step(LONG_AFTER, "ec2", ENDED, gone)
    verdict = tried(begins(), writes(WELL, ENDED), Look(LONG_AFTER), end, Look(LONG_AFTER))
    assert (verdict.minutes_cut_off, verdict.ended_while_up) == (0.5, 1)


def test_link_moved_to_the_users_other_machine_cuts_nobody_off() -> None:
    both = world([machine(), machine(TWO, address=OTHER)], [record(), record(OTHER, instance=TWO, key="r2")], WELL.rows)
    assert broken(begins(both), writes(both, rows_of(both, m=row(link=TWO)))) == set()


# Names

DEAD = world([machine(state="terminated", address=None)], [record()])


def test_name_with_a_wrong_address_counts_after_one_period() -> None:
    assert broken(begins(DEAD), Look(START + PATIENCE)) == set()
    assert tried(begins(DEAD), Look(LONG_AFTER)).minutes_astray == 0.5
    assert broken(begins(DEAD), Look(LONG_AFTER)) == {Promise.NAME}


def test_a_name_of_somebody_else_is_his() -> None:
    assert broken(begins(records_of(DEAD, record(comment="by hand"))), Look(LONG_AFTER)) == set()


# Others

STRANGER = "elephant-dns:somebody/else"


@pytest.mark.parametrize(
    ("before", "after", "promise"),
    [
        (THEIRS, records_of(THEIRS), Promise.OWNERSHIP),
        (THEIRS, records_of(THEIRS, record(OTHER, comment=THEM.settings.mark)), Promise.OWNERSHIP),
        (records_of(THEIRS), records_of(THEIRS, record()), Promise.OTHERS),
        (THEIRS, rows_of(THEIRS, m=row(link=None)), Promise.OTHERS),
        (THEIRS, rows_of(THEIRS, m=row("TERMINATED", None)), Promise.OTHERS),
        (records_of(WELL, record(comment=STRANGER)), WELL, Promise.OWNERSHIP),
        (WELL, records_of(WELL, record(), replace(record(key="r2"), name=f"www.{ROOT}")), Promise.OWNERSHIP),
    ],
)
def test_what_is_others_is_left_alone(before: Truth, after: Truth, promise: Promise) -> None:
    owners = {"m": "theirs"} if before.rows == THEIRS.rows and before is not WELL else {}
    assert promise in broken(begins(before), writes(before, after), owners=owners)


def test_an_unmarked_record_of_our_machine_may_be_adopted() -> None:
    by_hand = records_of(WELL, record(comment="by hand"))
    assert broken(begins(by_hand), writes(by_hand, WELL)) == set()


def test_the_end_of_what_has_ended_counts_for_whoever_sees_it() -> None:
    over = replace(THEIRS, machines={ONE: machine(state="terminated", address=None, whose="theirs")})
    end = writes(over, rows_of(over, m=row("TERMINATED", None)))
    assert broken(begins(over), end, owners={"m": "theirs"}) == set()


# Races

MOVED = world([replace(machine(address=OTHER), changed_at=LATER)], [record()], {"m": row(link=None)})


@pytest.mark.parametrize("promise", [Promise.LINK_LEADS_THERE, Promise.LINK_HAS_RECORD])
def test_change_during_a_reading_is_not_held_against_the_pass(promise: Promise) -> None:
    link = writes(MOVED, rows_of(MOVED, m=row()))
    assert promise not in broken(begins(MOVED), link)
    late = replace(link, began=LATER + timedelta(seconds=1), at=LATER + timedelta(seconds=2))
    assert promise in broken(begins(MOVED), late)


def test_link_follows_tags_to_a_machine_that_ends_during_the_pass() -> None:
    """Others have taken the tags from the user's machine, and given them to one of another meeting."""
    taken = replace(machine(), instance=replace(machine().instance, meeting="renamed"))
    ended = machine(TWO, state="shutting-down", address=None)
    for changed_at, launched_for, found in (
        (LATER, "another", set()),
        (START, "another", {Promise.STAY, Promise.LINK_HAS_RECORD}),
        (LATER, "m", {Promise.STAY}),
    ):
        seen = world([taken, replace(ended, meeting=launched_for, changed_at=changed_at)], [record()], WELL.rows)
        assert broken(begins(seen), writes(seen, rows_of(seen, m=row(link=TWO)))) == found


def test_repetition_for_the_same_start_of_a_machine_is_counted() -> None:
    there_and_back = [writes(WELL, NO_LINK), writes(NO_LINK, WELL)]
    assert tried(begins(), *there_and_back).back_and_forth == 1
    restarted = replace(machine(), instance=replace(machine().instance, launched_at=LATER))
    again = replace(NO_LINK, machines={ONE: restarted})
    assert tried(begins(), writes(WELL, NO_LINK), writes(again, rows_of(again, m=row()))).back_and_forth == 0
