"""Records what each pass asked, read and wrote, so that the specification judges it by what it could know.

What passes through the ports is all that a pass can know or do.
"""

import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar

import pytest

from controller.bootstrap import Controller
from controller.model import DnsRecord, Instance, Meeting, RecordChange, Request, RowWrite, Zone
from controller.ports import Context, Fleet, Listing, Readers, Records, RecordWriter, RowWriter, Table, Writers
from controller.reconcile import reconcile
from controller.report.report import Report
from controller.settings import Settings
from tests.support.journal import Event, Read, Tried, Write
from tests.support.servers import Clouds
from tests.support.spec.allowed import misdeeds
from tests.support.spec.right import wrongs
from tests.support.state import State
from tests.system.faults.witness import Witness

T = TypeVar("T")


@dataclass(slots=True)
class Journal:
    """What one pass asked, read and wrote, call by call."""

    settings: Settings
    scope: Collection[str] | None
    witness: Witness
    events: list[Event] = field(default_factory=list)
    calls: int = 0  # under way
    is_over: bool = False
    _lock: threading.Condition = field(default_factory=threading.Condition)

    @contextmanager
    def calling(self) -> Iterator[None]:
        """A call goes on; none by a thread that a pass has left behind: its process is frozen by then."""
        with self._lock:
            assert not self.is_over
            self.calls += 1
        try:
            yield
        finally:
            with self._lock:
                self.calls -= 1
                self._lock.notify_all()

    def close(self) -> None:
        """The pass is over, once the calls under way have ended; another pass may be in the middle of one."""
        with self._lock:
            self.is_over = True
            self._lock.wait_for(lambda: not self.calls)

    def read(self, method: str, asked: Collection[str] | None, answer: Sequence[T]) -> list[T]:
        """This question (None: everything) was answered."""
        self._note(Read(method, None if asked is None else frozenset(asked), answer, _present()))
        return list(answer)

    @contextmanager
    def writing(self, row: str | None = None) -> Iterator[None]:
        """This row is being written, or else the zone. What was done counts, whatever the pass hears about it."""
        self._note(Tried(_present()))
        try:
            yield
        finally:
            self._claim(row)

    def _claim(self, row: str | None) -> None:
        """Another pass comes in the middle of a call, if at all, and has claimed its own deeds by then."""
        with self._lock:
            for deed in [deed for deed in self.witness.deeds if deed.key == (row or "")]:
                self.witness.deeds.remove(deed)
                self.events.append(deed)

    def writes(self) -> list[Write]:
        """What it has done."""
        return [event for event in self.events if isinstance(event, Write)]

    def _note(self, event: Event) -> None:
        with self._lock:
            self.events.append(event)


@dataclass(slots=True)
class Journals:
    """Of all passes since the last look, and the witness of what they do."""

    witness: Witness = field(default_factory=Witness)
    kept: list[Journal] = field(default_factory=list)

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """From now on every pass of this process has its journal."""

        def run(controller: Controller, request: Request, seconds: float) -> Report:
            journal = Journal(controller.settings, request.scope, self.witness)
            self.kept.append(journal)
            with closing(journal):
                return reconcile(request, noted(controller.begin(request.mode, seconds), journal))

        patch.setattr(Controller, "run", run)

    def clear(self) -> None:
        """Begin anew."""
        self.witness.deeds.clear()
        self.kept.clear()

    def misdeeds(self) -> list[str]:
        """What was done and may not be, by the specification."""
        found = [f"no pass knows of it: {deed.method} {deed.key}" for deed in self.witness.deeds]
        for journal in self.kept:
            found += misdeeds(journal.events, journal.settings, journal.scope)
        return found

    def wrongs(self, clouds: Clouds) -> list[str]:
        """What is not as the rules want it, by the specification, for the deployment of the latest pass."""
        return wrongs(clouds.state(), self.kept[-1].settings)


def _present() -> State:
    """What is read and tried needs its time alone: what is true then, the pass does not know."""
    return State(datetime.now(UTC), {}, {}, {})


def noted(context: Context, notes: Journal) -> Context:
    """The same pass, noted call by call; the methods are called as the specification calls them."""
    there = context.readers
    readers = Readers(_Fleet(there.fleet, notes), _Table(there.table, notes), _Records(there.records, notes))
    writers = context.writers and Writers(_Rows(context.writers.rows, notes), _Zone(context.writers.records, notes))
    return replace(context, readers=readers, writers=writers)


@dataclass(frozen=True, slots=True)
class _Fleet:
    fleet: Fleet
    notes: Journal

    def tagged(self) -> list[Instance]:
        with self.notes.calling():
            return self.notes.read("fleet.tagged", None, self.fleet.tagged())

    def by_id(self, ids: Collection[str]) -> list[Instance]:
        with self.notes.calling():
            return self.notes.read("fleet.by_id", ids, self.fleet.by_id(ids))

    def of_meetings(self, meetings: Collection[str]) -> list[Instance]:
        with self.notes.calling():
            return self.notes.read("fleet.of_meetings", meetings, self.fleet.of_meetings(meetings))


@dataclass(frozen=True, slots=True)
class _Table:
    table: Table
    notes: Journal

    def live(self) -> list[Meeting]:
        with self.notes.calling():
            return self.notes.read("table.live", None, self.table.live())

    def rows(self, ids: Collection[str]) -> list[Meeting]:
        with self.notes.calling():
            return self.notes.read("table.rows", ids, self.table.rows(ids))


@dataclass(frozen=True, slots=True)
class _Records:
    records: Records
    notes: Journal

    def listing(self, instances: Collection[str] | None = None) -> Listing:
        with self.notes.calling():
            listing = self.records.listing(instances)
            self.notes.read("records.listing", instances, listing.records)
            return listing

    def zone(self) -> Zone:
        with self.notes.calling():
            return self.records.zone()


@dataclass(frozen=True, slots=True)
class _Rows:
    rows: RowWriter
    notes: Journal

    def write(self, meeting: str, change: RowWrite) -> None:
        with self.notes.calling(), self.notes.writing(meeting):
            self.rows.write(meeting, change)


@dataclass(frozen=True, slots=True)
class _Zone:
    records: RecordWriter
    notes: Journal

    def write(self, changes: Sequence[RecordChange]) -> list[DnsRecord]:
        with self.notes.calling(), self.notes.writing():
            return self.records.write(changes)

    def remove(self, ids: Sequence[str]) -> None:
        with self.notes.calling(), self.notes.writing():
            self.records.remove(ids)

    def strays(self, name: str) -> list[DnsRecord]:
        with self.notes.calling():
            return self.records.strays(name)
