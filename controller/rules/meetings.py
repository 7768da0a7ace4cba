"""What is wanted in each meeting's row: links that work, no link that leads astray, and an end when all is over.

=============================================  ====================================================
situation                                      wanted
=============================================  ====================================================
a current machine, its record in place         the role's link; an early status → ``DNS_WRITTEN``
a current machine, its record blocked          nothing written; a link to another machine is judged
no current, the link's machine cannot serve    the link is removed
no current, the link's machine is starting     the link stays
a link of another shape                        only ever overwritten by a right one
every machine gone, the meeting live           links removed, ``TERMINATED``, in one write
``TERMINATED``                                 history: never written
=============================================  ====================================================
"""

from collections.abc import Callable, Iterable

from controller.model import (
    DNS_WRITTEN,
    EARLY_STATUSES,
    LIVE_STATUSES,
    TERMINATED,
    Action,
    Change,
    Condition,
    Instance,
    Meeting,
    RowWrite,
    Value,
)
from controller.names import link_to
from controller.rules.facts import Class, Facts, Gone, linked_ids, named_ids
from controller.rules.records import Standing

REASON_GONE = "INSTANCES_GONE"
#: Characters of a row's value that a report shows; a row may hold 400 KB of nonsense.
SHOWN = 200

_SETS_STATUS = ("status", DNS_WRITTEN)
_IS_EARLY = Condition("status", (*EARLY_STATUSES, DNS_WRITTEN))

#: Instance id → the standing of its record.
Standings = Callable[[str], Standing]


def plan_meeting(facts: Facts, meeting: Meeting, standing: Standings) -> tuple[Change, ...]:
    """The changes that this row needs."""
    if meeting.status == TERMINATED:
        return ()
    if over := _plan_end(facts, meeting):
        return (over,)
    changes = (_plan_link(facts, meeting, role, standing) for role in facts.settings.roles)
    return tuple(change for change in changes if change)


def current_of(facts: Facts, meeting: Meeting, role: str) -> Instance | None:
    """The machine that the role's link should lead to.

    The one that the row names, while it serves this meeting and role; else the newest that does. A replacement
    that is still starting displaces nobody.
    """
    serving = facts.serving.get((meeting.id, role), ())
    for machine in serving:
        if machine.id == meeting.instance_ids.get(role):
            return machine
    return max(serving, key=lambda machine: (_launch(machine), machine.id), default=None)


def members_of(facts: Facts, meeting: Meeting) -> set[str]:
    """The machines tagged with the meeting, of whatever role, and those that its row names. Links make no members."""
    return set(_each_member(facts, meeting))


def _each_member(facts: Facts, meeting: Meeting) -> Iterable[str]:
    yield from (machine.id for machine in facts.members.get(meeting.id, ()))
    yield from named_ids(meeting).values()


def _launch(machine: Instance) -> float:
    return machine.launched_at.timestamp() if machine.launched_at else 0.0


def _plan_link(facts: Facts, meeting: Meeting, role: str, standing: Standings) -> Change | None:
    current = current_of(facts, meeting, role)
    if current is None or standing(current.id) is Standing.BLOCKED:
        return _clear_link(facts, meeting, role)
    return _write_link(facts, meeting, role, current)


def _write_link(facts: Facts, meeting: Meeting, role: str, current: Instance) -> Change | None:
    wanted = link_to(current.id, facts.settings.domain_root, facts.settings.dcv_port)
    attribute, link = _link(role), meeting.links.get(role)
    early = meeting.status in EARLY_STATUSES
    if link == wanted and not early:
        return None
    fallback = _clear_link(facts, meeting, role) if link else None
    old, new = (attribute, _shown(link)), (attribute, wanted)
    sets = (new, _SETS_STATUS) if early else (new,)
    return Change(
        action=Action.WRITE_LINK,
        key=meeting.id,
        instance=current.id,
        meeting=meeting.id,
        role=role,
        before=(old, ("status", _shown(meeting.status))) if early else (old,),
        after=sets,
        reason=f"the {role}'s machine is running and its record is in place",
        rule="link-current" if link != wanted else "status-early",
        row=RowWrite(
            sets=sets,
            conditions=(
                Condition(_named(role), (meeting.instance_ids.get(role),)),
                _IS_EARLY if early else Condition("status", (meeting.status,)),
            ),
        ),
        instead=(fallback,) if fallback else (),
    )


