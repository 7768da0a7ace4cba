"""What a pass knew at each of its writes: its readings so far, and the answers to its own writes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from controller.model import DnsRecord, Instance, Meeting
from controller.settings import Settings
from tests.support.journal import Event, Read, Tried, Write
from tests.support.spec.sight import Sight
from tests.support.state import Row, State


@dataclass(slots=True)
class Knowledge:
    """Grows with every event of the journal."""

    settings: Settings
    is_full: bool = True
    instances: dict[str, Instance | None] = field(default_factory=dict)
    looks: dict[str, list[int]] = field(default_factory=dict)  # when each was asked for by id, or listed
    described: dict[str, int] = field(default_factory=dict)  # when each was last asked for by id
    records: dict[str, DnsRecord] = field(default_factory=dict)
    record_read: dict[str, int] = field(default_factory=dict)  # when each was first read, or written by us
    seen: dict[str, DnsRecord] = field(default_factory=dict)  # every record that was ever read
    claims: set[str] = field(default_factory=set)  # every machine that was ever seen with our tag, or not alive
    rows: dict[str, Row] = field(default_factory=dict)
    row_read: dict[str, int] = field(default_factory=dict)  # when each was first read
    first: Sight | None = None  # what was known when the first write was tried
    read_again: str | None = None  # the row that was read again since the last write was tried
    asked_again: str | None = None  # the row that is written, if it was just read again for it
    now: int = 0

    def learn(self, event: Event) -> None:
        """One more event."""
        self.now += 1
        match event:
            case Tried():
                self.first = self.first or self.sight(event.state)
                self.asked_again, self.read_again = self.read_again, None
            case Read():
                self._read(event)
            case Write():
                self._wrote(event)

    def sight(self, state: State) -> Sight:
        """What is known, at the time of this state."""
        return Sight(
            settings=self.settings,
            now=state.now,
            instances=dict(self.instances),
            records=tuple(self.records.values()),
            rows=dict(self.rows),
            is_full=self.is_full,
            buried=tuple(record for key, record in self.seen.items() if key not in self.records),
        )

    def sights(self, event: Write) -> list[Sight]:
        """What this write may rest on: the latest readings; and, unless its row was just read again, the plan's."""
        latest = self.sight(event.before)
        if self.first is None or (event.key and event.key == self.asked_again):
            return [latest]
        return [latest, replace(latest, instances=self.first.instances)]

    def has_looked_twice(self, instance: str, *, after: int) -> bool:
        """Whether it was looked at, and once more by id, and that after something else was read."""
        return len(self.looks.get(instance, ())) > 1 and self.described.get(instance, -1) > after

    def _read(self, event: Read) -> None:
        match event.method:
            case "fleet.tagged" | "fleet.of_meetings" | "fleet.by_id":
                self._saw_instances(event, cast("Sequence[Instance]", event.answer))
            case "records.listing":
                self._saw_records(event, cast("Sequence[DnsRecord]", event.answer))
            case "table.live" | "table.rows":
                self._saw_rows(event, cast("Sequence[Meeting]", event.answer))

    def _saw_instances(self, event: Read, found: Sequence[Instance]) -> None:
        asked = (event.asked or frozenset()) if event.method == "fleet.by_id" else frozenset[str]()
        for instance in asked:
            self._missed(instance)
            self.described[instance] = self.now
        self.instances |= {i.id: i for i in found}
        self.claims |= {i.id for i in found if i.tagged or i.state not in ("pending", "running")}
        for instance in asked.union(i.id for i in found):
            self.looks.setdefault(instance, []).append(self.now)

    def _missed(self, instance: str) -> None:
        """Asked for by id, and not found as far as this goes; once writing has begun nothing is newly absent."""
        if self.first and self.first.instances.get(instance, "never seen") is not None:
            self.instances.pop(instance, None)
        else:
            self.instances[instance] = None

    def _saw_records(self, event: Read, found: Sequence[DnsRecord]) -> None:
        asked = event.asked
        self.records = {k: r for k, r in self.records.items() if asked is not None and r.instance not in asked}
        for record in found:
            self.records[record.id] = self.seen[record.id] = record
            self.record_read.setdefault(record.id, self.now)

    def _saw_rows(self, event: Read, found: Sequence[Meeting]) -> None:
        for row in found:
            self.rows[row.id] = row_of(row)
            self.row_read.setdefault(row.id, self.now)
        self.read_again = next(iter(event.asked), None) if event.asked and self.first else None

    def _wrote(self, event: Write) -> None:
        if event.method == "rows.write":
            return
        known = {**event.before.records, **event.after.records}
        for record in known:
            if record not in event.after.records:
                self.records.pop(record, None)
            elif event.after.records[record] is not event.before.records.get(record):
                self.records[record] = event.after.records[record]
                self.record_read.setdefault(record, self.now)


def row_of(meeting: Meeting) -> Row:
    """A row as the table holds it."""
    row = {
        "status": meeting.status,
        "meet_time": meeting.meet_time,
        "termination_reason": meeting.termination_reason,
        **{f"{role}_ec2_id": value for role, value in meeting.instance_ids.items()},
        **{f"{role}_ec2_link": value for role, value in meeting.links.items()},
    }
    return {name: value for name, value in row.items() if value is not None}
