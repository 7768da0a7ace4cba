"""What the controller needs of the clouds, in its own words. Reading and writing are apart: a plan gets no writer."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from controller.model import DnsRecord, Finding, Instance, Meeting, RecordChange, Result, RowWrite, World, Zone
from controller.report.report import Report, Target
from controller.runtime.budget import Budget
from controller.settings import Settings


class Fleet(Protocol):
    """The instances. Every method raises CallError when it cannot read all of what was asked for."""

    def tagged(self) -> list[Instance]:
        """Every instance with the project's tag, in any state."""

    def by_id(self, ids: Collection[str]) -> list[Instance]:
        """Those of these instances that EC2 knows, tagged or not."""

    def of_meetings(self, meetings: Collection[str]) -> list[Instance]:
        """Every instance that carries one of these meetings, also where the project's tag is lost."""


class Table(Protocol):
    """The meetings' rows. Every method raises CallError when it cannot read all of what was asked for."""

    def live(self) -> list[Meeting]:
        """Every row that is not ``TERMINATED`` (with an index: every row in a live status)."""

    def rows(self, ids: Collection[str]) -> list[Meeting]:
        """Those of these rows that exist, read consistently."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Records at instances' names, and what was odd about them."""

    records: tuple[DnsRecord, ...]
    findings: tuple[Finding, ...] = ()


class Records(Protocol):
    """The zone's records at instances' names. Every method raises CallError when the answer is not whole."""

    def listing(self, instances: Collection[str] | None = None) -> Listing:
        """The records at the names of these instances, or of all (None)."""

    def zone(self) -> Zone:
        """What may be known of the zone."""


class RowWriter(Protocol):
    """Writes to one row."""

    def write(self, meeting: str, change: RowWrite) -> None:
        """One conditional write.

        Raises ConditionError when the row is not as the conditions say, another CallError when it failed.
        """


class RecordWriter(Protocol):
    """Writes to the zone."""

    def write(self, changes: Sequence[RecordChange]) -> list[DnsRecord]:
        """One batch, all or nothing: deletes, then updates, then creates. Returns the records that it answers.

        Raises RefusedError (nothing done, one of them is wrong), AmbiguousError (nobody knows), or another CallError.
        """

    def remove(self, ids: Sequence[str]) -> None:
        """Delete records by id, all or nothing."""

    def strays(self, name: str) -> list[DnsRecord]:
        """Records at this name with another domain appended: what a zone makes of a name outside it."""


@dataclass(frozen=True, slots=True)
class Readers:
    """All that observing needs."""

    fleet: Fleet
    table: Table
    records: Records


@dataclass(frozen=True, slots=True)
class Writers:
    """All that applying needs beside the readers."""

    rows: RowWriter
    records: RecordWriter


class LinkProbe(Protocol):
    """Goes the way of a user's browser, once all changes are applied."""

    def added(self, report: Report, world: World, budget: Budget) -> Report:
        """Return the report with what the links in use have shown. Raises nothing."""


class Listener:
    """Hears how a pass goes on. Each method may be left as it is."""

    def on_plan(self, report: Report) -> None:
        """The plan, before anything is done."""

    def on_result(self, result: Result) -> None:
        """How a change has ended, as it comes; from several threads."""


@dataclass(frozen=True, slots=True)
class Context:
    """Everything that one pass stands on. Without writers it can only plan, and without a probe it looks at no link."""

    settings: Settings
    target: Target
    readers: Readers
    writers: Writers | None
    budget: Budget
    probe: LinkProbe | None = None
