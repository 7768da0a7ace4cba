"""What is wanted at each instance's name.

===================  ===========================================================================
the instance is      wanted at its name
===================  ===========================================================================
serving              exactly one A record: its public IPv4, proxied, marked as ours
starting             nothing new; a record of ours with an address it does not have goes
stopped, gone        no A record of ours: its address may be a stranger's a minute later
absent               the same, guarded, once the record is older than the grace period
unclaimed, untagged  no A record of ours, guarded: a tag may have been lost by accident
===================  ===========================================================================
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from controller.addresses import is_routable
from controller.model import Action, Change, DnsRecord, Fields, Finding, Instance, RecordWrite
from controller.names import record_name
from controller.rules.facts import Class, Facts
from controller.rules.ownership import Owner, comment_for, is_marked, owner_of


class Standing(StrEnum):
    """Whether a link to an instance may be written, as far as its record goes."""

    IN_PLACE = "in-place"
    PLANNED = "planned"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class NamePlan:
    """What one instance's name needs."""

    standing: Standing
    changes: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()


_NOTHING_TO_DO = NamePlan(Standing.IN_PLACE)


def plan_name(facts: Facts, instance: str) -> NamePlan:
    """What the name of this instance needs, by the class of the instance."""
    match facts.class_of(instance):
        case Class.SERVING:
            return _serve(facts, facts.world.instances[instance])
        case Class.STARTING:
            machine = facts.world.instances[instance]
            return _clear(facts, instance, "record-starting", _starting_reason(machine), keep=machine.public_ip)
        case Class.STOPPED:
            return _clear(facts, instance, "record-stopped", _state_reason(facts, instance))
        case Class.GONE:
            return _clear(facts, instance, "record-gone", _state_reason(facts, instance))
        case Class.ABSENT:
            return _clear_absent(facts, instance)
        case Class.UNTAGGED:
            reason = "the machine no longer carries the project's tag"
            return _clear(facts, instance, "record-untagged", reason, guarded=True)
        case Class.UNCLAIMED:
            reason = "the machine carries no meeting, or a role that is not configured"
            return _clear(facts, instance, "record-unclaimed", reason, guarded=True)
        case Class.UNKNOWN:
            return NamePlan(Standing.BLOCKED, (), tuple(_orphans(facts, instance)))


def _serve(facts: Facts, machine: Instance) -> NamePlan:
    records = facts.records.get(machine.id)
    if not is_routable(machine.public_ip or ""):
        return _unroutable(facts, machine)
    if not records:
        return NamePlan(Standing.PLANNED, (_create(facts, machine),))
    if len(records) == 1 and _is_right(facts, records[0], machine):
        return _NOTHING_TO_DO
    return _mend(facts, machine, records)


def _is_right(facts: Facts, record: DnsRecord, machine: Instance) -> bool:
    return record.type == "A" and record.content == machine.public_ip and record.proxied and _is_marked(facts, record)


def _is_marked(facts: Facts, record: DnsRecord) -> bool:
    """Whether the mark itself is there (adoption makes a record ours before it has the mark)."""
    return is_marked(record.comment, facts.settings.mark)


def _unroutable(facts: Facts, machine: Instance) -> NamePlan:
    """An address that cannot be proxied: nothing is written, and no record of ours may lead elsewhere."""
    cleared = _clear(
        facts, machine.id, "record-unroutable", "the machine no longer has this address", keep=machine.public_ip
    )
    finding = Finding(
        "address-not-routable",
        _name(facts, machine.id),
        f"The machine's address {machine.public_ip} is not public, so Cloudflare cannot proxy to it.",
        "Start the machine in a subnet that gives public addresses; no record and no link are written until then.",
    )
    return NamePlan(Standing.BLOCKED, cleared.changes, (*cleared.findings, finding))


