"""The controller's ports on a true world, honest: what each cloud would answer to a deployment that looks from a place.

Every call takes its time, and what is due meanwhile happens before it is answered.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from controller.errors import ConditionError
from controller.model import (
    TERMINATED,
    CreateRecord,
    DnsRecord,
    Instance,
    Meeting,
    RecordChange,
    RowWrite,
    UpdateRecord,
)
from controller.model import Zone as SeenZone
from controller.names import is_instance_id
from controller.ports import Listing, Readers, Writers
from tests.model.properties.clouds_ports import holds, meeting_of, updated
from tests.model.simulations.world import World
from tests.support import zone
from tests.support.history import Deployment, Machine, Truth

T = TypeVar("T")

#: Seconds that a call takes.
SLOW = {"ec2": 0.4, "dynamodb": 0.1, "cloudflare": 0.4}
LIVE = ("LAUNCHED", "DNS_WRITTEN", "HEALTHY", "IN_PROGRESS")


@dataclass(slots=True)
class Clouds:
    """The three clouds, as one deployment calls them."""

    world: World
    deployment: Deployment
    scan_takes: float = SLOW["dynamodb"]
    calls: Counter[str] = field(default_factory=Counter)
    began: datetime | None = None  # when the pass that goes on began
    is_scoped: bool = False  # whether it looks at some machines only

    def call(self, service: str, answer: Callable[[], T], *, calls: int = 1, seconds: float | None = None) -> T:
        """One question, or several of the same kind."""
        self.calls[service] += calls
        self.world.wait(SLOW[service] if seconds is None else seconds)
        return answer()

    def readers(self) -> Readers:
        return Readers(_Fleet(self), _Table(self), _Records(self))

    def writers(self) -> Writers:
        return Writers(_RowWriter(self), _RecordWriter(self))

    def change(self, after: Truth) -> None:
        """The pass that goes on changes the world."""
        self.world.change(self.deployment.name, after, self.began, is_scoped=self.is_scoped)

    def instances(self, truth: Truth) -> list[Instance]:
        """What EC2 has here, as an honest answer shows it to this deployment."""
        return [self.seen(machine) for machine in truth.machines.values() if machine.place == self.deployment.place]

    def seen(self, machine: Machine) -> Instance:
        """Whether it is tagged is a matter of whose tag is meant."""
        return replace(machine.instance, tagged=machine.project == self.deployment.settings.project_tag[1])

    def records(self, truth: Truth) -> list[DnsRecord]:
        """The records at the names of machines."""
        root = self.deployment.root
        there = truth.zones[root].values()
        return [r for r in there if r.name == f"{r.instance}.{root}" and is_instance_id(r.instance)]

    def live(self, truth: Truth) -> list[Meeting]:
        """What the scan brings, or the index."""
        settings = self.deployment.settings
        rows = [meeting_of(key, row, settings.roles) for key, row in truth.rows.items()]
        return [row for row in rows if (row.status in LIVE if settings.status_index else row.status != TERMINATED)]


@dataclass(frozen=True, slots=True)
class TruePast:
    """Honest answers of earlier times."""

    clouds: Clouds

    def instances(self, at: datetime) -> dict[str, Instance]:
        return {machine.id: machine for machine in self.clouds.instances(self.clouds.world.past(at))}

    def records(self, at: datetime) -> list[DnsRecord]:
        return self.clouds.records(self.clouds.world.past(at))

    def rows(self, at: datetime) -> list[Meeting]:
        return self.clouds.live(self.clouds.world.past(at))


@dataclass(frozen=True, slots=True)
class _Fleet:
    """EC2."""

    clouds: Clouds

    def tagged(self) -> list[Instance]:
        return self._read(lambda machine: machine.tagged)

    def by_id(self, ids: Collection[str]) -> list[Instance]:
        return self._read(lambda machine: machine.id in ids, calls=-(-len(ids) // 200))

    def of_meetings(self, meetings: Collection[str]) -> list[Instance]:
        return self._read(lambda machine: machine.meeting in meetings)

    def _read(self, fits: Callable[[Instance], bool], calls: int = 1) -> list[Instance]:
        def answer() -> list[Instance]:
            return [machine for machine in self.clouds.instances(self.clouds.world.truth) if fits(machine)]

        return self.clouds.call("ec2", answer, calls=calls)


@dataclass(frozen=True, slots=True)
class _Table:
    """DynamoDB, read."""

    clouds: Clouds

    def live(self) -> list[Meeting]:
        return self.clouds.call(
            "dynamodb", lambda: self.clouds.live(self.clouds.world.truth), calls=2, seconds=self.clouds.scan_takes
        )

    def rows(self, ids: Collection[str]) -> list[Meeting]:
        def answer() -> list[Meeting]:
            rows, roles = self.clouds.world.truth.rows, self.clouds.deployment.settings.roles
            return [meeting_of(key, rows[key], roles) for key in sorted(ids) if key in rows]

        return self.clouds.call("dynamodb", answer, calls=len(ids))


@dataclass(frozen=True, slots=True)
class _Records:
    """Cloudflare, read."""

    clouds: Clouds

    def listing(self, instances: Collection[str] | None = None) -> Listing:
        def answer() -> Listing:
            there = self.clouds.records(self.clouds.world.truth)
            return Listing(tuple(r for r in there if instances is None or r.instance in instances))

        return self.clouds.call("cloudflare", answer)

    def zone(self) -> SeenZone:
        return self.clouds.call("cloudflare", lambda: SeenZone(self.clouds.deployment.root))


@dataclass(frozen=True, slots=True)
class _RowWriter:
    """DynamoDB, written: one conditional UpdateItem."""

    clouds: Clouds

    def write(self, meeting: str, change: RowWrite) -> None:
        self.clouds.call("dynamodb", lambda: self._write(meeting, change))

    def _write(self, meeting: str, change: RowWrite) -> None:
        world = self.clouds.world
        row = world.truth.rows.get(meeting)
        if row is None or not all(holds(condition, row) for condition in change.conditions):
            raise ConditionError("The conditional request failed.")
        self.clouds.change(replace(world.truth, rows={**world.truth.rows, meeting: updated(row, change)}))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One write of a batch: without an id a post, without a content a delete."""

    id: str | None = None
    name: str = ""
    content: str | None = None
    comment: str | None = None

    @classmethod
    def of(cls, change: RecordChange) -> "_Wanted":
        """What a change sends."""
        record = None if isinstance(change, CreateRecord) else str(getattr(change, "id", ""))
        if isinstance(change, (CreateRecord, UpdateRecord)):
            return cls(record, change.name, change.content, change.comment)
        return cls(record, change.name)


