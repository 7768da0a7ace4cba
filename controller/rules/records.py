"""Plan the records at each instance's name.

====================================  =================================================================
the instance is                       desired at its name
====================================  =================================================================
serving                               exactly one A record: its public IPv4, proxied, with our mark
stopped, gone                         no own A record: AWS may give the address to a stranger
alive with a public address           nothing new; an own record with another address is deleted, one
(untagged, unclaimed, ``pending``)    with the machine's address stays, whatever the tags say
alive without a public address        nothing new; an own record last written before the machine's launch
                                      is deleted: EC2 assigns another address at each start
absent                                no own A record that is older than the grace period
unknown                               whatever is there: the class proves nothing
====================================  =================================================================
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from controller.model import (
    CreateRecord,
    DeleteRecord,
    DnsRecord,
    Fields,
    Finding,
    Instance,
    RecordChange,
    UpdateRecord,
)
from controller.names import is_routable, record_name
from controller.rules.facts import Facts, InstanceClass
from controller.rules.ownership import Owner, comment_for, is_marked, owner_of

#: Types that exclude an A record at the same name, and the effect of each type beside an own record.
_EXCLUSIVE = ("CNAME", "NS")
_CONFLICTS = {
    "CNAME": "it excludes an A record: none is created, and no link is written",
    "NS": "it excludes an A record: none is created, and no link is written",
    "AAAA": "it is not needed: users get Cloudflare's addresses, and Cloudflare prefers the machine's IPv4 address",
}


class Readiness(StrEnum):
    """Whether the instance's name leads to it and nowhere else. A link needs that."""

    READY = "ready"
    PENDING = "pending"  # ready once this pass has changed the records
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class NamePlan:
    """The changes that one instance's name needs, and its readiness."""

    readiness: Readiness
    changes: tuple[RecordChange, ...] = ()
    findings: tuple[Finding, ...] = ()


_NOTHING_TO_DO = NamePlan(Readiness.READY)


def plan_name(facts: Facts, instance: str) -> NamePlan:
    """Return what the name of this instance needs, by the class of the instance."""
    match facts.class_of(instance):
        case InstanceClass.SERVING:
            return _serve(facts, facts.world.instances[instance])
        case InstanceClass.STOPPED:
            return _clear(facts, instance, "record-stopped", _state_reason(facts, instance))
        case InstanceClass.GONE:
            return _clear(facts, instance, "record-gone", _state_reason(facts, instance))
        case InstanceClass.STARTING | InstanceClass.UNTAGGED | InstanceClass.UNCLAIMED:
            return _keep_own(facts, facts.world.instances[instance])
        case InstanceClass.ABSENT:
            return _clear_absent(facts, instance)
        case InstanceClass.UNKNOWN if facts.world.unread and instance not in facts.world.instances:
            return NamePlan(Readiness.BLOCKED)  # it may be served, in the cell that could not be read
        case InstanceClass.UNKNOWN:
            return NamePlan(Readiness.BLOCKED, (), tuple(_orphans(facts, instance)))


def _serve(facts: Facts, machine: Instance) -> NamePlan:
    records = facts.records.get(machine.id)
    if not is_routable(machine.public_ip or ""):
        return _unroutable(facts, machine)
    if not records:
        return NamePlan(Readiness.PENDING, (_create(facts, machine),))
    if len(records) == 1 and _is_right(facts, records[0], machine):
        return _NOTHING_TO_DO
    return _fix(facts, machine, records)


def _is_right(facts: Facts, record: DnsRecord, machine: Instance) -> bool:
    is_own = record.type == "A" and record.content == machine.public_ip and record.proxied
    return is_own and _is_marked(facts, record, machine)


def _is_marked(facts: Facts, record: DnsRecord, machine: Instance) -> bool:
    """Return whether the record has the mark. With ADOPT_UNMARKED, a record counts as own before it has the mark."""
    return is_marked(record.comment, facts.settings.mark_of(machine.cell))


def _keep_own(facts: Facts, machine: Instance) -> NamePlan:
    """Plan the name of a machine that is alive and not served: keep its address, delete an earlier one."""
    if machine.public_ip:
        return _clear(facts, machine.id, "record-address", _address_reason(machine), keep=machine.public_ip)
    launched = machine.launched_at
    old = [r for r in facts.ours(machine.id) if launched and r.written_on and r.written_on < launched]
    reason = "the machine was started after the last write to this record, so the address is an earlier one"
    changes = tuple(_delete(facts, record, "record-before-launch", reason) for record in old)
    return NamePlan(Readiness.BLOCKED, changes, tuple(_orphans(facts, machine.id)))


