"""The three clouds of a true world, as one deployment calls them: honest, and every call takes its time.

What is due meanwhile happens before a call is answered.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from controller.model import DnsRecord, Instance, Meeting, RecordChange, RowWrite
from controller.settings import Settings
from tests.model.simulations.world import World
from tests.support import zone
from tests.support.history import Deployment, Truth
from tests.support.ports import at_names_of_machines, live
from tests.support.state import Row, Zone

T = TypeVar("T")

#: Seconds that a call takes.
SLOW = {"ec2": 0.4, "dynamodb": 0.1, "cloudflare": 0.4}
_SERVICES = {"fleet": "ec2", "table": "dynamodb", "rows": "dynamodb", "records": "cloudflare"}


@dataclass(slots=True)
class Clouds:
    """The three clouds of this world, seen from where the deployment looks."""

    world: World
    deployment: Deployment
    scan_takes: float = SLOW["dynamodb"]
    calls: Counter[str] = field(default_factory=Counter)
    began: datetime | None = None  # when the pass that goes on began
    is_scoped: bool = False  # whether it looks at some machines only

    def read(self, method: str, asked: Collection[str] | None, find: Callable[[], list[T]]) -> list[T]:
        match method:
            case "fleet.by_id":
                return self._call(method, find, calls=-(-len(asked or ()) // 200))
            case "table.live":
                return self._call(method, find, calls=2, seconds=self.scan_takes)
            case "table.rows":
                return self._call(method, find, calls=len(asked or ()))
            case _:
                return self._call(method, find)

    def write(self, method: str, do: Callable[[], T]) -> T:
        return self._call(method, do)

    def _call(self, method: str, answer: Callable[[], T], *, calls: int = 1, seconds: float | None = None) -> T:
        """One question, or several of the same kind."""
        service = _SERVICES[method.partition(".")[0]]
        self.calls[service] += calls
        self.world.wait(SLOW[service] if seconds is None else seconds)
        return answer()

    @property
    def settings(self) -> Settings:
        return self.deployment.settings

    @property
    def zone(self) -> Zone:
        return Zone(self.deployment.root)

    def instances(self) -> list[Instance]:
        return self.instances_of(self.world.truth)

    def listed(self) -> list[Instance]:
        return self.instances()

    def records(self) -> Mapping[str, DnsRecord]:
        return self.world.truth.zones[self.deployment.root]

    def rows(self) -> Mapping[str, Row]:
        return self.world.truth.rows

    def put_row(self, key: str, row: Row, change: RowWrite) -> None:
        self._change(replace(self.world.truth, rows={**self.rows(), key: row}))

    def put_batch(self, method: str, changes: Sequence[RecordChange]) -> list[DnsRecord]:
        world, root = self.world, self.deployment.root
        records, written = zone.batch(self.records(), changes, self.zone, world.now, lambda: f"r{world.new_number()}")
        self._change(replace(world.truth, zones={**world.truth.zones, root: records}))
        return written

    def _change(self, after: Truth) -> None:
        """The pass that goes on changes the world."""
        self.world.change(self.deployment.name, after, self.began, is_scoped=self.is_scoped)

    def instances_of(self, truth: Truth) -> list[Instance]:
        """What EC2 has in this place. Whether it is tagged depends on the tag that the deployment looks for."""
        tag, place = self.settings.project_tag[1], self.deployment.place
        there = (machine for machine in truth.machines.values() if machine.place == place)
        return [replace(machine.instance, tagged=machine.project == tag) for machine in there]


@dataclass(frozen=True, slots=True)
class TruePast:
    """Honest answers of earlier times."""

    clouds: Clouds

    def instances(self, at: datetime) -> dict[str, Instance]:
        return {machine.id: machine for machine in self.clouds.instances_of(self.clouds.world.past(at))}

    def records(self, at: datetime) -> list[DnsRecord]:
        there = self.clouds.world.past(at).zones[self.clouds.deployment.root]
        return at_names_of_machines(there, self.clouds.settings)

    def rows(self, at: datetime) -> list[Meeting]:
        return live(self.clouds.world.past(at).rows, self.clouds.settings)
