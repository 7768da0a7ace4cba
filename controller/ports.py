"""What the controller needs of the clouds, as Protocols. Readers and writers are separate: a plan gets no writer."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from controller.errors import CallError
from controller.model import DnsRecord, Finding, Instance, Meeting, RecordChange, Result, RowWrite, World, Zone
from controller.report.report import Report, Target
from controller.runtime.budget import Budget
from controller.settings import Settings


class Fleet(Protocol):
    """Reads instances. Every method raises CallError if it cannot read everything that it was asked for.

    Where a deployment has several cells, one that cannot be read raises nothing (see ``Cells``).
    """

    def tagged(self) -> list[Instance]:
        """Return every instance with the project's tag, in any state."""

    def by_id(self, ids: Collection[str]) -> list[Instance]:
        """Return the instances among these that EC2 knows, tagged or not."""

    def of_meetings(self, meetings: Collection[str]) -> list[Instance]:
        """Return every instance with the tag of one of these meetings, also without the project's tag."""


class Cells(Protocol):
    """Several cells behind one fleet. A cell that cannot be read is ``unread`` for the rest of the pass."""

    def at_home(self, ids: Collection[str], homes: Mapping[str, str]) -> list[Instance]:
        """Return the instances among these that EC2 knows: each in its cell by ``homes``, the others in every cell."""

    def unread(self) -> Mapping[str, CallError]:
        """Return the cells that could not be read in this pass, and why."""


class Table(Protocol):
    """Reads meetings' rows. Every method raises CallError if it cannot read everything that it was asked for."""

    def live(self) -> list[Meeting]:
        """Return every row that is not ``TERMINATED`` (with an index: every row in a live status)."""

    def rows(self, ids: Collection[str]) -> list[Meeting]:
        """Return the rows among these that exist, read consistently."""


NOT_READ = Zone(None)


@dataclass(frozen=True, slots=True)
class Listing:
    """Records at instances' names, and findings about them."""

    records: tuple[DnsRecord, ...]
    findings: tuple[Finding, ...] = ()
    zone: Zone = NOT_READ  # as far as it is known without another call


class Records(Protocol):
    """Reads the zone's records at instances' names. Every method raises CallError if the answer is not complete."""

    def listing(self, instances: Collection[str] | None = None) -> Listing:
        """Return the records at the names of these instances, or of all (None)."""

    def zone(self) -> Zone:
        """Return what the token may know about the zone."""


class RowWriter(Protocol):
    """Writes to rows."""

    def write(self, meeting: str, change: RowWrite) -> None:
        """Do one conditional write.

        Raises ConditionError if the row does not meet the conditions, and another CallError if the write failed.
        """


class RecordWriter(Protocol):
    """Writes to the zone."""

    def write(self, changes: Sequence[RecordChange]) -> list[DnsRecord]:
        """Send one batch, all or nothing: deletes, then updates, then creates. Return the records in the answer.

        Raises RefusedError (nothing was done: a change is wrong), AmbiguousError (unclear), or another CallError.
        """

    def remove(self, ids: Sequence[str]) -> None:
        """Delete records by id, all or nothing."""

    def strays(self, name: str) -> list[DnsRecord]:
        """Return records at this name with a domain appended: a zone does that to a name outside it."""


@dataclass(frozen=True, slots=True)
class Readers:
    """Everything that an observation needs."""

    fleet: Fleet
    table: Table
    records: Records
    cells: Cells | None = None

    def unread(self) -> Mapping[str, CallError]:
        """Return the cells that could not be read in this pass, and why; none without CELLS."""
        return self.cells.unread() if self.cells else {}


@dataclass(frozen=True, slots=True)
class Writers:
    """Everything that an apply needs beside the readers."""

    rows: RowWriter
    records: RecordWriter


class LinkProbe(Protocol):
    """Goes the way of a user's browser, once all changes are applied."""

    def added(self, report: Report, world: World, budget: Budget) -> Report:
        """Return the report with what the links in use have shown. Raises nothing."""


class Listener:
    """Follows a pass. A subclass overrides the methods that it needs."""

    def on_plan(self, report: Report) -> None:
        """Take the plan, before the pass changes anything."""

    def on_result(self, result: Result) -> None:
        """Take a change that has ended. Several threads call this."""


@dataclass(frozen=True, slots=True)
class Context:
    """Everything that one pass needs. Without writers it can only plan, and without a probe it looks at no link."""

    settings: Settings
    target: Target
    readers: Readers
    writers: Writers | None
    budget: Budget
    probe: LinkProbe | None = None
