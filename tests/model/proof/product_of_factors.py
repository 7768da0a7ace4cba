"""A family of small worlds is the whole product of a few factors, numbered, so that any world is found again.

What a factor leaves out, and why that loses nothing, is said where the factor is.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from math import prod

from controller.errors import RefusedError
from controller.model import DnsRecord, Instance
from controller.settings import Settings
from tests.model.proof.machines import Body
from tests.model.proof.names import Name
from tests.model.proof.rows import Shape
from tests.model.properties.random_worlds import settings_with
from tests.support import zone
from tests.support.clock import START
from tests.support.state import Case, State

#: The owner id names the place, so that absence is believed.
SETTINGS = settings_with()


@dataclass(frozen=True, slots=True)
class Family:
    """A product of factors, and the world that one value of each makes."""

    name: str
    factors: tuple[Sequence[object], ...]
    build: Callable[..., Case | None]
    scopes: tuple[tuple[str, ...], ...] = ()  # of passes besides those for one machine each

    def __len__(self) -> int:
        return prod(map(len, self.factors))

    def __getitem__(self, number: int) -> Case | None:
        """The world of this number; None where Cloudflare would not have it, or a like one is in the family."""
        chosen = []
        for factor in reversed(self.factors):
            number, place = divmod(number, len(factor))
            chosen.append(factor[place])
        return self.build(*reversed(chosen))

    def parts(self, count: int) -> list[range]:
        """All numbers, in this many parts."""
        edges = [len(self) * part // count for part in range(count + 1)]
        return [range(*pair) for pair in pairwise(edges)]


@dataclass(frozen=True, slots=True)
class Place:
    """One machine's part of a world."""

    instance: str
    body: Body | None
    name: Name
    meeting: str = "m"
    role: str = "teacher"
    earlier: timedelta = timedelta(0)  # than its like

    def machine(self) -> Instance | None:
        """The machine itself; None: EC2 does not know it."""
        if self.body is None:
            return None
        there = self.body.at(self.instance, self.meeting, self.role)
        return replace(there, launched_at=(there.launched_at or START) - self.earlier)


def world(places: Sequence[Place], rows: Mapping[str, Shape | None], settings: Settings = SETTINGS) -> Case | None:
    """The world of these places, or None where Cloudflare would not have such records."""
    records: dict[str, DnsRecord] = {}
    for place in places:
        for record in place.name.records(place.instance, place.body):
            with suppress(RefusedError):
                zone.put(records, record)
            if record.id not in records:
                return None
    machines = {machine.id: machine for place in places if (machine := place.machine())}
    table = {key: shape.row() for key, shape in rows.items() if shape}
    return Case(State(START, machines, records, table), settings)