def _unroutable(facts: Facts, machine: Instance) -> NamePlan:
    """Plan the name of a machine with an address that cannot be proxied: write nothing, delete other addresses."""
    cleared = _clear(facts, machine.id, "record-address", _address_reason(machine), keep=machine.public_ip)
    finding = Finding(
        "address-not-routable",
        _name(facts, machine.id),
        f"The machine's address {machine.public_ip} is not public, so Cloudflare cannot proxy to it.",
        "Start the machine in a subnet that assigns public addresses. Until then it gets no record and no link.",
    )
    return NamePlan(Readiness.BLOCKED, cleared.changes, (*cleared.findings, finding))


def _fix(facts: Facts, machine: Instance, records: list[DnsRecord]) -> NamePlan:
    """Plan one right own record at the name of a serving machine, as far as records of others allow it."""
    ours = facts.ours(machine.id)
    foreign = facts.foreign(machine.id)
    unmarked = [r for r in records if r.type == "A" and r not in ours and r not in foreign]
    is_excluded = any(r.type in _EXCLUSIVE for r in records)
    is_free = not (foreign or is_excluded)
    best = _best(facts, machine, [*ours, *unmarked] if is_free else ours)
    others = [r for r in (*foreign, *unmarked) if r.type == "A" and r != best]
    has_twin = any(r.content == machine.public_ip for r in others)
    changes: tuple[RecordChange, ...]
    if has_twin and best is not None and best.content != machine.public_ip:
        # Cloudflare refuses a second record with the same content (81058), so an own one cannot be fixed.
        changes = tuple(
            _delete(facts, r, "record-foreign", "a record of another owner has the machine's address") for r in ours
        )
    elif best is None:
        changes = (_create(facts, machine),) if is_free else ()
    else:
        extra = [_delete(facts, r, "record-duplicate", "the name needs only one record") for r in ours if r != best]
        changes = (*extra, *_update(facts, best, machine))
    leads_here = has_twin or best is not None or is_free
    leads_elsewhere = is_excluded or any(r.content != machine.public_ip or not r.proxied for r in others)
    is_blocked = leads_elsewhere or not leads_here
    readiness = Readiness.BLOCKED if is_blocked else Readiness.PENDING if changes else Readiness.READY
    return NamePlan(readiness, changes, tuple(_beside(facts, machine, records, [r for r in others if r in unmarked])))


def _beside(
    facts: Facts, machine: Instance, records: Iterable[DnsRecord], unmarked: Iterable[DnsRecord]
) -> Iterable[Finding]:
    """Yield findings about other owners' records at a serving machine's name."""
    for record in facts.foreign(machine.id):
        yield _foreign(facts, machine, record)
    yield from _conflicts(facts, records)
    yield from (_unmarked_beside(facts, record) for record in unmarked)


def _best(facts: Facts, machine: Instance, records: list[DnsRecord]) -> DnsRecord | None:
    """Return the record to keep: the right content first, then own ones (marked before adopted), then the oldest."""

    def rank(record: DnsRecord) -> tuple[bool, bool, bool, str, str]:
        return (
            record.content != machine.public_ip,
            owner_of(record, facts.settings) is not Owner.OURS,
            not _is_marked(facts, record, machine),
            record.created_on.isoformat() if record.created_on else "~",
            record.id,
        )

    return min(records, key=rank, default=None)


def _create(facts: Facts, machine: Instance) -> CreateRecord:
    address, comment = machine.public_ip or "", comment_for(machine, facts.settings)
    return CreateRecord(
        name=_name(facts, machine.id),
        content=address,
        comment=comment,
        launched=machine.launched_at.timestamp() if machine.launched_at else 0.0,
        instance=machine.id,
        meeting=machine.meeting,
        role=machine.role,
        before=(),
        after=(("content", address), ("proxied", True), ("comment", comment)),
        reason=f"the machine is running at {address} and has no record",
        rule="record-serving",
    )


def _update(facts: Facts, record: DnsRecord, machine: Instance) -> tuple[UpdateRecord, ...]:
    """Return the update of this record, with the fields that differ; empty if none does."""
    address = machine.public_ip or ""
    wanted: list[tuple[str, str | bool | None, str | bool | None, str]] = [
        ("content", record.content, address, f"the machine's address is {address}"),
        ("proxied", record.proxied, True, "the record must be proxied"),
    ]
    comment = None if _is_marked(facts, record, machine) else comment_for(machine, facts.settings)
    if comment:
        wanted.append(("comment", record.comment, comment, "the record is adopted and gets our mark"))
    differing = [(field, was, want, why) for field, was, want, why in wanted if was != want]
    if not differing:
        return ()
    return (
        UpdateRecord(
            id=record.id,
            name=record.name,
            content=address,
            comment=comment,
            instance=machine.id,
            meeting=machine.meeting,
            role=machine.role,
            before=tuple((field, was) for field, was, _, _ in differing),
            after=tuple((field, want) for field, _, want, _ in differing),
            reason="; ".join(why for *_, why in differing),
            rule="record-adopted" if comment else "record-serving",
        ),
    )


