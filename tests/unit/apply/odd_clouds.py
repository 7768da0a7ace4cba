"""Clouds without servers that answer an apply as a script says."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from controller.apply.execute import apply
from controller.errors import AmbiguousError, CallError, RefusedError
from controller.model import Applied, DnsRecord, Instance, Meeting, Plan, RecordChange, RowWrite, World, Zone
from controller.ports import Listener, Listing, Readers, Writers
from controller.reconcile import SILENT
from controller.runtime.budget import Budget
from tests.support.build import context
from tests.support.clock import FastClock

#: Records, or the error that comes instead.
Answer = Sequence[DnsRecord] | CallError

STALE, FULL = RefusedError("stale", codes=(81058,)), RefusedError("No more records.", codes=(81045,))
LOST = AmbiguousError("lost")


@dataclass
class OddZone:
    """Answers each write, and every second look, as the script says; the last answer is given again and again."""

    answers: Sequence[Answer]
    now: Answer = ()
    #: What the searches for a record at a wrong name find, and how the attempts to remove one end.
    strayed: Sequence[Answer] = ()
    removals: Sequence[Answer] = ()
    #: What may be known of the zone; None where nobody may ask.
    known: Zone | CallError | None = None
    #: How many changes were in each batch, which names were searched, and which ids removed.
    batches: list[int] = field(default_factory=list)
    searched: list[str] = field(default_factory=list)
    removed: list[list[str]] = field(default_factory=list)

    def write(self, changes: Sequence[RecordChange]) -> list[DnsRecord]:
        self.batches.append(len(changes))
        return _given(_at(self.answers, len(self.batches)))

    def listing(self, instances: Collection[str] | None = None) -> Listing:
        assert instances, "a second look is at a few names"
        return Listing(tuple(record for record in _given(self.now) if record.instance in instances))

    def zone(self) -> Zone:
        if isinstance(self.known, CallError):
            raise self.known
        assert self.known, "the zone is asked for only where it matters"
        return self.known

    def remove(self, ids: Sequence[str]) -> None:
        self.removed.append(list(ids))
        _given(_at(self.removals, len(self.removed)))

    def strays(self, name: str) -> list[DnsRecord]:
        self.searched.append(name)
        return _given(_at(self.strayed, len(self.searched)))


def _at(answers: Sequence[Answer], number: int) -> Answer:
    return answers[min(number, len(answers)) - 1]


def _given(answer: Answer) -> list[DnsRecord]:
    if isinstance(answer, CallError):
        raise answer
    return list(answer)


@dataclass
class OddTable:
    """Refuses the first writes with these errors, and has this row by then, or cannot be read."""

    now: Meeting | CallError | None
    errors: list[CallError]
    writes: list[RowWrite] = field(default_factory=list)
    #: The meetings that may be written.
    of: Sequence[str] = ("m1",)

    def write(self, meeting: str, change: RowWrite) -> None:
        assert meeting in self.of
        self.writes.append(change)
        if self.errors:
            raise self.errors.pop(0)

    def rows(self, ids: Collection[str]) -> list[Meeting]:
        assert list(ids) == ["m1"]
        if isinstance(self.now, CallError):
            raise self.now
        return [self.now] if self.now else []

    def live(self) -> list[Meeting]:
        raise AssertionError("one row is read, not the table")


@dataclass
class OddFleet:
    """Knows these machines by now, and is asked only where there is something to ask."""

    now: Sequence[Instance]

    def by_id(self, ids: Collection[str]) -> list[Instance]:
        assert ids
        return [machine for machine in self.now if machine.id in ids]

    def tagged(self) -> list[Instance]:
        raise AssertionError("only what the row names is asked for")

    def of_meetings(self, meetings: Collection[str]) -> list[Instance]:
        raise AssertionError("only what the row names is asked for")


def carried_out(
    wanted: Plan,
    seen: World,
    table: OddTable,
    zone: OddZone,
    *,
    now: Sequence[Instance] = (),
    seconds: float = 60,
    listener: Listener = SILENT,
) -> Applied:
    """How the plan ends on this table and in this zone, where the fleet is so by now."""
    readers, budget = Readers(OddFleet(now), table, zone), Budget(FastClock(), seconds)
    return apply(wanted, seen, context(readers, budget), Writers(table, zone), listener)
