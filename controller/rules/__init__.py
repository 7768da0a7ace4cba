"""The pure heart: ``plan(world, settings)`` says what must be done; ``guard`` says what must wait.

Nothing here does I/O, knows the time, or knows which event woke the controller.

* ``facts.py``     the class of each instance, and what it is evidence for
* ``ownership.py`` whose a record is
* ``records.py``   what is wanted at each name
* ``meetings.py``  what is wanted in each row
* ``findings.py``  what people should know
* ``scope.py``     what a scoped pass may change
* ``guards.py``    what must not be done without a person

The evidence that something needs grows with what a mistake would cost: what leads to a stranger goes at sight, a
record goes when its machine has been absent for a while, and a meeting, whose end cannot be undone, a day late.
"""

from collections.abc import Iterable
from dataclasses import replace

from controller.model import Action, Change, Finding, Meeting, Plan, World
from controller.rules.facts import Class, Facts
from controller.rules.findings import find_all
from controller.rules.guards import absent_evidence
from controller.rules.guards import guard as _guard
from controller.rules.meetings import plan_meeting
from controller.rules.records import NamePlan, Standing, plan_name
from controller.rules.scope import restrict
from controller.settings import Settings

_ORDER = {action: place for place, action in enumerate(Action)}


def plan(world: World, settings: Settings) -> Plan:
    """What would make the world right: sorted, and the same for the same world."""
    facts = Facts.of(world, settings)
    names = _plan_names(facts)

    def standing(instance: str) -> Standing:
        return names[instance].standing

    changes = [change for name in names.values() for change in name.changes]
    for meeting in world.meetings.values():
        changes += plan_meeting(facts, meeting, standing)
    found = [*world.findings, *find_all(facts), *(f for name in names.values() for f in name.findings)]
    return _sorted(Plan(tuple(restrict(changes, world.scope)), tuple(found)))


def at_stake(wanted: Plan) -> frozenset[str]:
    """The machines by whose state, address or absence this plan takes something away: these are described again."""
    return frozenset(machine for change in wanted.changes if not change.held for machine in change.evidence)


def ending(wanted: Plan) -> frozenset[str]:
    """The meetings that this plan ends: whatever carries one of them is looked at, also where its tag is lost."""
    ends = (change for change in wanted.changes if change.action is Action.TERMINATE_MEETING and not change.held)
    return frozenset(change.key for change in ends)


def guard(unguarded: Plan, world: World, settings: Settings, *, force: bool) -> Plan:
    """The plan with what rests on absence held where this may be the wrong place; ``force`` lets it through once."""
    guarded = _guard(unguarded, world, settings, force=force)
    return unguarded if guarded is unguarded else _sorted(guarded)


def reconsider(
    change: Change, meeting: Meeting | None, world: World, planned: World, settings: Settings
) -> Change | None:
    """The same change for a row that has moved on, or None where the rules no longer want it.

    ``world`` holds the instances that the row names now, ``planned`` those that the change was planned on. It never
    comes back resting on more absence than before, nor with a link to a machine whose address has moved.
    """
    if meeting is None:
        return None
    if change.action is Action.WRITE_LINK and _address(world, change.instance) != _address(planned, change.instance):
        return None
    facts = Facts.of(world, settings)
    weak = set(absent_evidence(change, planned))
    for again in plan_meeting(facts, meeting, lambda instance: plan_name(facts, instance).standing):
        is_same = (again.action, again.role, again.instance) == (change.action, change.role, change.instance)
        if is_same and weak.issuperset(absent_evidence(again, world)):
            return again
    return None


def _address(world: World, instance: str | None) -> str | None:
    machine = world.instances.get(instance or "")
    return machine.public_ip if machine else None


def _plan_names(facts: Facts) -> dict[str, NamePlan]:
    serving = {instance for instance, kind in facts.classes.items() if kind is Class.SERVING}
    return {instance: plan_name(facts, instance) for instance in sorted(serving | facts.records.keys())}


def place(change: Change) -> tuple[int | float | str, ...]:
    """Where the change stands among others: in the order of doing, the oldest machine's record first."""
    return (_ORDER[change.action], change.order, *change.ident)


def _sorted(unsorted: Plan) -> Plan:
    changes = sorted(unsorted.changes, key=place)
    return replace(unsorted, changes=tuple(changes), findings=tuple(_unique(unsorted.findings)))


def _unique(findings: Iterable[Finding]) -> Iterable[Finding]:
    return sorted(set(findings), key=lambda finding: (finding.id, finding.key, finding.message))


__all__ = ["Plan", "at_stake", "ending", "guard", "place", "plan", "reconsider"]
