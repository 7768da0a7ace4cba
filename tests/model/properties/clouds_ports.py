"""The controller's ports, on the clouds in memory."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from controller.errors import ConditionError, RefusedError
from controller.model import TERMINATED, Condition, CreateRecord, DnsRecord, Instance, Meeting, RecordChange, RowWrite
from controller.model import Zone as SeenZone
from controller.names import is_instance_id
from controller.ports import Listing, Readers, Writers
from tests.model.properties.clouds import Clouds
from tests.support import zone
from tests.support.build import delete
from tests.support.journal import Refused, Write
from tests.support.state import Row, State

_MACHINE = re.compile(r"i-(?:[0-9a-f]{9})?[0-9a-f]{8}")
INDEXED = ("LAUNCHED", "DNS_WRITTEN", "HEALTHY", "IN_PROGRESS")


def readers_of(clouds: Clouds) -> Readers:
    return Readers(FleetModel(clouds), TableModel(clouds), RecordsModel(clouds))


def writers_of(clouds: Clouds) -> Writers:
    return Writers(RowWriterModel(clouds), RecordWriterModel(clouds))


@dataclass(frozen=True, slots=True)
class FleetModel:
    """EC2."""

    clouds: Clouds

    def tagged(self) -> list[Instance]:
        return self._read("fleet.tagged", None, lambda i: i.tagged and self._is_listed(i))

    def by_id(self, ids: Collection[str]) -> list[Instance]:
        return self._read("fleet.by_id", ids, lambda i: i.id in ids)

    def of_meetings(self, meetings: Collection[str]) -> list[Instance]:
        return self._read("fleet.of_meetings", meetings, lambda i: i.meeting in meetings and self._is_listed(i))

    def _is_listed(self, machine: Instance) -> bool:
        return machine.id not in self.clouds.script.unlisted

    def _read(self, method: str, asked: Collection[str] | None, fits: Callable[[Instance], bool]) -> list[Instance]:
        clouds = self.clouds

        def do() -> list[Instance]:
            return clouds.log_read(method, asked, [i for i in clouds.state.instances.values() if fits(i)])

        return clouds.call(method, do)


@dataclass(frozen=True, slots=True)
class TableModel:
    """DynamoDB, read."""

    clouds: Clouds

    def live(self) -> list[Meeting]:
        index = self.clouds.case.settings.status_index
        return self._read(
            "table.live",
            None,
            lambda _, row: row.get("status") in INDEXED if index else row.get("status") != TERMINATED,
        )

    def rows(self, ids: Collection[str]) -> list[Meeting]:
        return self._read("table.rows", ids, lambda key, _: key in ids)

    def _read(self, method: str, asked: Collection[str] | None, fits: Callable[[str, Row], bool]) -> list[Meeting]:
        clouds, roles = self.clouds, self.clouds.case.settings.roles

        def do() -> list[Meeting]:
            found = [meeting_of(key, row, roles) for key, row in clouds.state.rows.items() if fits(key, row)]
            return clouds.log_read(method, asked, found)

        return clouds.call(method, do)


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


def is_machine(label: str) -> bool:
    """Whether the label is an instance's id: by EC2, or by the controller, since its adapter would show what that takes
    for one. So a bystander that it takes for ours is judged, and one of ours that it would not see is missed.
    """
    return _MACHINE.fullmatch(label) is not None or is_instance_id(label)


@dataclass(frozen=True, slots=True)
class RecordsModel:
    """Cloudflare, read."""

    clouds: Clouds

    def listing(self, instances: Collection[str] | None = None) -> Listing:
        clouds, root = self.clouds, self.clouds.case.settings.domain_root

        def do() -> Listing:
            ours = [r for r in clouds.state.records.values() if r.name == f"{r.instance}.{root}"]
            ours = [r for r in ours if is_machine(r.instance) and (instances is None or r.instance in instances)]
            return Listing(tuple(clouds.log_read("records.listing", instances, ours)))

        return clouds.call("records.listing", do)

    def zone(self) -> SeenZone:
        known = self.clouds.case.zone
        seen = SeenZone(known.name, known.batch_limit) if known.is_readable else SeenZone(None)
        return self.clouds.call("records.zone", lambda: self.clouds.log_read("records.zone", None, [seen])[0])


@dataclass(frozen=True, slots=True)
class RowWriterModel:
    """DynamoDB, written: one conditional UpdateItem."""

    clouds: Clouds

    def write(self, meeting: str, change: RowWrite) -> None:
        self.clouds.call("rows.write", lambda: self._write(meeting, change))

    def _write(self, meeting: str, change: RowWrite) -> None:
        before = self.clouds.moment()
        row = before.rows.get(meeting)
        if row is None or not all(holds(condition, row) for condition in change.conditions):
            raise ConditionError("The conditional request failed.")
        self.clouds.state = replace(before, rows={**before.rows, meeting: updated(row, change)})
        self.clouds.journal.append(Write("rows.write", before, self.clouds.state, change, meeting))


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
class RecordWriterModel:
    """Cloudflare, written: one batch, all or nothing."""

    clouds: Clouds

    def write(self, changes: Sequence[RecordChange]) -> list[DnsRecord]:
        return self.clouds.call("records.write", lambda: self._batch("records.write", changes))

    def remove(self, ids: Sequence[str]) -> None:
        changes = [delete("", id=record) for record in ids]
        self.clouds.call("records.remove", lambda: self._batch("records.remove", changes))

    def strays(self, name: str) -> list[DnsRecord]:
        def do() -> list[DnsRecord]:
            found = [r for r in self.clouds.state.records.values() if r.name.startswith(name) and r.name != name]
            return self.clouds.log_read("records.strays", [name], found)

        return self.clouds.call("records.strays", do)

    def _batch(self, method: str, changes: Sequence[RecordChange]) -> list[DnsRecord]:
        before = self.clouds.moment()
        try:
            records, written = self._outcome(before, changes)
        except RefusedError as error:
            self.clouds.journal.append(Refused(tuple(changes), error.codes))
            raise
        self.clouds.state = replace(before, records=records)
        self.clouds.journal.append(Write(method, before, self.clouds.state, tuple(changes)))
        return written

    def _outcome(self, before: State, changes: Sequence[RecordChange]) -> tuple[zone.Records, list[DnsRecord]]:
        if self.clouds.script.poison in [change.name for change in changes]:
            raise zone.refused(9207, "Request body is invalid.")
        script = self.clouds.script
        if script.refuses(change.name for change in changes if isinstance(change, CreateRecord)):
            raise zone.refused(script.refused or 0, "This domain takes no records.")
        new_id = self.clouds.new_ids(len(changes))
        return zone.batch(before.records, changes, self.clouds.case.zone, before.now, new_id)
