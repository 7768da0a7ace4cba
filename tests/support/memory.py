"""Clouds in memory that show what a test says, reading after reading, and count what they cost."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from controller.errors import CallError
from controller.model import DnsRecord, Instance, Meeting, RecordChange, RowWrite
from controller.ports import Context
from controller.runtime.budget import Budget
from controller.settings import Settings
from tests.support import zone
from tests.support.build import TARGET, settings
from tests.support.clock import FakeClock
from tests.support.ports import readers_of, writers_of
from tests.support.spec.knowledge import row_of
from tests.support.state import Row, Zone

T = TypeVar("T")

_SERVICES = {"fleet": "ec2", "table": "dynamodb", "records": "cloudflare"}
#: What EC2 shows in its n-th reading, at this second of the pass.
View = Callable[[int, float], Iterable[Instance]]


def readings(*shown: Iterable[Instance]) -> View:
    """These, one reading after the other; the last one again and again."""
    return lambda number, _: shown[min(number, len(shown)) - 1]


def at(*, seconds: float, before: Iterable[Instance], then: Iterable[Instance]) -> View:
    """One view, and from this second on another one."""
    return lambda _, now: then if now >= seconds else before


@dataclass
class Clouds:
    """EC2, DynamoDB and Cloudflare. ``calls`` names each reading in its order, ``asked`` those asked for by id."""

    shows: View
    seeded: Iterable[DnsRecord] = ()
    meetings: Iterable[Meeting] = ()
    clock: FakeClock = field(default_factory=FakeClock)
    seconds: float = 600
    calls: list[str] = field(default_factory=list)
    asked: list[set[str]] = field(default_factory=list)
    #: Each write with the second at which it came, as the changes' actions or the row's id.
    writes: list[tuple[float, str]] = field(default_factory=list)
    #: By the name of a reading in ``calls``: after how many of them the next one fails, and how.
    fails: dict[str, tuple[int, CallError]] = field(default_factory=dict)
    settings: Settings = field(default_factory=settings)
    zone: Zone = field(default_factory=Zone)

    def __post_init__(self) -> None:
        self.budget = Budget(self.clock, self.seconds)
        self.held = {record.id: record for record in self.seeded}
        self.table = {row.id: row_of(row) for row in self.meetings}
        self._ec2 = 0

    def its(self, using: Settings | None = None, *, writes: bool = True) -> Context:
        """A pass over these clouds."""
        self.settings = using or self.settings
        return Context(self.settings, TARGET, readers_of(self), writers_of(self) if writes else None, self.budget)

    def read(self, method: str, asked: Collection[str] | None, find: Callable[[], list[T]]) -> list[T]:
        """Count a reading, which may fail. Where nothing is asked for the adapters make no call."""
        if asked is not None and not asked:
            return []
        part, _, call = method.partition(".")
        with self.budget.calling(_SERVICES[part], call):
            self.calls.append(call)
            self._ec2 += part == "fleet"
            if call == "by_id":
                self.asked.append(set(asked or ()))
            good, error = self.fails.get(call, (0, None))
            if error and self.calls.count(call) > good:
                raise error
            return find()

    def write(self, method: str, do: Callable[[], T]) -> T:
        return do()

    def instances(self) -> Iterable[Instance]:
        return self.shows(self._ec2, self.clock.monotonic())

    def listed(self) -> Iterable[Instance]:
        return self.instances()

    def records(self) -> Mapping[str, DnsRecord]:
        return self.held

    def rows(self) -> Mapping[str, Row]:
        return self.table

    def put_row(self, key: str, row: Row, change: RowWrite) -> None:
        self.table[key] = row
        self._wrote(key)

    def put_batch(self, method: str, changes: Sequence[RecordChange]) -> list[DnsRecord]:
        new_ids = (f"new-{number}" for number in range(len(self.writes), 1_000_000))
        after, written = zone.batch(self.held, changes, self.zone, self.clock.now(), lambda: next(new_ids))
        self.held = dict(after)
        for change in changes:
            self._wrote(f"{change.action} {change.instance}")
        return written

    def _wrote(self, what: str) -> None:
        self.writes.append((self.clock.monotonic(), what))
