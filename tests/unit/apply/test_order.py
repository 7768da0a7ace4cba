"""The order of doing: what needs nothing from Cloudflare is done beside it, and the rest after what it depends on."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from controller.errors import DeniedError
from controller.model import Action, Applied, DnsRecord, Outcome, RecordChange, RowWrite, World
from tests.support.build import ELSEWHERE, OTHER, STUDENT, TEACHER, decided, link, machine, record, row, world
from tests.unit.apply.odd_clouds import FULL, Answer, OddTable, OddZone, carried_out

ROWS = ("m1", "m2", "m3", "m4")
#: m1: its first link waits for a record. m2: its link's record is in place. m3: a link to a machine that has ended.
#: m4: over, and no record is left.
SEEN = world(
    [
        machine(),
        machine(STUDENT, meeting="m2", ip=ELSEWHERE),
        machine(OTHER, meeting="m3", state="stopped", ip=None),
        machine("i-0000000a", meeting="m3", role="student", ip=None),
        machine("i-0000000b", meeting="m4", state="terminated"),
    ],
    [record(STUDENT, ELSEWHERE)],
    [row("m1", "LAUNCHED"), row("m2", "LAUNCHED"), row("m3", links={"teacher": link(OTHER)}), row("m4")],
)
BESIDE = {"m2", "m3", "m4"}


@dataclass
class Journal(OddTable):
    """Takes every write, and says when these rows have been written."""

    done: list[str] = field(default_factory=list)
    awaited: frozenset[str] = frozenset()
    has_all: threading.Event = field(default_factory=threading.Event)

    def write(self, meeting: str, change: RowWrite) -> None:
        self.done.append(meeting)
        OddTable.write(self, meeting, change)
        if self.awaited.issubset(self.done):
            self.has_all.set()


@dataclass
class Waiting(OddZone):
    """Answers its first batch only once the rows have been written, or after so long that the test fails."""

    table: Journal | None = None

    def write(self, changes: Sequence[RecordChange]) -> list[DnsRecord]:
        assert self.table
        assert self.table.has_all.wait(60), f"written meanwhile: {self.table.done}"
        self.table.done.append("Cloudflare")
        return OddZone.write(self, changes)


def applied(seen: World, zone: OddZone, table: OddTable, seconds: float = 60) -> Applied:
    return carried_out(decided(seen), seen, table, zone, seconds=seconds)


def ends(ended: Applied) -> dict[tuple[str, str], str]:
    return {(str(r.change.action), r.change.key): str(r.outcome) for r in ended.results}


def test_rows_independent_of_cloudflare_are_written_during_its_batch() -> None:
    table = Journal(None, [], of=ROWS, awaited=frozenset(BESIDE))
    ended = applied(SEEN, Waiting([[record()]], table=table), table)
    assert {result.outcome for result in ended.results} == {Outcome.APPLIED}
    assert set(table.done[:3]) == BESIDE
    assert table.done[3:] == ["Cloudflare", "m1"], "the link follows its record"


def test_a_batch_that_hangs_until_the_end_costs_them_nothing() -> None:
    class Hanging(OddZone):
        def write(self, changes: Sequence[RecordChange]) -> list[DnsRecord]:
            threading.Event().wait(5)
            return []

    table = Journal(None, [], of=ROWS)
    result = ends(applied(SEEN, Hanging([[]]), table, seconds=0.5))
    assert {key: outcome for (_, key), outcome in result.items() if key in ROWS} == {
        "m1": "not-reached",
        **dict.fromkeys(sorted(BESIDE), "applied"),
    }
    assert result["create-record", f"{TEACHER}.example.com"] == "not-reached"


OVER = world([machine(state="terminated")], [record()], [row(links={"teacher": link(TEACHER)})])


@dataclass
class OrderedZone(OddZone):
    """Notes each batch in the journal, among the rows that are written; a row that need not wait comes before it."""

    journal: Journal = field(default_factory=lambda: Journal(None, [], awaited=frozenset({"m1"})))
    sent: list[list[tuple[Action, str | None]]] = field(default_factory=list)

    def write(self, changes: Sequence[RecordChange]) -> list[DnsRecord]:
        self.journal.has_all.wait(0.2 if self.journal.awaited else 0)
        self.journal.done.append("Cloudflare")
        self.sent.append([(change.action, change.instance) for change in changes])
        return OddZone.write(self, changes)


@pytest.mark.parametrize("answer", [[record()], FULL, DeniedError("not yours")], ids=["done", "refused", "denied"])
def test_meeting_ends_after_its_record_delete_with_any_outcome(answer: Answer) -> None:
    zone = OrderedZone([answer])
    ended = applied(OVER, zone, zone.journal)
    assert ends(ended)["terminate-meeting", "m1"] == "applied"
    assert zone.journal.done == ["Cloudflare", "m1"]


def test_a_records_delete_does_not_wait_for_its_row() -> None:
    stopped = world([machine(state="stopped")], [record()], [row(links={"teacher": link(TEACHER)})])
    ended = applied(stopped, OddZone([[record()]]), OddTable(None, [DeniedError("not yours")]))
    assert ends(ended) == {("delete-record", f"{TEACHER}.example.com"): "applied", ("clear-link", "m1"): "failed"}


def test_a_dead_link_goes_although_its_successors_record_fails() -> None:
    machines = [machine(), machine(OTHER, state="stopped", ip=None)]
    seen = world(machines, [], [row(status="HEALTHY", links={"teacher": link(OTHER)})])
    ended = applied(seen, OddZone([FULL]), OddTable(None, []))
    assert ends(ended) == {
        ("create-record", f"{TEACHER}.example.com"): "failed",
        ("clear-link", "m1"): "applied",
        ("write-link", "m1"): "not-reached",
    }


def test_deletes_come_first_then_updates_then_creates_oldest_first() -> None:
    young, old = machine(TEACHER), machine("i-0000000a", launched=None, meeting="m9")
    seen = world(
        [young, old, machine(STUDENT, meeting="m2"), machine(OTHER, state="stopped", meeting="m3")],
        [record(STUDENT, ELSEWHERE, id="r1"), record(OTHER, id="r2")],
    )
    zone = OrderedZone([[]], journal=Journal(None, []))
    applied(seen, zone, zone.journal, seconds=5)
    assert zone.sent[0] == [
        (Action.DELETE_RECORD, OTHER),
        (Action.UPDATE_RECORD, STUDENT),
        (Action.CREATE_RECORD, old.id),
        (Action.CREATE_RECORD, young.id),
    ]
