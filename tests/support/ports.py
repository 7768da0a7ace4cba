"""The controller's ports on clouds in memory: what each cloud answers, honestly, by what the clouds hold.

How a call goes (what it costs, whether it fails, who comes first) is the clouds' own affair: see ``Clouds``.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from controller.errors import ConditionError
from controller.model import TERMINATED, Condition, DeleteRecord, DnsRecord, Instance, Meeting, RecordChange, RowWrite
from controller.model import Zone as SeenZone
from controller.names import is_instance_id
from controller.ports import Listing, Readers, Writers
from controller.settings import Settings
from tests.support.build import delete
from tests.support.state import Row, Zone

T = TypeVar("T")

_MACHINE = re.compile(r"i-(?:[0-9a-f]{9})?[0-9a-f]{8}")
INDEXED = ("LAUNCHED", "DNS_WRITTEN", "HEALTHY", "IN_PROGRESS")


class Clouds(Protocol):
    """What the three clouds hold, and how a call to them goes."""

    @property
    def settings(self) -> Settings:
        """Of the deployment that calls."""

    @property
    def zone(self) -> Zone:
        """What does not change of its zone."""

    def read(self, method: str, asked: Collection[str] | None, find: Callable[[], list[T]]) -> list[T]:
        """Answer a question about these (None: about everything)."""

    def write(self, method: str, do: Callable[[], T]) -> T:
        """Make a call that writes."""

    def instances(self) -> Iterable[Instance]:
        """Every instance of the place."""

    def listed(self) -> Iterable[Instance]:
        """Those that a listing brings."""

    def records(self) -> Mapping[str, DnsRecord]:
        """The whole zone, by record id."""

    def rows(self) -> Mapping[str, Row]:
        """The whole table."""

    def put_row(self, key: str, row: Row, change: RowWrite) -> None:
        """The row is like that now."""

    def put_batch(self, method: str, changes: Sequence[RecordChange]) -> list[DnsRecord]:
        """All of them or none; the records that were deleted, updated and created. Raises RefusedError."""


def readers_of(clouds: Clouds) -> Readers:
    """Return the ports by which a pass reads these clouds."""
    return Readers(_Fleet(clouds), _Table(clouds), _Records(clouds))


def writers_of(clouds: Clouds) -> Writers:
    """Return the ports by which a pass writes to these clouds."""
    return Writers(_RowWriter(clouds), _RecordWriter(clouds))


@dataclass(frozen=True, slots=True)
class _Fleet:
    """EC2."""

    clouds: Clouds

    def tagged(self) -> list[Instance]:
        return self.clouds.read("fleet.tagged", None, lambda: [m for m in self.clouds.listed() if m.tagged])

    def by_id(self, ids: Collection[str]) -> list[Instance]:
        return self.clouds.read("fleet.by_id", ids, lambda: [m for m in self.clouds.instances() if m.id in ids])

    def of_meetings(self, meetings: Collection[str]) -> list[Instance]:
        def find() -> list[Instance]:
            return [machine for machine in self.clouds.listed() if machine.meeting in meetings]

        return self.clouds.read("fleet.of_meetings", meetings, find)


@dataclass(frozen=True, slots=True)
class _Table:
    """DynamoDB, read."""

    clouds: Clouds

    def live(self) -> list[Meeting]:
        return self.clouds.read("table.live", None, lambda: live(self.clouds.rows(), self.clouds.settings))

    def rows(self, ids: Collection[str]) -> list[Meeting]:
        def find() -> list[Meeting]:
            roles = self.clouds.settings.roles
            return [meeting_of(key, row, roles) for key, row in self.clouds.rows().items() if key in ids]

        return self.clouds.read("table.rows", ids, find)


def live(rows: Mapping[str, Row], settings: Settings) -> list[Meeting]:
    """What the scan brings, or the index."""
    return [
        meeting_of(key, row, settings.roles)
        for key, row in rows.items()
        if (row.get("status") in INDEXED if settings.status_index else row.get("status") != TERMINATED)
    ]


def meeting_of(key: str, row: Row, roles: Sequence[str]) -> Meeting:
    """A row as the adapter hands it on."""
    return Meeting(
        id=key,
        status=row.get("status"),
        instance_ids={role: row.get(f"{role}_ec2_id") for role in roles},
        links={role: row.get(f"{role}_ec2_link") for role in roles},
        meet_time=row.get("meet_time"),
        termination_reason=row.get("termination_reason"),
    )


@dataclass(frozen=True, slots=True)
class _Records:
    """Cloudflare, read."""

    clouds: Clouds

    def listing(self, instances: Collection[str] | None = None) -> Listing:
        def find() -> list[DnsRecord]:
            there = at_names_of_machines(self.clouds.records(), self.clouds.settings)
            return [record for record in there if instances is None or record.instance in instances]

        return Listing(tuple(self.clouds.read("records.listing", instances, find)))

    def zone(self) -> SeenZone:
        known = self.clouds.zone
        seen = SeenZone(known.name, known.batch_limit) if known.is_readable else SeenZone(None)
        return self.clouds.read("records.zone", None, lambda: [seen])[0]


def at_names_of_machines(records: Mapping[str, DnsRecord], settings: Settings) -> list[DnsRecord]:
    """The records that a listing brings."""
    root = settings.domain_root
    return [r for r in records.values() if r.name == f"{r.instance}.{root}" and is_machine(r.instance)]


def is_machine(label: str) -> bool:
    """Whether the label is an instance's id: by EC2, or by the controller, since its adapter would show what that takes
    for one. So a bystander that it takes for ours is judged, and an own one that it would not see is missed.
    """
    return _MACHINE.fullmatch(label) is not None or is_instance_id(label)


@dataclass(frozen=True, slots=True)
class _RowWriter:
    """DynamoDB, written: one conditional UpdateItem."""

    clouds: Clouds

    def write(self, meeting: str, change: RowWrite) -> None:
        self.clouds.write("rows.write", lambda: self._write(meeting, change))

    def _write(self, meeting: str, change: RowWrite) -> None:
        row = self.clouds.rows().get(meeting)
        if row is None or not all(holds(condition, row) for condition in change.conditions):
            raise ConditionError("The conditional request failed.")
        self.clouds.put_row(meeting, updated(row, change), change)


def holds(condition: Condition, row: Row) -> bool:
    """Whether the row is as the condition says."""
    assert condition.values
    assert not (condition.negated and None in condition.values), "the adapter has no expression for it"
    return (row.get(condition.attribute) in condition.values) is not condition.negated


def updated(row: Row, change: RowWrite) -> Row:
    """The row after the write; DynamoDB refuses two operations on one attribute, and an update without any."""
    names = [name for name, _ in (*change.sets, *change.defaults)] + list(change.removes)
    assert names, "an empty UpdateExpression"
    assert len(set(names)) == len(names), "two operations on one attribute"
    kept = {name: value for name, value in row.items() if name not in change.removes}
    return {**dict(change.defaults), **kept, **dict(change.sets)}


@dataclass(frozen=True, slots=True)
class _RecordWriter:
    """Cloudflare, written: one batch, all or nothing."""

    clouds: Clouds

    def write(self, changes: Sequence[RecordChange]) -> list[DnsRecord]:
        return self.clouds.write("records.write", lambda: self.clouds.put_batch("records.write", changes))

    def remove(self, ids: Sequence[str]) -> None:
        changes: list[DeleteRecord] = [delete("", id=record) for record in ids]
        self.clouds.write("records.remove", lambda: self.clouds.put_batch("records.remove", changes))

    def strays(self, name: str) -> list[DnsRecord]:
        def find() -> list[DnsRecord]:
            return [r for r in self.clouds.records().values() if r.name.startswith(name) and r.name != name]

        return self.clouds.read("records.strays", [name], find)
