"""Views that lie: what a deployment's readers show of a true world, by a declared description of lies.

========================  ===========================================================================================
what lies                 how
========================  ===========================================================================================
EC2, after a launch       leaves a machine out of its listings, or does not know it at all, for up to ten minutes;
                          shows it ``running`` without an address
EC2, at any time          a reading, or several in a row, without addresses, in the state before, or with gaps;
                          minutes without an address
EC2, after an end         has forgotten the machine after about an hour (no lie: nobody can know it any more)
Cloudflare                a listing as it was up to a minute ago
DynamoDB                  a scan as it was some seconds ago (reads by key are consistent)
EventBridge               loses, delays and repeats events
the controller            is not there for hours
========================  ===========================================================================================

Every choice follows the seed and the thing that is lied about, and lapses the number of the reading, so the same
world is lied about in the same way whatever is done in it. What the world around really does (a tag policy, another
deployment, odd rows) is not a lie: the simulation of a world does that.
"""

import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Protocol

from controller.model import DnsRecord, Instance, Meeting, Zone
from controller.ports import Fleet, Listing, Readers, Records, Table


@dataclass(frozen=True, slots=True)
class Span:
    """Something that happens to a share of things, and lasts for up to so many seconds."""

    share: float = 0.0
    up_to: float = 0.0

    def of(self, seed: int, what: str) -> float:
        """How long it lasts for this thing; mostly 0 where the share is small."""
        chance, length = _chances(seed, what)
        return self.up_to * length if chance < self.share else 0.0


NEVER = Span()


class Shows(StrEnum):
    """What a lapse shows instead of the truth."""

    NO_ADDRESS = "running without its address"
    BEFORE = "the state of some seconds ago"
    NOTHING = "no such machine"


@dataclass(frozen=True, slots=True)
class Lapse:
    """Now and then a reading is wrong about a share of its machines, and about these for so many readings in a row."""

    shows: Shows
    chance: float = 0.1  # of a reading
    share: float = 1.0  # of its machines
    in_a_row: int = 1
    seconds: float = 15.0  # how far back the state before may lie


@dataclass(frozen=True, slots=True)
class Lies:
    """The declared description of what one deployment is shown."""

    seed: int = 0
    unlisted: Span = NEVER  # after its launch a listing leaves a machine out, by id it is found
    unknown: Span = NEVER  # after its launch EC2 does not know it
    wavers: float = 0.0  # how often a reading shows, all the same, what is hidden after a launch
    no_address: Span = NEVER  # after its launch it is shown without its address
    blank: Span = NEVER  # some time in its first hour it is shown without its address
    lapses: tuple[Lapse, ...] = ()
    forgets_after: float = 3600.0
    stale_records: float = 0.0
    stale_rows: float = 0.0

    def hides(self, machine: Instance, now: datetime, number: int, *, listed: bool) -> bool:
        """Whether this reading leaves the machine out since it was launched lately."""
        age, what = _age(machine, now), f"{machine.id} {machine.launched_at}"
        if self.wavers and _chances(self.seed, f"wavers {number} {what}")[0] < self.wavers:
            return False
        is_unlisted = listed and age < self.unlisted.of(self.seed, f"unlisted {what}")
        return is_unlisted or age < self.unknown.of(self.seed, f"unknown {what}")

    def is_blank(self, machine: Instance, now: datetime) -> bool:
        """Whether a reading at this time shows the machine without its address."""
        age, what = _age(machine, now), f"{machine.id} {machine.launched_at}"
        begins = 3600 * _chances(self.seed, f"blank begins {what}")[0]
        lasts = self.blank.of(self.seed, f"blank {what}")
        return age < self.no_address.of(self.seed, f"no address {what}") or begins <= age < begins + lasts


HONEST = Lies()


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What becomes of events on their way."""

    seed: int = 0
    lost: float = 0.0
    late: Span = NEVER
    twice: float = 0.0

    def of(self, instance: str, state: str, at: datetime) -> list[datetime]:
        """When the event arrives: mostly once, after a second or two."""
        what = f"{instance} {state} {at}"
        if _chances(self.seed, f"lost {what}")[0] < self.lost:
            return []
        arrives = at + timedelta(seconds=1 + _chances(self.seed, what)[1] + self.late.of(self.seed, f"late {what}"))
        again, later = _chances(self.seed, f"twice {what}")
        return [arrives, *([arrives + timedelta(seconds=120 * later)] if again < self.twice else [])]


@dataclass(frozen=True, slots=True)
class Outages:
    """When a controller is not there: seconds after the beginning, and how many."""

    spans: tuple[tuple[float, float], ...] = ()

    def ends(self, elapsed: float) -> float | None:
        """When the outage that reigns now will be over; None where there is none."""
        return next((start + lasts for start, lasts in self.spans if start <= elapsed < start + lasts), None)


PROMPT = Deliveries()
ALWAYS_THERE = Outages()


class Past(Protocol):
    """What an honest answer would have been at an earlier time."""

    def instances(self, at: datetime) -> Mapping[str, Instance]:
        """Every instance that the place has."""

    def records(self, at: datetime) -> Sequence[DnsRecord]:
        """Every record at an instance's name."""

    def rows(self, at: datetime) -> Sequence[Meeting]:
        """What a scan would have brought."""


class Told(Protocol):
    """A listener for what a reading brought, and about which machines or names it lied."""

    def __call__(self, brought: Collection[str], lied: Collection[str]) -> None:
        """Hear of one reading."""


