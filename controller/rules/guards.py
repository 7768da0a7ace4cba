"""Guards: what rests on absence or on a lost tag must not empty a zone or end every meeting.

What was *seen* (a machine stopping, gone, or without the address) is never held, be it one machine or a thousand.
What was *concluded* is counted in distinct machines, and held altogether where there are too many: a lost tag
policy, a wrong region or wrong credentials look just like that.
"""

from collections.abc import Iterable
from dataclasses import replace

from controller.model import TERMINATED, Change, Finding, Guard, Plan, World
from controller.rules.facts import Facts, linked_ids, named_ids
from controller.settings import Settings

REMEDY = (
    "Check tags, region and credentials first. If these machines are really gone, let it through once with --force "
    '(or an event with "force": true).'
)


def guard(plan: Plan, world: World, settings: Settings, *, force: bool) -> Plan:
    """The plan with its guarded changes held where they must be.

    What would only go instead of another change trips nothing by itself: it is held where it might be one too many.
    """
    concluded = _concluded(plan.changes)
    perhaps = concluded | _concluded(other for change in plan.changes for other in change.instead)
    if force or not perhaps:
        return plan
    if world.scope is not None:
        return _hold(plan, world, Guard())
    reason = _reason(world, settings, len(concluded)) if concluded else None
    if reason:
        return _hold(plan, world, Guard(tripped=True, reason=f"{reason} {REMEDY}"))
    is_safe = _reason(world, settings, len(perhaps)) is None
    return plan if is_safe else replace(plan, changes=tuple(map(_with_held_fallbacks, plan.changes)))


def _concluded(changes: Iterable[Change]) -> set[str]:
    return {instance for change in changes for instance in change.concluded}


def _reason(world: World, settings: Settings, concluded: int) -> str | None:
    if world.listed == 0:
        tag = "=".join(settings.project_tag)
        return (
            f"EC2 lists no instance with the tag {tag} in this region, so {concluded} machines that seem to be missing "
            "or untagged prove nothing."
        )
    population = len(_population(world, settings))
    share = settings.max_guarded_delete_percent * population / 100
    if concluded <= max(settings.max_guarded_deletes, share):
        return None
    return (
        f"{concluded} of {population} known machines seem to have vanished or lost their tag; more than "
        f"MAX_GUARDED_DELETES={settings.max_guarded_deletes} and "
        f"MAX_GUARDED_DELETE_PERCENT={settings.max_guarded_delete_percent} let through."
    )


def _population(world: World, settings: Settings) -> set[str]:
    """The distinct machines that our records, and the rows that are not history, name."""
    facts = Facts.of(world, settings)
    named = {instance for instance in facts.records if facts.ours(instance)}
    for meeting in world.meetings.values():
        if meeting.status != TERMINATED:
            named |= linked_ids(meeting, settings) | set(named_ids(meeting).values())
    return named


def held_findings(change: Change, world: World) -> Iterable[Finding]:
    """What a person should know of a change that is held: by which machines, and what would let it through."""
    hint = REMEDY if world.scope is None else "A scoped pass leaves what rests on absence to the full pass."
    return (_finding(change, instance, hint) for instance in change.concluded)


def _hold(plan: Plan, world: World, verdict: Guard) -> Plan:
    findings = {finding for change in plan.changes for finding in held_findings(change, world)}
    return Plan(tuple(_held(plan.changes)), (*plan.findings, *findings), verdict)


def _held(changes: Iterable[Change]) -> Iterable[Change]:
    for change in changes:
        if change.concluded:
            yield replace(change, held=True, instead=())
            yield from change.instead
        else:
            yield _with_held_fallbacks(change)


def _with_held_fallbacks(change: Change) -> Change:
    """The change, with what would go instead of it held where that rests on absence or a lost tag."""
    others = (replace(other, held=bool(other.concluded)) for other in change.instead)
    return replace(change, instead=tuple(others))


def _finding(change: Change, instance: str, hint: str) -> Finding:
    return Finding(
        "guarded-change-held",
        instance,
        f"A change that rests on this machine's absence or lost tag is held: {change.action} {change.key}.",
        hint,
    )