def _clear_link(facts: Facts, meeting: Meeting, role: str) -> Change | None:
    """The removal of the role's link, if it leads to a machine that cannot serve this role (so never to current)."""
    link = meeting.links.get(role)
    target = facts.link_target(link)
    if target is None:
        return None
    verdict = _verdict(facts, meeting, role, target)
    if verdict is None:
        return None
    rule, reason, concluded = verdict
    return Change(
        action=Action.CLEAR_LINK,
        key=meeting.id,
        instance=target,
        meeting=meeting.id,
        role=role,
        before=((_link(role), _shown(link)),),
        after=((_link(role), None),),
        reason=reason,
        rule=rule,
        row=RowWrite(
            removes=(_link(role),),
            conditions=(Condition(_link(role), (link,)), Condition("status", (TERMINATED,), negated=True)),
        ),
        concluded=(target,) if concluded else (),
    )


def _verdict(facts: Facts, meeting: Meeting, role: str, target: str) -> tuple[str, str, bool] | None:
    """Why a link to this machine must go (rule, reason, whether that is only concluded), or None where it stays."""
    match facts.class_of(target):
        case Class.GONE | Class.STOPPED:
            return "link-dead", f"the link leads to a machine that is {facts.world.instances[target].state}", False
        case Class.ABSENT if facts.gone_for(meeting, target) is Gone.CONCLUDED:
            return "link-absent", "the link leads to a machine that EC2 does not know", True
        case Class.UNTAGGED | Class.UNCLAIMED:
            return "link-unclaimed", "the link leads to a machine that no longer belongs to a meeting", True
        case Class.STARTING | Class.SERVING:
            machine = facts.world.instances[target]
            if (machine.meeting, machine.role) != (meeting.id, role):
                return "link-astray", "the link leads to the machine of another meeting or role", False
    return None


def _plan_end(facts: Facts, meeting: Meeting) -> Change | None:
    """The end of a live meeting whose machines are all gone."""
    if meeting.status not in LIVE_STATUSES:
        return None
    if any(facts.gone_for(meeting, member) is Gone.NO for member in _each_member(facts, meeting)):
        return None
    # Links make no members, but a machine that EC2 may only not know yet must not lose its users either.
    linked = linked_ids(meeting, facts.settings)
    unseen = {machine for machine in linked if facts.class_of(machine) in (Class.ABSENT, Class.UNKNOWN)}
    if any(facts.gone_for(meeting, machine) is Gone.NO for machine in unseen):
        return None
    members = sorted(members_of(facts, meeting))
    if not members or _may_still_launch(facts, meeting, members):
        return None
    dead_links = {role: link for role, link in meeting.links.items() if facts.link_target(link)}
    reasons = (("termination_reason", REASON_GONE),) if meeting.termination_reason is None else ()
    links = [change for role in dead_links if (change := _clear_link(facts, meeting, role))]
    guarded = {machine for machine in members if facts.gone_for(meeting, machine) is Gone.CONCLUDED}
    # A link to a machine that lives, but has lost its tag, goes with the end: so that rests on the lost tag as well.
    guarded |= {machine for change in links for machine in change.concluded}
    return Change(
        action=Action.TERMINATE_MEETING,
        key=meeting.id,
        instance=None,
        meeting=meeting.id,
        role=None,
        before=(("status", meeting.status), *((_link(role), _shown(link)) for role, link in dead_links.items())),
        after=(("status", TERMINATED), *reasons, *((_link(role), None) for role in dead_links)),
        reason=f"all its machines are gone: {', '.join(members)}",
        rule="meeting-over",
        row=RowWrite(
            sets=(("status", TERMINATED),),
            defaults=reasons,
            removes=tuple(_link(role) for role in dead_links),
            conditions=(Condition("status", (meeting.status,)), *_row_as_seen(facts, meeting)),
        ),
        concluded=tuple(sorted(guarded)),
        # A held end does not hold the removal of links to machines that were seen gone.
        instead=tuple(change for change in links if not change.concluded) if guarded else (),
    )


def _may_still_launch(facts: Facts, meeting: Meeting, members: Iterable[str]) -> bool:
    """Whether the launcher may be at work: a young machine, and a role that has not had one yet."""
    seen = [facts.world.instances[member] for member in members if member in facts.world.instances]
    had = {machine.role for machine in facts.members.get(meeting.id, ())} | set(named_ids(meeting))
    is_young = any(not facts.is_old(machine.launched_at) for machine in seen)
    return is_young and not had.issuperset(facts.settings.roles)


def _row_as_seen(facts: Facts, meeting: Meeting) -> Iterable[Condition]:
    for role in facts.settings.roles:
        yield Condition(_named(role), (meeting.instance_ids.get(role),))
        yield Condition(_link(role), (meeting.links.get(role),))


def _link(role: str) -> str:
    return f"{role}_ec2_link"


def _named(role: str) -> str:
    return f"{role}_ec2_id"


def _shown(value: Value) -> str | None:
    return None if value is None else str(value)[:SHOWN]