@dataclass(slots=True)
class View:
    """The readers of a true world, seen through lies."""

    true: Readers
    past: Past
    now: Callable[[], datetime]
    lies: Lies = HONEST
    told: Told = lambda brought, lied: None
    _readings: int = field(default=0, init=False)
    _lapsing: dict[tuple[Lapse, str], int] = field(default_factory=dict, init=False)  # readings left; below 0: rests

    def readers(self) -> Readers:
        """Readers that lie."""
        return Readers(_Fleet(self), _Table(self), _Records(self))

    def number(self) -> int:
        """The number of the next reading."""
        self._readings += 1
        return self._readings

    def machines(self, found: Iterable[Instance], *, listed: bool) -> list[Instance]:
        """What a reading of EC2 shows of these machines."""
        true = [machine for machine in found if not self._is_forgotten(machine)]
        number = self.number()
        shown = {m.id: m for machine in true if (m := self._shown(machine, number, listed=listed))}
        lied = {machine.id for machine in true if shown.get(machine.id) != machine}
        self.told(shown.keys(), lied)
        return list(shown.values())

    def _shown(self, machine: Instance, number: int, *, listed: bool) -> Instance | None:
        now = self.now()
        if self.lies.hides(machine, now, number, listed=listed):
            return None
        seen: Instance | None = _blank(machine) if self.lies.is_blank(machine, now) else machine
        for lapse in self.lies.lapses:
            if seen and self._is_lapsing(lapse, machine.id, number):
                seen = self._instead(lapse, seen, number)
        return seen

    def _is_lapsing(self, lapse: Lapse, instance: str, number: int) -> bool:
        """Whether this reading is wrong about the machine; after so many in a row the next one is right."""
        left = self._lapsing.get((lapse, instance), 0)
        if left == 0:
            begins = _chances(self.lies.seed, f"{lapse.shows} {number}")[0] < lapse.chance
            is_hit = begins and _chances(self.lies.seed, f"{lapse.shows} {number} {instance}")[0] < lapse.share
            left = lapse.in_a_row if is_hit else 0
        if left > 0:
            self._lapsing[lapse, instance] = left - 1 if left > 1 else -1
            return True
        self._lapsing[lapse, instance] = 0
        return False

    def _instead(self, lapse: Lapse, machine: Instance, number: int) -> Instance | None:
        match lapse.shows:
            case Shows.NO_ADDRESS:
                return _blank(machine)
            case Shows.NOTHING:
                return None
            case Shows.BEFORE:
                ago = lapse.seconds * _chances(self.lies.seed, f"ago {number} {machine.id}")[0]
                return self.past.instances(self.now() - timedelta(seconds=ago)).get(machine.id)

    def _is_forgotten(self, machine: Instance) -> bool:
        if machine.state != "terminated":
            return False
        then = self.past.instances(self.now() - timedelta(seconds=self.lies.forgets_after)).get(machine.id)
        return then is not None and then.state == "terminated"

    def ago(self, what: str, up_to: float) -> datetime:
        """The time that a stale answer is of."""
        return self.now() - timedelta(seconds=up_to * _chances(self.lies.seed, f"{what} {self.number()}")[0])


@dataclass(frozen=True, slots=True)
class _Fleet:
    """EC2 through the view."""

    view: View

    @property
    def true(self) -> Fleet:
        return self.view.true.fleet

    def tagged(self) -> list[Instance]:
        return self.view.machines(self.true.tagged(), listed=True)

    def by_id(self, ids: Collection[str]) -> list[Instance]:
        return self.view.machines(self.true.by_id(ids), listed=False)

    def of_meetings(self, meetings: Collection[str]) -> list[Instance]:
        return self.view.machines(self.true.of_meetings(meetings), listed=True)


@dataclass(frozen=True, slots=True)
class _Table:
    """DynamoDB through the view."""

    view: View

    @property
    def true(self) -> Table:
        return self.view.true.table

    def live(self) -> list[Meeting]:
        true = self.true.live()
        if not self.view.lies.stale_rows:
            return true
        return list(self.view.past.rows(self.view.ago("rows", self.view.lies.stale_rows)))

    def rows(self, ids: Collection[str]) -> list[Meeting]:
        return self.true.rows(ids)


@dataclass(frozen=True, slots=True)
class _Records:
    """Cloudflare through the view."""

    view: View

    @property
    def true(self) -> Records:
        return self.view.true.records

    def listing(self, instances: Collection[str] | None = None) -> Listing:
        true = self.true.listing(instances)
        if not self.view.lies.stale_records:
            return true
        then = self.view.past.records(self.view.ago("records", self.view.lies.stale_records))
        shown = tuple(r for r in then if instances is None or r.instance in instances)
        differing = {record.instance for record in {*shown} ^ {*true.records}}
        self.view.told((), differing)
        return replace(true, records=shown)

    def zone(self) -> Zone:
        return self.true.zone()


def _blank(machine: Instance) -> Instance:
    return replace(machine, public_ip=None)


def _age(machine: Instance, now: datetime) -> float:
    return (now - machine.launched_at).total_seconds() if machine.launched_at else float("inf")


@lru_cache(maxsize=100_000)
def _chances(seed: int, what: str) -> tuple[float, float]:
    """Two numbers from 0 to 1 that follow from the seed and the thing alone."""
    rng = random.Random(f"{seed} {what}")
    return rng.random(), rng.random()
