"""The guard: hold changes that rest on absence if nothing shows that this is the right place to look.

A change that rests on what was *seen* (a machine stopping, gone, or with another address) is never held, for one
machine or a thousand. A machine that EC2 does not show may be in another region or account. If the owner id names the
place, records of another place carry another mark, so nothing is deleted by mistake.
"""

from collections.abc import Iterable
from dataclasses import replace

from controller.model import Change, Finding, Guard, Plan, World, WriteLink
from controller.rules.facts import Facts
from controller.rules.findings import in_order
from controller.settings import Settings

REMEDY = (
    "Check region, credentials and OWNER_ID first. If these machines are really gone, release the changes once with "
    '--force (or an event with "force": true).'
)


def guard(plan: Plan, world: World, settings: Settings, *, force: bool) -> Plan:
    """Return the plan, with changes that rest on absence held if absence proves nothing here; ``force`` releases."""
    weak = [change for change in plan.changes if absent_evidence(change, world)]
    if force or not weak or settings.names_its_place or _sees_a_machine_of_ours(world, settings):
        return plan
    findings = tuple(_finding(change, world) for change in weak)
    changes = tuple(replace(c, guarded=True) if absent_evidence(c, world) else c for c in plan.changes)
    return Plan(
        changes, in_order((*plan.findings, *findings)), Guard(tripped=True, reason=_reason(weak, world, settings))
    )


def absent_evidence(change: Change, world: World) -> list[str]:
    """Return the absent machines on which the change rests. Writing a link rests on its new machine instead."""
    if isinstance(change, WriteLink):
        return []
    return [instance for instance in change.evidence if instance in world.absent and instance not in world.instances]


def _sees_a_machine_of_ours(world: World, settings: Settings) -> bool:
    """Return whether EC2 shows a machine that an own record names: then our machines are in this place."""
    facts = Facts.of(world, settings)
    return any(instance in world.instances and facts.ours(instance) for instance in facts.records)


def _reason(weak: Iterable[Change], world: World, settings: Settings) -> str:
    machines = {instance for change in weak for instance in absent_evidence(change, world)}
    return (
        f"EC2 in {settings.place or 'this region'} does not know {len(machines)} of our machines, and shows none that "
        f"an own record names. OWNER_ID {settings.owner_id} does not begin with this account and region, so this may "
        f"be the wrong place to look. {REMEDY}"
    )


def _finding(change: Change, world: World) -> Finding:
    return Finding(
        "guarded-change-held",
        change.key,
        f"The guard holds {change.action}: it rests on the absence of {', '.join(absent_evidence(change, world))}.",
        REMEDY,
    )
