"""A scoped pass: what is worth a look, and what it may change.

It changes what is about its own instances and nothing else: their records, and links that lead, or are to lead, to
them. It ends no meeting, since a machine can die and be launched anew a minute later.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from controller.model import Change, Heard, Instance, World

#: How long an event says more than a reading that does not show it.
FRESH = timedelta(minutes=1)
_ENDED = ("shutting-down", "terminated")


def deserves_reading(instance: Instance | None) -> bool:
    """Whether an event about this instance is worth a look at records and rows.

    A running machine without our tag is a stranger's, and most events are; a lost tag is the full pass's business.
    """
    return instance is None or instance.tagged or instance.state not in ("pending", "running")


def meetings_of(world: World) -> frozenset[str]:
    """The meetings that the instances in scope carry."""
    machines = (world.instances.get(instance) for instance in world.scope or ())
    return frozenset(m.meeting for m in machines if m and m.meeting and m.meeting.strip())


def restrict(changes: Iterable[Change], scope: frozenset[str] | None) -> Iterable[Change]:
    """The changes that a pass over these instances may make; all of them in a full pass."""
    return changes if scope is None else (change for change in changes if change.instance in scope)


def behind(world: World, heard: Mapping[str, Heard]) -> frozenset[str]:
    """The machines in scope of which EC2 does not show yet what was heard of them a moment ago."""
    in_scope = heard.keys() & (world.scope or frozenset())
    return frozenset(i for i in in_scope if is_behind(world.instances.get(i), heard[i], world.now))


def is_behind(machine: Instance | None, heard: Heard, now: datetime) -> bool:
    """Whether EC2's answer is behind the event. A machine without our tag is not waited for: most are strangers'."""
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
