"""Plan each meeting's row: write links that work, remove links that lead astray, and end meetings that are over.

=============================================  ====================================================
situation                                      the pass
=============================================  ====================================================
a current machine, its name leads to it        writes the role's link; an early status → ``DNS_WRITTEN``
…by this pass, and the old link is dead        removes the dead link first, as a change of its own
a current machine, its name blocked            writes nothing; judges a link to another machine
no current machine                             judges the link by its machine
a link of another form                         only overwrites it with a right one
full pass: every machine gone, meeting live    removes the links and sets ``TERMINATED``, in one write
``TERMINATED``                                 writes nothing: the row is history
=============================================  ====================================================

A link is judged by the machine that it leads to. The link is removed if the machine is stopped or gone. It is also
removed if the machine is alive with a public address and its tags name another role, or another meeting that has a row:
that is a stranger's desktop. Otherwise the link stays.
"""

from collections.abc import Callable, Iterable

from controller.model import (
    DNS_WRITTEN,
    EARLY_STATUSES,
    LIVE_STATUSES,
    TERMINATED,
    ClearLink,
    Condition,
    EndMeeting,
    Instance,
    Meeting,
    NonString,
    RowChange,
    RowWrite,
    Value,
    WriteLink,
)
from controller.rules.facts import Facts, InstanceClass, moment_of, named_ids
from controller.rules.records import Readiness

REASON_GONE = "INSTANCES_GONE"
#: Characters of a row's value that a report shows. A row may hold 400 KB of nonsense.
SHOWN = 200

_SETS_STATUS = ("status", DNS_WRITTEN)
_IS_EARLY = Condition("status", (*EARLY_STATUSES, DNS_WRITTEN))

#: Returns the readiness of the instance's name.
ReadinessOf = Callable[[str], Readiness]


def plan_meeting(facts: Facts, meeting: Meeting, readiness: ReadinessOf) -> tuple[RowChange, ...]:
    """Return the changes that this row needs."""
    if meeting.status == TERMINATED:
        return ()
    if end := plan_end(facts, meeting):
        dead = tuple(_dead_links(facts, meeting))
        rests_on_absence = any(facts.class_of(machine) is InstanceClass.ABSENT for machine in end.evidence)
        return dead if dead and rests_on_absence else (end,)
    return tuple(change for role in facts.settings.roles for change in _plan_link(facts, meeting, role, readiness))


def current_of(facts: Facts, meeting: Meeting, role: str) -> Instance | None:
    """Return the machine that the role's link should lead to, among those that serve this meeting and role.

    That is the one that the row names. Else it is the one that the link leads to, so that a second machine does not
    move the link during a lesson. Else it is the newest. A machine that is still starting replaces none.
    """
    found = facts.serving.get((meeting.id, role), ())
    if len(found) <= 1:  # nearly always, and then neither the row's id nor its link can matter
        return found[0] if found else None
    serving = {machine.id: machine for machine in found}
    for preferred in (meeting.instance_ids.get(role), facts.link_target(meeting.links.get(role))):
        if isinstance(preferred, str) and preferred in serving:
            return serving[preferred]
    return max(found, key=lambda machine: (_launch(machine), machine.id))


def members_of(facts: Facts, meeting: Meeting) -> set[str]:
    """Return the machines with the meeting's tag, in any role, and those that its row names. Links do not count."""
    return set(_each_member(facts, meeting))


def _each_member(facts: Facts, meeting: Meeting) -> Iterable[str]:
    yield from (machine.id for machine in facts.members.get(meeting.id, ()))
    yield from named_ids(meeting).values()


def _launch(machine: Instance) -> float:
    return machine.launched_at.timestamp() if machine.launched_at else 0.0


def _plan_link(facts: Facts, meeting: Meeting, role: str, readiness: ReadinessOf) -> Iterable[RowChange]:
    current = current_of(facts, meeting, role)
    if current and meeting.links.get(role) == facts.link_of(current) and meeting.status not in EARLY_STATUSES:
        return  # nearly always
    known = readiness(current.id) if current else Readiness.BLOCKED
    is_served = current and known is not Readiness.BLOCKED
    written = _write_link(facts, meeting, role, current) if current and is_served else None
    is_overwritten = written and known is Readiness.READY
    if not is_overwritten and (dead := _clear_link(facts, meeting, role)):
        yield dead
    if written:
        yield written


def _write_link(facts: Facts, meeting: Meeting, role: str, current: Instance) -> WriteLink | None:
    wanted, attribute, link = facts.link_of(current), _link(role), meeting.links.get(role)
    early = meeting.status in EARLY_STATUSES
    replaced = facts.link_target(link)
    if facts.world.unread and any(
        facts.class_of(i) is InstanceClass.UNKNOWN for i in (replaced, named_ids(meeting).get(role)) if i
    ):
        return None  # the machine that the row has may be up, in the cell that could not be read
    old, new = (attribute, _shown(link)), (attribute, wanted)
    sets = (new, _SETS_STATUS) if early else (new,)
    return WriteLink(
        instance=current.id,
        meeting=meeting.id,
        role=role,
        before=(old, ("status", _shown(meeting.status))) if early else (old,),
        after=sets,
        reason=f"the {role}'s machine is running and its record is in place",
        rule="link-current" if link != wanted else "status-early",
        write=RowWrite(
            sets=sets,
            conditions=(
                Condition(_named(role), (meeting.instance_ids.get(role),)),
                _IS_EARLY if early else Condition("status", (meeting.status,)),
            ),
        ),
        launched_at=current.launched_at,
        begins=moment_of(meeting.meet_time),
        # One incomplete reading must not move a lesson to another machine.
        evidence=(replaced,) if replaced and replaced != current.id else (),
    )


