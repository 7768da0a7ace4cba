"""The controller's ports with a journal beside them: what passes through them is all that a pass can know or do."""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from controller.model import DnsRecord, Instance, Meeting, RecordChange, RowWrite, Zone
from controller.ports import Context, Fleet, Listing, Readers, Records, RecordWriter, RowWriter, Table, Writers

T = TypeVar("T")


class Notes(Protocol):
    """Where it is noted."""

    def calling(self) -> AbstractContextManager[None]:
        """A call is being made."""

    def read(self, method: str, asked: Collection[str] | None, answer: Sequence[T]) -> list[T]:
        """This question (None: everything) was answered."""

    def writing(self, row: str | None = None) -> AbstractContextManager[None]:
        """This row is being written, or else the zone."""


def noted(context: Context, notes: Notes) -> Context:
    """The same pass, noted call by call; the methods are called as the specification calls them."""
    there = context.readers
    readers = Readers(_Fleet(there.fleet, notes), _Table(there.table, notes), _Records(there.records, notes))
    writers = context.writers and Writers(_Rows(context.writers.rows, notes), _Zone(context.writers.records, notes))
    return replace(context, readers=readers, writers=writers)


@dataclass(frozen=True, slots=True)
class _Fleet:
    fleet: Fleet
    notes: Notes

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
    notes: Notes

    def live(self) -> list[Meeting]:
        with self.notes.calling():
            return self.notes.read("table.live", None, self.table.live())

    def rows(self, ids: Collection[str]) -> list[Meeting]:
        with self.notes.calling():
            return self.notes.read("table.rows", ids, self.table.rows(ids))


@dataclass(frozen=True, slots=True)
class _Records:
    records: Records
    notes: Notes

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
    notes: Notes

    def write(self, meeting: str, change: RowWrite) -> None:
        with self.notes.calling(), self.notes.writing(meeting):
            self.rows.write(meeting, change)


@dataclass(frozen=True, slots=True)
class _Zone:
    records: RecordWriter
    notes: Notes

    def write(self, changes: Sequence[RecordChange]) -> list[DnsRecord]:
        with self.notes.calling(), self.notes.writing():
            return self.records.write(changes)

    def remove(self, ids: Sequence[str]) -> None:
        with self.notes.calling(), self.notes.writing():
            self.records.remove(ids)

    def strays(self, name: str) -> list[DnsRecord]:
        with self.notes.calling():
            return self.records.strays(name)
