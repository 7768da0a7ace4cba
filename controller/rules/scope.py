"""A scoped pass: what it may change, and what it must still look up before it decides.

It may change exactly its instances' records, their roles' links, and the end of their meetings. For these it plans
what the full pass would plan, save guarded changes, and save a link to a machine outside the scope whose record is
not in place yet.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from controller.model import LIVE_STATUSES, RECORD_ACTIONS, TERMINATED, Action, Change, Instance, Meeting, World
from controller.rules.facts import Facts, linked_ids
from controller.rules.meetings import Standings, current_of, members_of
from controller.rules.records import Standing, plan_name
from controller.settings import Settings


@dataclass(frozen=True, slots=True)
class Missing:
    """What a decision needs and the world does not say yet: instances by id, and records at instances' names."""

    instances: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.instances or self.names)


def deserves_reading(instance: Instance | None) -> bool:
    """Whether an event about this instance is worth a look at records and rows.

    A running machine without our tag is a stranger's, and most events are; a lost tag is the full pass's business.
    """
    return instance is None or instance.tagged or instance.state not in ("pending", "running")


def meetings_of(world: World) -> frozenset[str]:
    """The meetings that the instances in scope carry."""
    machines = (world.instances.get(instance) for instance in world.scope or ())
    return frozenset(m.meeting for m in machines if m and m.tagged and m.meeting and m.meeting.strip())


def missing(world: World, settings: Settings) -> Missing:
    """What must still be looked up; nothing for the ordinary start of a machine."""
    if world.scope is None:
        return Missing()
    facts = Facts.of(world, settings)
    unknown, names = set[str](), set(world.absent - world.named)
    for meeting in world.meetings.values():
        if meeting.status != TERMINATED:
            unknown |= _unknown(facts, meeting)
            names |= _unread_currents(facts, meeting)
    return Missing(frozenset(unknown), frozenset(names))


def _unknown(facts: Facts, meeting: Meeting) -> set[str]:
    """Ids that the row names and that decide something: a link without a current machine, or the meeting's end."""
    known = facts.world.instances.keys() | facts.world.absent
    members = members_of(facts, meeting)
    if meeting.status in LIVE_STATUSES and not any(facts.is_alive(member) for member in members):
        return (members | linked_ids(meeting, facts.settings)) - known
    links = {role: facts.link_target(meeting.links.get(role)) for role in _roles_in_scope(facts, meeting.id)}
    return {target for role, target in links.items() if target and _is_judged(facts, meeting, role)} - known


def _is_judged(facts: Facts, meeting: Meeting, role: str) -> bool:
    """Whether the role's link is judged by its own machine, since no right one is written over it, or may not be."""
    current = current_of(facts, meeting, role)
    if current is None:
        return True
    name = plan_name(facts, current.id)
    return bool(name.changes) or name.standing is not Standing.IN_PLACE


def _unread_currents(facts: Facts, meeting: Meeting) -> set[str]:
    """Current machines outside the scope whose records decide whether a role in scope gets its link."""
    currents = (current_of(facts, meeting, role) for role in _roles_in_scope(facts, meeting.id))
    return {machine.id for machine in currents if machine and not facts.world.has_names_of(machine.id)}


def restrict(facts: Facts, changes: Iterable[Change], standing: Standings) -> Iterable[Change]:
    """The changes that a scoped pass may make; all of them in a full pass."""
    scope = facts.world.scope
    return changes if scope is None else _restricted(facts, scope, changes, standing)


def _restricted(
    facts: Facts, scope: frozenset[str], changes: Iterable[Change], standing: Standings
) -> Iterable[Change]:
    for change in changes:
        if _allowed(facts, scope, change, standing):
            yield replace(change, instead=tuple(_restricted(facts, scope, change.instead, standing)))


def _allowed(facts: Facts, scope: frozenset[str], change: Change, standing: Standings) -> bool:
    if change.action in RECORD_ACTIONS:
        return change.instance in scope
    meeting = change.meeting or ""
    if change.action is Action.TERMINATE_MEETING:
        return meeting in meetings_of(facts.world)
    if change.role not in _roles_in_scope(facts, meeting):
        return False
    if change.action is Action.CLEAR_LINK or change.instance in scope:
        return True
    return change.instance is not None and standing(change.instance) is Standing.IN_PLACE


def _roles_in_scope(facts: Facts, meeting: str) -> set[str]:
    """The roles of this meeting that instances in scope carry."""
    machines = (machine for machine in facts.members.get(meeting, ()) if machine.id in (facts.world.scope or ()))
    return {machine.role for machine in machines if machine.role in facts.settings.roles}