def _clear_link(facts: Facts, meeting: Meeting, role: str) -> ClearLink | None:
    """Return the removal of the role's link if its machine calls for it, so never of a link to the current one."""
    link = meeting.links.get(role)
    target = facts.link_target(link)
    verdict = target and _verdict(facts, meeting, role, target)
    if not (target and verdict):
        return None
    rule, reason = verdict
    return ClearLink(
        instance=target,
        meeting=meeting.id,
        role=role,
        before=((_link(role), _shown(link)),),
        after=((_link(role), None),),
        reason=reason,
        rule=rule,
        write=RowWrite(
            removes=(_link(role),),
            conditions=(Condition(_link(role), (link,)), Condition("status", (TERMINATED,), negated=True)),
        ),
        evidence=(target,),
    )


def _verdict(facts: Facts, meeting: Meeting, role: str, target: str) -> tuple[str, str] | None:
    """Return why a link to this machine must be removed (rule and reason), or None if it stays."""
    machine = facts.world.instances.get(target)
    if machine is None:
        return None  # absent: its name leads nowhere, or to a machine that EC2 does not show yet
    match facts.class_of(target):
        case InstanceClass.GONE | InstanceClass.STOPPED:
            return "link-dead", f"the link leads to a machine that is {machine.state}"
        case InstanceClass.SERVING | InstanceClass.UNTAGGED | InstanceClass.UNCLAIMED if machine.public_ip:
            if _is_strangers(facts, machine, meeting, role):
                return "link-astray", f"the link leads to the {machine.role}'s machine of meeting {machine.meeting}"
    return None


def _is_strangers(facts: Facts, machine: Instance, meeting: Meeting, role: str) -> bool:
    """Return whether its tags name another role, or another meeting with a row. A lost or changed tag proves nothing.

    A scoped pass does not read whether another meeting has a row.
    """
    has_anothers_role = machine.role != role and machine.role in facts.settings.roles
    is_known = facts.world.scope is None and machine.meeting in facts.world.meetings
    return has_anothers_role or (is_known and machine.meeting != meeting.id)


def _dead_links(facts: Facts, meeting: Meeting) -> Iterable[ClearLink]:
    changes = (_clear_link(facts, meeting, role) for role in facts.settings.roles)
    return (change for change in changes if change)


def plan_end(facts: Facts, meeting: Meeting) -> EndMeeting | None:
    """Return the end of a live meeting if all its machines are gone, else None. A scoped pass ends no meeting."""
    if facts.world.scope is not None or facts.world.unread or meeting.status not in LIVE_STATUSES:
        return None  # an unread cell may have a machine of this meeting that no row names
    if not all(facts.counts(meeting, member) for member in _each_member(facts, meeting)):
        return None
    members = members_of(facts, meeting)
    if not members:
        return None
    links = {role: target for role, link in meeting.links.items() if (target := facts.link_target(link))}
    is_spent = all(
        facts.counts(meeting, target) or _verdict(facts, meeting, role, target) for role, target in links.items()
    )
    if not is_spent or _names_anothers(facts, meeting) or _may_still_launch(facts, meeting, members):
        return None
    evidence = members.union(links.values())
    if any(facts.class_of(m) is InstanceClass.ABSENT for m in evidence) and _may_be_served_elsewhere(
        facts, meeting, evidence
    ):
        return None
    reasons = (("termination_reason", REASON_GONE),) if meeting.termination_reason is None else ()
    return EndMeeting(
        meeting=meeting.id,
        before=(("status", meeting.status), *((_link(role), _shown(meeting.links[role])) for role in links)),
        after=(("status", TERMINATED), *reasons, *((_link(role), None) for role in links)),
        reason=f"all its machines are gone: {', '.join(sorted(members))}",
        rule="meeting-over",
        write=RowWrite(
            sets=(("status", TERMINATED),),
            defaults=reasons,
            removes=tuple(_link(role) for role in links),
            conditions=(Condition("status", (meeting.status,)), *_row_as_seen(facts, meeting)),
        ),
        evidence=tuple(sorted(evidence)),
    )


def _names_anothers(facts: Facts, meeting: Meeting) -> bool:
    """Return whether the row names a machine that was seen with another meeting's tags: then the row proves nothing."""
    machines = (facts.world.instances.get(named) for named in named_ids(meeting).values())
    return any(m and m.meeting and m.meeting.strip() and m.meeting != meeting.id for m in machines)


def _may_be_served_elsewhere(facts: Facts, meeting: Meeting, machines: Iterable[str]) -> bool:
    """Return whether another deployment may be serving the meeting: its mark, or a link in another form, says so."""
    links = [
        link for link in meeting.links.values() if link and not (isinstance(link, NonString) and link.kind == "NULL")
    ]
    has_foreign_link = any(not facts.link_target(link) for link in links)
    return has_foreign_link or any(facts.foreign(machine) for machine in machines)


def _may_still_launch(facts: Facts, meeting: Meeting, members: Iterable[str]) -> bool:
    """Return whether the launcher may be at work: a machine is young, and another role has not got one yet."""
    seen = [facts.world.instances[member] for member in members if member in facts.world.instances]
    launched = {machine.role for machine in facts.members.get(meeting.id, ())} | set(named_ids(meeting))
    is_young = any(not facts.is_old(machine.launched_at) for machine in seen)
    return is_young and not launched.issuperset(facts.settings.roles)


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
