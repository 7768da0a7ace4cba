"""Limit a scoped pass: what it reads, and what it may change.

It changes what is about its own instances and nothing else: their records, and links that lead, or should lead, to
them. It ends no meeting, because a machine can die and be launched again a minute later.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from controller.model import Change, Heard, Instance, World
from controller.settings import Settings

#: How long an event counts more than a reading that does not show it.
FRESH = timedelta(minutes=1)
_ENDED = ("shutting-down", "terminated")


def deserves_reading(instance: Instance | None) -> bool:
    """Return whether a pass reads records and rows for an event about this instance.

    A running machine without our tag is a stranger's, as most events are. The full pass handles a lost tag.
    """
    return instance is None or instance.tagged or instance.state not in ("pending", "running")


def meetings_of(world: World) -> frozenset[str]:
    """Return the meetings in the tags of the instances in scope."""
    machines = (world.instances.get(instance) for instance in world.scope or ())
    return frozenset(m.meeting for m in machines if m and m.meeting and m.meeting.strip())


def restrict(changes: Iterable[Change], scope: frozenset[str] | None) -> Iterable[Change]:
    """Return the changes that a pass over these instances may apply. A full pass may apply all."""
    return changes if scope is None else (change for change in changes if change.instance in scope)


def in_cells(scope: frozenset[str], homes: Mapping[str, str], settings: Settings) -> frozenset[str]:
    """Return the machines in scope without those of another place than the cells: nothing there is read or changed."""
    return frozenset(i for i in scope if homes.get(i) in (None, *settings.cells)) if settings.cells else scope


def behind(world: World, heard: Mapping[str, Heard], homes: Mapping[str, str]) -> frozenset[str]:
    """Return the machines in scope with a recent event that EC2's answer does not show yet.

    A pass does not ask again in a cell that it could not read, so it does not wait for that cell's machines.
    """
    in_scope = {i for i in heard.keys() & (world.scope or frozenset()) if homes.get(i) not in world.unread}
    return frozenset(i for i in in_scope if is_behind(world.instances.get(i), heard[i], world.now))


def is_behind(machine: Instance | None, heard: Heard, now: datetime) -> bool:
    """Return whether EC2's answer is behind the event. No wait for a machine without our tag: most are strangers'."""
    if now - heard.at >= FRESH or (machine and not machine.tagged):
        return False
    match heard.state:
        case "running":
            is_up = machine and machine.state == "running" and machine.public_ip
            return not (is_up or (machine and machine.state in _ENDED))
        case "stopping" | "stopped" | "shutting-down" | "terminated":
            return machine is not None and machine.state in ("pending", "running")
        case _:
            return False
