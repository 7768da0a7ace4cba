"""One world in four scenes, as values: what EC2 and DynamoDB hold, and what stands in the zone."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Literal, get_args

from controller.model import DnsRecord, Instance, Meeting, World
from tests.support.build import ELSEWHERE, MARK, OLD, link, machine, name, record, row, world

Scene = Literal["creates", "no-op", "updates", "deletes"]
SCENES: tuple[Scene, ...] = get_args(Scene)
ROLES = ("teacher", "student")
#: Room for two million machines, in a part of what EC2 gives in us-west-2.
NETWORK = IPv4Network("44.224.0.0/11")


@dataclass(frozen=True, slots=True)
class Seed:
    """A record that stands in the zone beforehand."""

    instance: str
    content: str
    comment: str


def ids(count: int) -> list[str]:
    """The machines' ids."""
    return [f"i-{number:017x}" for number in range(1, count + 1)]


def address(number: int) -> str:
    """A machine's public address."""
    return str(NETWORK[number + 1])


def comment(number: int) -> str:
    """What stands at a machine's record."""
    return f"{MARK} {ROLES[number % 2]} of m{number // 2}"


def machines(count: int, scene: Scene) -> list[Instance]:
    """Two machines for each meeting. Where records are to be deleted they were seen to end."""
    ended = scene == "deletes"
    return [
        machine(
            instance,
            "terminated" if ended else "running",
            ip=None if ended else address(number),
            meeting=f"m{number // 2}",
            role=ROLES[number % 2],
        )
        for number, instance in enumerate(ids(count))
    ]


def seeds(count: int, scene: Scene) -> Iterator[Seed]:
    """The zone's records beforehand."""
    if scene == "creates":
        return
    for number, instance in enumerate(ids(count)):
        yield Seed(instance, ELSEWHERE if scene == "updates" else address(number), comment(number))


def rows(count: int, scene: Scene) -> list[Meeting]:
    """The meetings: just launched where records are to be created, else with links and warm desktops."""
    named = ids(count)
    found = []
    for number in range(0, count, 2):
        roles = dict(zip(ROLES, named[number : number + 2], strict=False))
        links = {} if scene == "creates" else {role: link(instance) for role, instance in roles.items()}
        found.append(row(f"m{number // 2}", "HEALTHY" if links else "LAUNCHED", ids=roles, links=links))
    return found


def records(count: int, scene: Scene) -> list[DnsRecord]:
    """The zone's records as they are read."""
    return [
        record(seed.instance, seed.content, id=f"r{number}", comment=seed.comment, created=OLD)
        for number, seed in enumerate(seeds(count, scene))
    ]


def observed(count: int, scene: Scene) -> World:
    """All of it, as one observation."""
    return world(machines(count, scene), records(count, scene), rows(count, scene))


def wanted(count: int, scene: Scene) -> Iterator[Seed]:
    """What must stand in the zone afterwards."""
    for number, instance in enumerate(() if scene == "deletes" else ids(count)):
        yield Seed(instance, address(number), comment(number))


__all__ = ["SCENES", "Scene", "Seed", "address", "ids", "machines", "name", "observed", "rows", "seeds", "wanted"]
