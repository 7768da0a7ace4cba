"""What an answer, or a fresh look, says of a change: each branch, with values."""

from dataclasses import replace
from typing import Any

import pytest

from controller.model import Condition, CreateRecord, DeleteRecord, DnsRecord, Instance, Outcome, RowWrite, UpdateRecord
from controller.rules.verify import (
    agreeing,
    has_record_of,
    is_as_wanted,
    is_row_as_written,
    merged,
    outcome_now,
    with_answers,
    without,
)
from tests.support.build import (
    ADDRESS,
    ELSEWHERE,
    FOREIGN,
    MARK,
    OTHER,
    STRANGER,
    STUDENT,
    TEACHER,
    link,
    machine,
    name,
    record,
    row,
    settings,
    world,
)


def create(content: str = ADDRESS) -> CreateRecord:
    return CreateRecord(name=name(TEACHER), content=content, comment=MARK, **ABOUT)


def update(id: str = "r1", content: str = ADDRESS) -> UpdateRecord:  # what Cloudflare calls it
    return UpdateRecord(id=id, name=name(TEACHER), content=content, comment=None, **ABOUT)


def delete(id: str = "r1") -> DeleteRecord:  # likewise
    return DeleteRecord(id=id, name=name(TEACHER), **ABOUT)


ABOUT: dict[str, Any] = {
    "instance": TEACHER,
    "meeting": None,
    "role": None,
    "before": (),
    "after": (),
    "reason": "",
    "rule": "",
}


@pytest.mark.parametrize(
    ("there", "is_wanted"),
    [
        (record(), True),
        (record(content=ELSEWHERE), False),
        (record(proxied=False), False),
        (record(comment=FOREIGN), False),
        (record(type="AAAA"), False),
        (replace(record(), name=name("i-00000001")), False),
    ],
)
def test_a_record_is_as_wanted_where_all_of_it_is(there: DnsRecord, is_wanted: bool) -> None:
    assert is_as_wanted(create(), there, settings()) is is_as_wanted(update(), there, settings()) is is_wanted


def test_a_delete_wants_no_record() -> None:
    assert not is_as_wanted(delete(), record(), settings())


def test_an_answer_is_found_by_id_and_that_of_a_create_by_name() -> None:
    mine, other = record(id="r1"), record("i-00000001", id="r2")
    changes = [create(), update("r1"), update("r2"), delete("r3")]
    assert [answer for _, answer in with_answers(changes, [other, mine])] == [mine, mine, other, None]


@pytest.mark.parametrize(
    ("here", "outcome"),
    [
        ([], None),
        ([record(type="TXT")], None),
        ([record()], Outcome.APPLIED),
        ([record(content=ELSEWHERE)], Outcome.SUPERSEDED),
        ([record(type="CNAME")], Outcome.SUPERSEDED),
        ([record(type="NS")], Outcome.SUPERSEDED),
    ],
)
def test_a_create_is_done_overtaken_or_still_to_do(here: list[DnsRecord], outcome: Outcome | None) -> None:
    assert outcome_now(create(), here, None, settings()) is outcome


@pytest.mark.parametrize(
    ("here", "planned", "outcome"),
    [
        ([], record(content=ELSEWHERE), Outcome.SUPERSEDED),
        ([record()], record(content=ELSEWHERE), Outcome.APPLIED),
        ([record(content=ELSEWHERE)], record(content=ELSEWHERE), None),
        ([record(content=ELSEWHERE)], record(content="198.51.100.1"), Outcome.SUPERSEDED),
        ([record(content=ELSEWHERE, comment=FOREIGN)], record(content=ELSEWHERE), Outcome.SUPERSEDED),
        ([record(content=ELSEWHERE)], None, Outcome.SUPERSEDED),
        ([record(content=ELSEWHERE), record(id="r2")], record(content=ELSEWHERE), Outcome.SUPERSEDED),
    ],
)
def test_an_update_is_done_overtaken_or_still_to_do(
    here: list[DnsRecord], planned: DnsRecord | None, outcome: Outcome | None
) -> None:
    assert outcome_now(update(), here, planned, settings()) is outcome


