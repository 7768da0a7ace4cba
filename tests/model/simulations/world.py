"""A true world in memory in which time passes: what is true, what happens when, and who changed what."""

import heapq
import random
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count

from controller.model import DnsRecord, Instance, Value
from tests.model.simulations.strands import Strand, running
from tests.support.clock import START, FakeClock
from tests.support.history import Event, Machine, Row, Step, Truth

#: A process: it does something, yields for how many seconds it waits, and goes on.
Process = Iterator[float]

#: Seconds from one scheduled pass to the next.
PERIOD = 300.0

Listener = Callable[[Machine], None]


@dataclass(slots=True)
class World:
    """The truth, its history, and what is still to happen."""

    seed: int
    clock: FakeClock = field(default_factory=FakeClock)
    truth: Truth = field(default_factory=lambda: Truth({}, {}, {}))
    history: list[Event] = field(default_factory=list)
    owners: dict[str, str] = field(default_factory=dict)  # the deployment of each meeting
    listeners: list[Listener] = field(default_factory=list)  # who hears of a machine's new state
    _due: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)
    _pasts: list[tuple[datetime, Truth]] = field(default_factory=list)
    _released: list[tuple[str, str]] = field(default_factory=list)

    def rng(self, *who: object) -> random.Random:
        """Chance for one actor, whatever the others do."""
        return random.Random(f"{self.seed} {who}")

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return (self.now - START).total_seconds()

    # Time

    def at(self, when: datetime, do: Callable[[], None]) -> None:
        """Something is to happen then."""
        heapq.heappush(self._due, (when, next(self._numbers), do))

    def to_tick(self, rng: random.Random, early: float, late: float) -> float:
        """Seconds until somewhere between ``early`` and ``late`` after a scheduled pass (below 0: before one)."""
        at = rng.uniform(early, late)
        return (at - self.elapsed) % PERIOD

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        self.at(self.now + timedelta(seconds=seconds), do)

    def spawn(self, process: Process, after: float = 0.0) -> None:
        """Let a process run."""

        def go_on() -> None:
            seconds = next(process, None)
            if seconds is not None:
                self.later(seconds, go_on)

        self.later(after, go_on)

    def begin(self, action: Callable[[], None]) -> Strand:
        """Begin something that takes its time, and may ``wait``."""
        strand = Strand(action)
        strand.begin()
        return strand

    def wait(self, seconds: float) -> None:
        """Let time pass for the strand that runs, and everything else happen; what is another strand's is its turn."""
        me = running()
        self.later(seconds, me.go_on)
        while (due := _strand_of(self._due[0][2])) is not me:
            if due:
                me.give_way()
                return
            self._step()
        self._take()

    def run(self, until: datetime) -> None:
        """Let time pass."""
        while self._due and self._due[0][0] <= until:
            self._step()
        self.clock.sleep((until - self.now).total_seconds())

    def _step(self) -> None:
        """Let the next thing happen."""
        self._take()()

    def _take(self) -> Callable[[], None]:
        when, _, do = heapq.heappop(self._due)
        self.clock.sleep((when - self.now).total_seconds())
        return do

    def stop(self) -> None:
        """The world stops changing; what takes its time comes to its end."""
        self._due = [each for each in self._due if _strand_of(each[2])]
        heapq.heapify(self._due)
        while self._due:
            self.run(self._due[0][0])

    # Truth

    def change(self, by: str, after: Truth, began: datetime | None = None, *, is_scoped: bool = False) -> None:
        """Somebody changes the world."""
        self.history.append(Step(self.now, by, self.truth, after, began, is_scoped))
        self.truth = after
        self._pasts.append((self.now, after))

    def past(self, at: datetime) -> Truth:
        """What was true then."""
        place = bisect_right(self._pasts, at, key=lambda each: each[0])
        return self._pasts[max(0, place - 1)][1]

    def write_row(self, by: str, meeting: str, values: Mapping[str, Value]) -> None:
        """Another function writes these attributes; None removes one."""
        row = {**self.truth.rows.get(meeting, {}), **values}
        kept: Row = {name: value for name, value in row.items() if value is not None}
        self.change(by, replace(self.truth, rows={**self.truth.rows, meeting: kept}))

    def write_records(self, by: str, root: str, records: Mapping[str, DnsRecord]) -> None:
        """The zone is like that now."""
        self.change(by, replace(self.truth, zones={**self.truth.zones, root: records}))

    def set_machine(self, by: str, machine: Machine) -> None:
        """The machine is like that now; who listens hears of a new state."""
        before = self.truth.machines.get(machine.instance.id)
        self.change(by, replace(self.truth, machines={**self.truth.machines, machine.instance.id: machine}))
        if before is None or before.instance.state != machine.instance.state:
            for listener in self.listeners:
                listener(machine)

    def set_instance(self, by: str, instance: str, **values: object) -> Machine:
        """EC2's part of a machine changes."""
        was = self.truth.machines[instance]
        now = replace(was.instance, **values)  # type: ignore[arg-type]  # a mapping of several types
        is_news = _what_matters(was.instance) != _what_matters(now)
        machine = replace(was, instance=now, changed_at=self.now if is_news else was.changed_at)
        self.set_machine(by, machine)
        return machine

    def new_address(self, rng: random.Random, instance: str) -> str:
        """An address from EC2's pool: often one that another machine has just given back."""
        others = [pair for pair in self._released if pair[0] != instance]
        if others and rng.random() < 0.5:
            given = rng.choice(others)
            self._released.remove(given)
            return given[1]
        number = next(self._numbers)
        return f"52.{number // 62_500 % 250}.{number // 250 % 250}.{number % 250 + 1}"

    def release(self, instance: str) -> None:
        """The machine gives its address back."""
        if address := self.truth.address(instance):
            self._released.append((instance, address))

    def new_number(self) -> int:
        return next(self._numbers)


def _strand_of(do: Callable[[], None]) -> Strand | None:
    """The strand that goes on by this."""
    owner = getattr(do, "__self__", None)
    return owner if isinstance(owner, Strand) else None


def _what_matters(instance: Instance) -> tuple[object, ...]:
    """Not whether what ends has ended."""
    kind = {"terminated": "shutting-down", "stopped": "stopping"}.get(instance.state, instance.state)
    return kind, instance.public_ip, instance.tagged, instance.meeting, instance.role, instance.launched_at
