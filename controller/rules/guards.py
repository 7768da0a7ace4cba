"""The guard: what rests on absence waits where nothing shows that this is the right place to look.

What was *seen* (a machine stopping, gone, or with another address) is never held, be it one machine or a thousand.
A machine that EC2 does not show may also be one in another region or account; with an owner id that names the
place, records in another place are not ours, and nothing can be deleted by mistake.
"""

from collections.abc import Iterable
from dataclasses import replace

from controller.model import Change, Finding, Guard, Plan, World, WriteLink
from controller.rules.facts import Facts
from controller.rules.findings import in_order
from controller.settings import Settings

REMEDY = (
    "Check region, credentials and OWNER_ID first. If these machines are really gone, let it through once with --force "
    '(or an event with "force": true).'
)


def guard(plan: Plan, world: World, settings: Settings, *, force: bool) -> Plan:
    """The plan with what rests on absence held where absence is not believed; ``force`` lets it through once."""
    weak = [change for change in plan.changes if absent_evidence(change, world)]
    if force or not weak or settings.names_its_place or _sees_a_machine_of_ours(world, settings):
        return plan
    findings = tuple(_finding(change, world) for change in weak)
    changes = tuple(replace(c, guarded=True) if absent_evidence(c, world) else c for c in plan.changes)
    return Plan(
        changes, in_order((*plan.findings, *findings)), Guard(tripped=True, reason=_reason(weak, world, settings))
    )


def absent_evidence(change: Change, world: World) -> list[str]:
    """The absent machines on whose absence the change rests. A link that is written rests on its new machine."""
    if isinstance(change, WriteLink):
        return []
    return [instance for instance in change.evidence if instance in world.absent and instance not in world.instances]


def _sees_a_machine_of_ours(world: World, settings: Settings) -> bool:
    """Whether EC2 shows a machine that a record of ours names: then it is here that our machines are."""
    facts = Facts.of(world, settings)
    return any(instance in world.instances and facts.ours(instance) for instance in facts.records)


def _reason(weak: Iterable[Change], world: World, settings: Settings) -> str:
    machines = {instance for change in weak for instance in absent_evidence(change, world)}
    return (
        f"EC2 in {settings.place or 'this region'} does not know {len(machines)} of our machines, and shows none that "
        f"a record of ours names; OWNER_ID {settings.owner_id} does not begin with this account and region: this "
        f"may be the wrong place to look. {REMEDY}"
    )


def _finding(change: Change, world: World) -> Finding:
    return Finding(
        "guarded-change-held",
        change.key,
        f"{change.action} is held, since it rests on the absence of {', '.join(absent_evidence(change, world))}.",
        REMEDY,
    )
