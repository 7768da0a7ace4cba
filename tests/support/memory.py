"""The clouds of a pass in memory, which show what they are told to, reading after reading, and count what they cost."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from controller.errors import CallError
from controller.model import DeleteRecord, DnsRecord, Instance, Meeting, RecordChange, RowWrite, Zone
from controller.ports import Context, Listing, Readers, Writers
from controller.runtime.budget import Budget
from controller.settings import Settings
from tests.support.build import NOW, TARGET, answer_to, settings


class StillClock:
    """Time that passes by sleeping alone."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


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
    records: Iterable[DnsRecord] = ()
    rows: Iterable[Meeting] = ()
    clock: StillClock = field(default_factory=StillClock)
    seconds: float = 600
    calls: list[str] = field(default_factory=list)
    asked: list[set[str]] = field(default_factory=list)
    #: Each write with the second at which it came, as the changes' actions or the row's id.
    writes: list[tuple[float, str]] = field(default_factory=list)
    #: By the name of a reading in ``calls``: after how many of them the next one fails, and how.
    fails: dict[str, tuple[int, CallError]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.budget = Budget(self.clock, self.seconds)
        self.zone = {record.id: record for record in self.records}
        self.table = {row.id: row for row in self.rows}
        self._ec2 = 0

    def its(self, using: Settings | None = None, *, writes: bool = True) -> Context:
        """A pass over these clouds."""
        writers = Writers(_RowWriter(self), _RecordWriter(self)) if writes else None
        readers = Readers(_Fleet(self), _Table(self), _Records(self))
        return Context(using or settings(), TARGET, readers, writers, self.budget)

    def ec2(self, call: str, fits: Callable[[Instance], bool]) -> list[Instance]:
        """One reading of EC2."""
        self.read("ec2", call)
        self._ec2 += 1
        return [machine for machine in self.shows(self._ec2, self.clock.monotonic()) if fits(machine)]

    def read(self, service: str, call: str) -> None:
        """Count a reading, which may fail."""
        with self.budget.calling(service, call):
            self.calls.append(call)
            good, error = self.fails.get(call, (0, None))
            if error and self.calls.count(call) > good:
                raise error

    def wrote(self, what: str) -> None:
        """Note a write."""
        self.writes.append((self.clock.monotonic(), what))


@dataclass(frozen=True, slots=True)
class _Fleet:
    clouds: Clouds

    def tagged(self) -> list[Instance]:
        return self.clouds.ec2("tagged", lambda machine: machine.tagged)

    def by_id(self, ids: Collection[str]) -> list[Instance]:
        if not ids:
            return []
        self.clouds.asked.append(set(ids))
        return self.clouds.ec2("by_id", lambda machine: machine.id in ids)

    def of_meetings(self, meetings: Collection[str]) -> list[Instance]:
        return self.clouds.ec2("of_meetings", lambda machine: machine.meeting in meetings)


@dataclass(frozen=True, slots=True)
class _Table:
    clouds: Clouds

    def live(self) -> list[Meeting]:
        self.clouds.read("dynamodb", "live")
        return [row for row in self.clouds.table.values() if row.status != "TERMINATED"]

    def rows(self, ids: Collection[str]) -> list[Meeting]:
        self.clouds.read("dynamodb", "rows")
        return [row for row in self.clouds.table.values() if row.id in ids]


@dataclass(frozen=True, slots=True)
class _Records:
    clouds: Clouds

    def listing(self, instances: Collection[str] | None = None) -> Listing:
        self.clouds.read("cloudflare", "listing")
        zone = self.clouds.zone.values()
        return Listing(tuple(r for r in zone if instances is None or r.instance in instances))

    def zone(self) -> Zone:
        self.clouds.read("cloudflare", "zone")
        return Zone("example.com")


@dataclass(frozen=True, slots=True)
class _RowWriter:
    """Takes what it is given: how rows move on is the tests' of ``tests/unit/apply``."""

    clouds: Clouds

    def write(self, meeting: str, change: RowWrite) -> None:
        self.clouds.wrote(meeting)


@dataclass(frozen=True, slots=True)
class _RecordWriter:
    clouds: Clouds

    def write(self, changes: Sequence[RecordChange]) -> list[DnsRecord]:
        answers = []
        for change in changes:
            assert change.instance
            self.clouds.wrote(f"{change.action} {change.instance}")
            if isinstance(change, DeleteRecord):
                answers.append(self.clouds.zone.pop(change.id))
                continue
            answer = answer_to(change, created=self.clouds.clock.now())
            self.clouds.zone[answer.id] = answer
            answers.append(answer)
        return answers

    def remove(self, ids: Sequence[str]) -> None:
        raise AssertionError("nothing lands at a wrong name here")

    def strays(self, name: str) -> list[DnsRecord]:
        raise AssertionError("nothing lands at a wrong name here")