def _mend(facts: Facts, machine: Instance, records: list[DnsRecord]) -> NamePlan:
    """Bring the name of a serving machine to exactly one right record of ours."""
    addresses = [r for r in records if r.type == "A"]
    foreign = [r for r in records if owner_of(r, facts.settings) is Owner.FOREIGN]
    candidates = [r for r in addresses if r not in foreign]
    ours = [r for r in candidates if owner_of(r, facts.settings) is Owner.OURS]
    conflicts = [r for r in records if r.type in ("CNAME", "NS")]
    findings = [*_foreign(facts, foreign), *_conflicts(facts, records)]
    blocked = bool(foreign or conflicts)

    best = _best(facts, machine, ours if blocked else candidates)
    changes: tuple[Change, ...]
    if best is None:
        changes = () if blocked else (_create(facts, machine),)
    elif best.content != machine.public_ip and any(r.content == machine.public_ip for r in addresses):
        # Cloudflare refuses a second record with the same content (81058): ours cannot be mended, and must not stay.
        changes = tuple(
            _delete(facts, r, "record-foreign", "a record that is not ours has the machine's address") for r in ours
        )
    else:
        extra = [_delete(facts, r, "record-duplicate", "the name needs one record only") for r in ours if r != best]
        changes = (*extra, *_update(facts, best, machine))
    findings += _unmarked_beside(facts, [r for r in candidates if r not in ours and r != best])
    is_right = all(change.action is Action.DELETE_RECORD for change in changes)
    standing = Standing.BLOCKED if blocked else Standing.IN_PLACE if is_right else Standing.PLANNED
    return NamePlan(standing, changes, tuple(findings))


def _best(facts: Facts, machine: Instance, records: list[DnsRecord]) -> DnsRecord | None:
    """The record to keep: right content first, then ours (really marked before adopted), then the oldest."""

    def rank(record: DnsRecord) -> tuple[bool, bool, bool, str, str]:
        return (
            record.content != machine.public_ip,
            owner_of(record, facts.settings) is not Owner.OURS,
            not _is_marked(facts, record),
            record.created_on.isoformat() if record.created_on else "~",
            record.id,
        )

    return min(records, key=rank, default=None)


def _create(facts: Facts, machine: Instance) -> Change:
    name, comment = _name(facts, machine.id), comment_for(machine, facts.settings)
    after: Fields = (("content", machine.public_ip), ("proxied", True), ("comment", comment))
    return Change(
        action=Action.CREATE_RECORD,
        key=name,
        instance=machine.id,
        meeting=machine.meeting,
        role=machine.role,
        before=(),
        after=after,
        reason=f"the machine is running at {machine.public_ip} and has no record",
        rule="record-serving",
        record=RecordWrite(None, name, machine.public_ip, comment),
        order=machine.launched_at.timestamp() if machine.launched_at else 0.0,
    )


def _update(facts: Facts, record: DnsRecord, machine: Instance) -> tuple[Change, ...]:
    """The update that makes this record right: only what differs, and nothing when nothing does."""
    wanted: list[tuple[str, str | bool | None, str | bool | None, str]] = [
        ("content", record.content, machine.public_ip, f"the machine's address is {machine.public_ip}"),
        ("proxied", record.proxied, True, "the record must be proxied"),
    ]
    comment = None if _is_marked(facts, record) else comment_for(machine, facts.settings)
    if comment:
        wanted.append(("comment", record.comment, comment, "the record is adopted: it gets our mark"))
    differing = [(field, was, want, why) for field, was, want, why in wanted if was != want]
    if not differing:
        return ()
    return (
        Change(
            action=Action.UPDATE_RECORD,
            key=_name(facts, machine.id),
            instance=machine.id,
            meeting=machine.meeting,
            role=machine.role,
            before=tuple((field, was) for field, was, _, _ in differing),
            after=tuple((field, want) for field, _, want, _ in differing),
            reason="; ".join(why for *_, why in differing),
            rule="record-adopted" if comment else "record-serving",
            record=RecordWrite(record.id, record.name, machine.public_ip, comment),
        ),
    )