@pytest.mark.parametrize(
    ("here", "planned", "outcome"),
    [
        ([], record(), Outcome.APPLIED),
        ([record(id="r2")], record(), Outcome.APPLIED),
        ([record()], record(), None),
        ([record(content=ELSEWHERE)], record(), Outcome.SUPERSEDED),
        ([record()], None, Outcome.SUPERSEDED),
    ],
)
def test_a_delete_is_done_overtaken_or_still_to_do(
    here: list[DnsRecord], planned: DnsRecord | None, outcome: Outcome | None
) -> None:
    assert outcome_now(delete(), here, planned, settings()) is outcome


@pytest.mark.parametrize(
    ("there", "has"),
    [
        (record(), True),
        (record(comment=""), True),
        (record(content=ELSEWHERE), False),
        (record(proxied=False), False),
        (record(type="TXT"), False),
    ],
)
def test_a_machine_has_its_record_where_one_leads_to_it(there: DnsRecord, has: bool) -> None:
    assert has_record_of(machine(), [there]) is has


@pytest.mark.parametrize(
    ("status", "links", "is_done"),
    [
        ("DNS_WRITTEN", {"teacher": link(TEACHER)}, True),
        ("LAUNCHED", {"teacher": link(TEACHER)}, False),
        ("DNS_WRITTEN", {"teacher": link(TEACHER), "student": link(TEACHER)}, False),
        ("DNS_WRITTEN", {}, False),
    ],
)
def test_a_row_is_as_written_where_all_is_set_and_removed(status: str, links: dict[str, str], is_done: bool) -> None:
    sets = (("teacher_ec2_link", link(TEACHER)), ("status", "DNS_WRITTEN"))
    write = RowWrite(conditions=(), sets=sets, removes=("student_ec2_link",))
    assert is_row_as_written(row(status=status, links=links), write) is is_done


def test_writes_to_one_row_are_one_write_with_every_condition() -> None:
    status = Condition("status", ("LAUNCHED",))
    one = RowWrite(
        conditions=(Condition("a", ("1",)), status), sets=(("b", "2"),), defaults=(("c", "3"),), removes=("d",)
    )
    two = RowWrite(
        conditions=(Condition("e", (None,)), status),
        sets=(("b", "2"), ("f", "4")),
        defaults=(("h", "5"),),
        removes=("g",),
    )
    assert merged([one, two]) == RowWrite(
        conditions=(Condition("a", ("1",)), status, Condition("e", (None,))),
        sets=(("b", "2"), ("f", "4")),
        defaults=(("c", "3"), ("h", "5")),
        removes=("d", "g"),
    )


@pytest.mark.parametrize(
    ("before", "after", "is_agreed"),
    [
        (machine(), machine(), True),
        (machine(), machine(ip=ELSEWHERE), False),
        (machine(tagged=False), machine(tagged=False, ip=None), False),
        (machine(), machine(tagged=False), False),
        (machine(), machine(role="student"), False),
        (machine(), machine(meeting="m2"), False),
        (machine(state="stopping"), machine(state="stopped", ip=None), True),  # it keeps its address until it is down
        (machine(state="shutting-down"), machine(state="terminated", ip=None), True),
        (machine(state="stopped"), machine(state="terminated"), False),
        (machine(), None, False),
        (None, None, True),
    ],
)
def test_answers_agree_that_say_the_same_to_the_rules(
    before: Instance | None, after: Instance | None, is_agreed: bool
) -> None:
    first, second = (world([seen] if seen else [], absent=[] if seen else [TEACHER]) for seen in (before, after))
    assert (agreeing(first, second, frozenset({TEACHER}), settings()) == {TEACHER}) is is_agreed


def test_absent_machine_is_not_one_that_nobody_looked_at() -> None:
    absent, unknown = world(absent=[OTHER, TEACHER]), world(absent=[OTHER])
    assert agreeing(unknown, absent, frozenset({TEACHER, OTHER}), settings()) == {OTHER}


def test_world_without_machines_proves_nothing_about_them() -> None:
    seen = world([machine(), machine(OTHER)], absent=[STUDENT, STRANGER])
    left = without(seen, frozenset({TEACHER, STUDENT}))
    assert left.instances.keys() == {OTHER}
    assert left.absent == {STRANGER}