def _delete(facts: Facts, record: DnsRecord, rule: str, reason: str) -> DeleteRecord:
    machine = facts.world.instances.get(record.instance)
    return DeleteRecord(
        id=record.id,
        name=record.name,
        instance=record.instance,
        meeting=machine.meeting if machine else None,
        role=machine.role if machine else None,
        before=shown(record),
        after=(),
        reason=reason,
        rule=rule,
        evidence=(record.instance,),
    )


def shown(record: DnsRecord) -> Fields:
    """Return the record as a report shows it."""
    return (("content", record.content), ("proxied", record.proxied), ("comment", record.comment))


def _clear(facts: Facts, instance: str, rule: str, reason: str, *, keep: str | None = None) -> NamePlan:
    """Delete the own A records at this name, except one with the address to keep. Report other owners' records."""
    unwanted = [r for r in facts.ours(instance) if keep is None or r.content != keep]
    changes = tuple(_delete(facts, record, rule, reason) for record in unwanted)
    left = _orphaned(facts, instance) if keep is None else ()
    return NamePlan(Readiness.BLOCKED, changes, (*_orphans(facts, instance), *left))


def _clear_absent(facts: Facts, instance: str) -> NamePlan:
    ours = facts.ours(instance)
    old = [r for r in ours if facts.is_old(r.written_on)]
    changes = tuple(_delete(facts, record, "record-absent", "EC2 does not know the machine") for record in old)
    young = (_not_seen(facts, record) for record in ours if record not in old)
    return NamePlan(Readiness.BLOCKED, changes, (*young, *_orphans(facts, instance)))


def _not_seen(facts: Facts, record: DnsRecord) -> Finding:
    name = _name(facts, record.instance)
    if record.written_on:
        return Finding(
            "instance-not-seen",
            name,
            "EC2 does not know the machine of this young record, or not yet.",
            "Do nothing: a pass deletes the record when it is older than the grace period.",
        )
    return Finding(
        "undated-record",
        name,
        f"EC2 does not know the machine, and Cloudflare does not say when this record ({record.content}) was written.",
        "Delete it by hand if the machine is gone: a pass cannot tell whether it is older than the grace period.",
    )


def _orphaned(facts: Facts, instance: str) -> Iterable[Finding]:
    """Yield findings about other owners' records at the name of a machine that was seen stopped or gone."""
    for record in facts.foreign(instance):
        yield Finding(
            "orphaned-record",
            _name(facts, instance),
            f"The machine is {facts.world.instances[instance].state}, and a record with another owner's mark "
            f"({record.comment}) still leads to {record.content}.",
            "If OWNER_ID was changed here, delete the old owner's records: run retire with that OWNER_ID.",
        )


def _orphans(facts: Facts, instance: str) -> Iterable[Finding]:
    for record in facts.records.get(instance, ()):
        if owner_of(record, facts.settings) is Owner.UNMARKED:
            adopted = ". With ADOPT_UNMARKED=true the controller owns such A records" if record.type == "A" else ""
            yield Finding(
                "unmarked-record",
                _name(facts, instance),
                f"An unmarked {record.type} record ({record.content}) is at the name of a machine that is not served.",
                f"Delete it by hand if nobody needs it{adopted}.",
            )


def _unmarked_beside(facts: Facts, record: DnsRecord) -> Finding:
    return Finding(
        "unmarked-record",
        _name(facts, record.instance),
        f"An unmarked A record ({record.content}) answers beside the own one.",
        "Delete it by hand: with another address than the machine's it sends users to a stranger, and the pass writes "
        "no link. With ADOPT_UNMARKED=true the controller deletes it.",
    )


def _foreign(facts: Facts, machine: Instance, record: DnsRecord) -> Finding:
    leads = record.type == "A" and record.content == machine.public_ip and record.proxied
    effect = "it leads to the machine, so the link is written" if leads else "no record is created and no link written"
    return Finding(
        "foreign-record",
        _name(facts, record.instance),
        f"Another deployment owns a record here ({record.comment}). The pass skips it: {effect}.",
        "Find out why two deployments see the same machine: PROJECT_TAG, regions and OWNER_ID must keep them apart.",
    )


def _conflicts(facts: Facts, records: Iterable[DnsRecord]) -> Iterable[Finding]:
    for record in records:
        if effect := _CONFLICTS.get(record.type):
            yield Finding(
                "conflicting-record",
                _name(facts, record.instance),
                f"The name of a running machine has a record {record.type} {record.content}: {effect}.",
                "Delete it at Cloudflare if nobody needs it.",
            )


def _name(facts: Facts, instance: str) -> str:
    return record_name(instance, facts.settings.domain_root)


def _state_reason(facts: Facts, instance: str) -> str:
    state = facts.world.instances[instance].state
    return f"the machine is {state}, and AWS may give its address to another customer"


def _address_reason(machine: Instance) -> str:
    return f"the machine is {machine.state} with another address, {machine.public_ip}"