def _delete(facts: Facts, record: DnsRecord, rule: str, reason: str, *, guarded: bool = False) -> Change:
    machine = facts.world.instances.get(record.instance)
    return Change(
        action=Action.DELETE_RECORD,
        key=_name(facts, record.instance),
        instance=record.instance,
        meeting=machine.meeting if machine else None,
        role=machine.role if machine else None,
        before=(("content", record.content), ("proxied", record.proxied), ("comment", record.comment)),
        after=(),
        reason=reason,
        rule=rule,
        record=RecordWrite(record.id, record.name, None, None),
        concluded=(record.instance,) if guarded else (),
    )


def _clear(  # one row of the table above: whose, why, and what is spared
    facts: Facts, instance: str, rule: str, reason: str, *, keep: str | None = None, guarded: bool = False
) -> NamePlan:
    """Remove our A records at this name, save one with the address to keep; report unmarked ones."""
    doomed = [r for r in facts.ours(instance) if keep is None or r.content != keep]
    changes = tuple(_delete(facts, record, rule, reason, guarded=guarded) for record in doomed)
    return NamePlan(Standing.BLOCKED, changes, tuple(_orphans(facts, instance)))


def _clear_absent(facts: Facts, instance: str) -> NamePlan:
    reason = "EC2 knows no such machine"
    old = [r for r in facts.ours(instance) if facts.is_old(r.created_on)]
    young = [r for r in facts.ours(instance) if r not in old]
    unseen = Finding(
        "instance-not-seen",
        _name(facts, instance),
        "EC2 does not know the machine of this young record yet, or no longer.",
        "Nothing to do: once the record is older than the grace period it is deleted.",
    )
    changes = tuple(_delete(facts, record, "record-absent", reason, guarded=True) for record in old)
    return NamePlan(Standing.BLOCKED, changes, (*([unseen] if young else []), *_orphans(facts, instance)))


def _orphans(facts: Facts, instance: str) -> Iterable[Finding]:
    for record in facts.records.get(instance, ()):
        if owner_of(record, facts.settings) is Owner.UNMARKED:
            adopted = "; ADOPT_UNMARKED=true makes the controller own such A records" if record.type == "A" else ""
            yield Finding(
                "unmarked-record",
                _name(facts, instance),
                f"An unmarked {record.type} record ({record.content}) stands at a name where no machine is served.",
                f"Delete it by hand if it is a leftover{adopted}.",
            )


def _unmarked_beside(facts: Facts, records: list[DnsRecord]) -> Iterable[Finding]:
    for record in records:
        yield Finding(
            "unmarked-record",
            _name(facts, record.instance),
            f"An unmarked A record ({record.content}) answers beside ours.",
            "Delete it by hand: users may be sent to its address. With ADOPT_UNMARKED=true the controller removes it.",
        )


def _foreign(facts: Facts, records: list[DnsRecord]) -> Iterable[Finding]:
    for record in records:
        yield Finding(
            "foreign-record",
            _name(facts, record.instance),
            f"Another deployment owns a record here ({record.comment}); it is left alone, and no link is written.",
            "Find out why two deployments see the same machine: tags, regions and OWNER_ID must keep them apart.",
        )


def _conflicts(facts: Facts, records: list[DnsRecord]) -> Iterable[Finding]:
    effects = {
        "CNAME": "it excludes an A record: none is created, and no link is written",
        "NS": "it excludes an A record: none is created, and no link is written",
        "AAAA": "it answers beside our A record, and leads browsers with IPv6 elsewhere",
    }
    for record in records:
        if effect := effects.get(record.type):
            yield Finding(
                "conflicting-record",
                _name(facts, record.instance),
                f"At the name of a running machine stands {record.type} {record.content}: {effect}.",
                "Delete it at Cloudflare, unless somebody can say why it is there.",
            )


def _name(facts: Facts, instance: str) -> str:
    return record_name(instance, facts.settings.domain_root)


def _state_reason(facts: Facts, instance: str) -> str:
    state = facts.world.instances[instance].state
    return f"the machine is {state}; its address may be given to somebody else"


def _starting_reason(machine: Instance) -> str:
    return f"the machine is {machine.state} and does not have this address"
