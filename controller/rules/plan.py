"""Apply all rules: plan a world, and judge one change again."""

from controller.model import Action, Change, CreateRecord, EndMeeting, Meeting, Plan, RowChange, World, WriteLink
from controller.rules.facts import Facts, InstanceClass
from controller.rules.findings import find_all, in_order
from controller.rules.guards import absent_evidence
from controller.rules.meetings import plan_meeting
from controller.rules.quota import find_nearly_full
from controller.rules.records import NamePlan, Readiness, plan_name
from controller.rules.scope import restrict
from controller.settings import Settings

_ORDER = {action: place for place, action in enumerate(Action)}


def plan(world: World, settings: Settings) -> Plan:
    """Return the changes that the world needs: sorted, and the same for the same world."""
    facts = Facts.of(world, settings)
    names = _plan_names(facts)

    def readiness(instance: str) -> Readiness:
        return names[instance].readiness

    changes: list[Change] = [change for name in names.values() for change in name.changes]
    for meeting in world.meetings.values():
        changes += plan_meeting(facts, meeting, readiness)
    found = [*world.findings, *find_all(facts), *(f for name in names.values() for f in name.findings)]
    allowed = restrict(changes, world.scope)
    found += find_nearly_full(world, allowed)
    return Plan(tuple(sorted(allowed, key=sort_key)), in_order(found))


def at_stake(wanted: Plan) -> frozenset[str]:
    """Return the evidence of this plan: the machines that the second look describes again."""
    return frozenset(machine for change in wanted.changes if not change.guarded for machine in change.evidence)


def ending(wanted: Plan) -> frozenset[str]:
    """Return the meetings that this plan ends. The second look reads all machines with their tags."""
    return frozenset(c.meeting for c in wanted.changes if isinstance(c, EndMeeting) and not c.guarded)


def sort_key(change: Change) -> tuple[int | float | str, ...]:
    """Return the change's place: in the order of an apply, and records of older machines first."""
    launched = change.launched if isinstance(change, CreateRecord) else 0.0
    return (_ORDER[change.action], launched, *change.ident)


def reconsider(
    change: RowChange, meeting: Meeting | None, world: World, planned: World, settings: Settings
) -> RowChange | None:
    """Return the same change for a row that changed since, or None if the rules no longer want it.

    ``world`` holds the instances that the row names now, ``planned`` those that the change was planned on. The result
    never rests on more absence than before, and never links to a machine with an address that changed.
    """
    if meeting is None:
        return None
    if isinstance(change, WriteLink) and _address(world, change.instance) != _address(planned, change.instance):
        return None
    facts = Facts.of(world, settings)
    weak = set(absent_evidence(change, planned))
    for again in plan_meeting(facts, meeting, lambda instance: plan_name(facts, instance).readiness):
        is_same = (again.action, again.role, again.instance) == (change.action, change.role, change.instance)
        if is_same and weak.issuperset(absent_evidence(again, world)):
            return again
    return None


def _address(world: World, instance: str) -> str | None:
    machine = world.instances.get(instance)
    return machine.public_ip if machine else None


def _plan_names(facts: Facts) -> dict[str, NamePlan]:
    serving = {instance for instance, kind in facts.classes.items() if kind is InstanceClass.SERVING}
    return {instance: plan_name(facts, instance) for instance in sorted(serving | facts.records.keys())}
