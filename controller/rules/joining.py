"""Say whether a user can join: what the join function and its link lead to, from what was observed.

====================================  =================================================================
joining needs, in this order          else
====================================  =================================================================
a known status, not ``TERMINATED``    the meeting is over, or another project's
a link in this deployment's form      why it is missing: the machine, its name, or the next pass
a machine behind it that is up        starting, stopped, gone, not known to EC2; or another meeting's
a name that leads there and           no record, another address, not proxied, a record beside it
nowhere else
``HEALTHY`` or ``IN_PROGRESS``        the user's page waits
====================================  =================================================================

It says what happens, not what is desired: users can join a machine that lost its tags as long as its link and its
record exist.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from controller.model import KNOWN_STATUSES, TERMINATED, Instance, Meeting
from controller.names import record_name
from controller.rules.facts import Facts, InstanceClass, named_ids
from controller.rules.meetings import SHOWN, current_of

#: In these statuses the join function sends a user to the link. In all others the page waits.
JOINED_IN = ("HEALTHY", "IN_PROGRESS")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a user can join. ``because`` completes "no, because …", or says where "yes" leads."""

    yes: bool
    because: str
    machine: str | None = None  # the link leads to it, or should lead to it


def can_join(facts: Facts, meeting: Meeting, role: str) -> Verdict:
    """Return whether this role of the meeting can join now, and if not, the first obstacle."""
    target = facts.link_target(meeting.links.get(role))
    machine = target or _expected(facts, meeting, role)
    for obstacle in _obstacles(facts, meeting, role, target, machine):
        return Verdict(False, obstacle, machine)
    address = facts.world.instances[machine].public_ip if machine else None
    return Verdict(True, f"the link leads to {machine} at {address}, and the status is {meeting.status}", machine)


def _obstacles(facts: Facts, meeting: Meeting, role: str, target: str | None, machine: str | None) -> Iterator[str]:
    """Yield what is in the way, the first cause first."""
    status, link = meeting.status, meeting.links.get(role)
    has_another = isinstance(link, str) and link and not target
    if status == TERMINATED:
        yield "the meeting is over (TERMINATED)"
    elif status is not None and status not in KNOWN_STATUSES:
        yield f"the join function sends nobody to a machine in the status {str(status)[:SHOWN]}"
    if has_another:
        yield f"its link {str(link)[:SHOWN]} does not have this deployment's domain and port"
    elif machine is None and facts.world.unread:
        yield f"no machine of this role was seen: cannot read {_unread(facts)}"
    elif machine is None:
        yield "it has no machine of this role"
    else:
        yield from _of_machine(facts, meeting, role, machine)
    if not target:
        yield "its link is not written yet"
    if status not in JOINED_IN:
        yield f"the status is {status or 'none'}, and the page waits for HEALTHY"


def _of_machine(facts: Facts, meeting: Meeting, role: str, id: str) -> Iterator[str]:
    """Yield what is wrong with the machine and its name."""
    machine = facts.world.instances.get(id)
    if machine is None and facts.world.unread and facts.class_of(id) is InstanceClass.UNKNOWN:
        yield f"its machine {id} was not seen: cannot read {_unread(facts)}"
        return
    if machine is None:
        yield f"EC2 does not know its machine {id}"
        return
    match facts.class_of(id):
        case InstanceClass.GONE | InstanceClass.STOPPED | InstanceClass.UNKNOWN:
            yield f"its machine {id} is {machine.state}"
        case _ if machine.state != "running":
            yield f"its machine {id} is still {machine.state}"
        case _ if not machine.public_ip:
            yield f"its machine {id} has no public address yet"
    if _is_anothers(facts, machine, meeting, role):
        yield f"the machine {id} is the {machine.role}'s of meeting {machine.meeting or 'none'}"
    current = current_of(facts, meeting, role)
    if current and current.id != id:
        yield f"its link leads to {id}, and the {role}'s machine is {current.id}"
    yield from _of_name(facts, machine)


def _unread(facts: Facts) -> str:
    return ", ".join(sorted(facts.world.unread))


def _is_anothers(facts: Facts, machine: Instance, meeting: Meeting, role: str) -> bool:
    """Return whether its tags name another meeting with a row, or another role. A lost tag proves nothing."""
    has_anothers_role = machine.role != role and machine.role in facts.settings.roles
    return has_anothers_role or (machine.meeting != meeting.id and machine.meeting in facts.world.meetings)


def _of_name(facts: Facts, machine: Instance) -> Iterator[str]:
    """Yield why the machine's name does not lead to it alone."""
    name = record_name(machine.id, facts.settings.domain_root)
    records = facts.records.get(machine.id, ())
    for record in records:
        if record.type in ("CNAME", "NS"):
            yield f"its name {name} has a record of type {record.type}"
        elif record.type == "A" and record.content != machine.public_ip:
            yield f"its name {name} leads to {record.content}, which is not the machine's address"
        elif record.type == "A" and not record.proxied:
            yield f"the record at its name {name} is not proxied"
    if not any(record.type == "A" for record in records):
        yield f"its name {name} has no record"


def _expected(facts: Facts, meeting: Meeting, role: str) -> str | None:
    """Return the machine that the role's link should lead to, now or when it is up."""
    if current := current_of(facts, meeting, role):
        return current.id
    named = named_ids(meeting).get(role)
    carrying = sorted(machine.id for machine in facts.members.get(meeting.id, ()) if machine.role == role)
    alive = (machine for machine in (named, *carrying) if machine and facts.is_alive(machine))
    return next(alive, named)