@dataclass(frozen=True, slots=True)
class _RecordWriter:
    """Cloudflare, written: one batch, all or nothing."""

    clouds: Clouds

    def write(self, changes: Sequence[RecordChange]) -> list[DnsRecord]:
        return self.clouds.call("cloudflare", lambda: self._batch([_Wanted.of(change) for change in changes]))

    def remove(self, ids: Sequence[str]) -> None:
        self.clouds.call("cloudflare", lambda: self._batch([_Wanted(record) for record in ids]))

    def strays(self, name: str) -> list[DnsRecord]:
        return self.clouds.call("cloudflare", list)

    def _batch(self, writes: Sequence[_Wanted]) -> list[DnsRecord]:
        """Deletes, then patches, then posts."""
        world, root = self.clouds.world, self.clouds.deployment.root
        records, done = dict(world.truth.zones[root]), list[DnsRecord]()
        for write in sorted(writes, key=lambda write: (write.content is not None, write.id is None)):
            if write.id is not None and write.id not in records:
                raise zone.refused(81044, "Record does not exist.")
            if write.content is None:
                done.append(records.pop(str(write.id)))
            else:
                record = self._written(records.get(str(write.id)), write)
                zone.put(records, record)
                done.append(record)
        self.clouds.change(replace(world.truth, zones={**world.truth.zones, root: records}))
        return done

    def _written(self, was: DnsRecord | None, write: _Wanted) -> DnsRecord:
        now, content = self.clouds.world.now, str(write.content)
        if was:
            comment = was.comment if write.comment is None else write.comment
            return replace(was, content=content, proxied=True, comment=comment, modified_on=now)
        new, label = f"r{self.clouds.world.new_number()}", write.name.partition(".")[0]
        return DnsRecord(new, write.name, label, "A", content, True, write.comment or "", now, now)
