"""The clouds in memory, so that an emulator's own time does not stand in a comparison."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from controller.model import DnsRecord, Instance, Meeting, RecordChange, RowWrite, Zone
from controller.ports import Listing
from tests.support.build import answer_to


@dataclass(frozen=True, slots=True)
class MemoryFleet:
    """The instances."""

    instances: Sequence[Instance]

    def tagged(self) -> list[Instance]:
        """All of them."""
        return list(self.instances)

    def by_id(self, ids: Collection[str]) -> list[Instance]:
        """These."""
        return [machine for machine in self.instances if machine.id in ids]

    def of_meetings(self, meetings: Collection[str]) -> list[Instance]:
        """Those of these meetings."""
        return [machine for machine in self.instances if machine.meeting in meetings]


@dataclass(frozen=True, slots=True)
class MemoryTable:
    """The rows; every write fits."""

    meetings: Sequence[Meeting]

    def live(self) -> list[Meeting]:
        """All of them."""
        return list(self.meetings)

    def rows(self, ids: Collection[str]) -> list[Meeting]:
        """These."""
        return [row for row in self.meetings if row.id in ids]

    def write(self, meeting: str, change: RowWrite) -> None:
        """Done."""


@dataclass(frozen=True, slots=True)
class MemoryZone:
    """A zone where every write goes well and nothing is kept."""

    def listing(self, instances: Collection[str] | None = None) -> Listing:
        """Nothing."""
        return Listing(())

    def zone(self) -> Zone:
        """A paid plan's."""
        return Zone("example.com", 3500, holds_domain=True)

    def write(self, changes: Sequence[RecordChange]) -> list[DnsRecord]:
        """What was wanted is what is there."""
        return [answer_to(change) for change in changes]

    def remove(self, ids: Sequence[str]) -> None:
        """Done."""

    def strays(self, name: str) -> list[DnsRecord]:
        """None."""
        return []
