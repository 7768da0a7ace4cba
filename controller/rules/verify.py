"""Judge a change by an answer, or by a fresh look: applied, superseded by another writer, or still to do."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from controller.model import (
    CreateRecord,
    DeleteRecord,
    DnsRecord,
    Instance,
    Meeting,
    Outcome,
    RecordChange,
    RowWrite,
    UpdateRecord,
    World,
)
from controller.rules.facts import InstanceClass, classify
from controller.rules.ownership import has_our_mark, owner_of
from controller.settings import Settings


def is_as_wanted(change: RecordChange, record: DnsRecord, settings: Settings) -> bool:
    """Return whether this record is the one that the change creates or updates to."""
    if not isinstance(change, (CreateRecord, UpdateRecord)):
        return False
    wanted = ("A", change.name, change.content, True)
    return (record.type, record.name, record.content, record.proxied) == wanted and has_our_mark(record, settings)


def with_answers(
    changes: Iterable[RecordChange], answers: Collection[DnsRecord]
) -> Iterator[tuple[RecordChange, DnsRecord | None]]:
    """Yield each change with its record in a batch's answer, or None if the answer leaves it out."""
    by_id, by_name = {answer.id: answer for answer in answers}, {answer.name: answer for answer in answers}
    for change in changes:
        match change:
            case UpdateRecord(id=id) | DeleteRecord(id=id):
                yield change, by_id.get(id)
            case _:
                yield change, by_name.get(change.name)


def outcome_now(
    change: RecordChange, here: Sequence[DnsRecord], planned: DnsRecord | None, settings: Settings
) -> Outcome | None:
    """Return how the change has ended, by the records at its name now; None if it is still to do.

    ``planned`` is the record that the change was planned for.
    """
    match change:
        case CreateRecord():
            if any(is_as_wanted(change, record, settings) for record in here):
                return Outcome.APPLIED
            return Outcome.SUPERSEDED if any(record.type in ("A", "CNAME", "NS") for record in here) else None
        case DeleteRecord():
            same = _same(change.id, here)
            return Outcome.APPLIED if same is None else _unless_moved(same, planned, settings)
        case UpdateRecord():
            same = _same(change.id, here)
            if same is None:
                return Outcome.SUPERSEDED
            if is_as_wanted(change, same, settings):
                return Outcome.APPLIED
            # Cloudflare refuses a second record with the same content, and another writer may have created one.
            is_taken = any(record.content == change.content and record.id != change.id for record in here)
            return Outcome.SUPERSEDED if is_taken else _unless_moved(same, planned, settings)
        case _:
            raise TypeError(f"{change.action} is not a change of a record")


def has_record_of(machine: Instance | None, here: Iterable[DnsRecord]) -> bool:
    """Return whether these contain a proxied record with the machine's address, of any owner: a link may lead there."""
    address = machine.public_ip if machine else None
    return any(r.type == "A" and r.content == address and r.proxied for r in here)


def _same(record: str, here: Iterable[DnsRecord]) -> DnsRecord | None:
    return next((each for each in here if each.id == record), None)


def _unless_moved(record: DnsRecord, planned: DnsRecord | None, settings: Settings) -> Outcome | None:
    """Return SUPERSEDED if the record is no longer the one that the change was planned for."""
    if planned is None:
        return Outcome.SUPERSEDED
    is_moved = record.content != planned.content or owner_of(record, settings) is not owner_of(planned, settings)
    return Outcome.SUPERSEDED if is_moved else None


def is_row_as_written(meeting: Meeting, write: RowWrite) -> bool:
    """Return whether the row is as the write leaves it: then an earlier attempt was applied and its answer was lost."""
    values = {"status": meeting.status, **{f"{role}_ec2_link": link for role, link in meeting.links.items()}}
    has_sets = all(values.get(name) == value for name, value in write.sets)
    return has_sets and all(values.get(name) is None for name in write.removes)


def merged(writes: Sequence[RowWrite]) -> RowWrite:
    """Return one write for all writes to a row."""
    first, *others = writes
    for other in others:
        first = replace(
            first,
            conditions=tuple(dict.fromkeys((*first.conditions, *other.conditions))),
            sets=tuple(dict.fromkeys((*first.sets, *other.sets))),
            defaults=tuple(dict.fromkeys((*first.defaults, *other.defaults))),
            removes=tuple(dict.fromkeys((*first.removes, *other.removes))),
        )
    return first


def agreeing(before: World, after: World, instances: frozenset[str], settings: Settings) -> frozenset[str]:
    """Return the instances about which two observations in a row say the same, as far as the rules ask."""
    return frozenset(i for i in instances if _said_of(before, i, settings) == _said_of(after, i, settings))


def _said_of(world: World, instance: str, settings: Settings) -> object:
    machine = world.instances.get(instance)
    if machine is None:
        return world.absent & {instance}
    kind = classify(machine, settings)
    is_down = kind in (InstanceClass.STOPPED, InstanceClass.GONE)  # its address is released, now or soon
    return kind, None if is_down else machine.public_ip, machine.meeting, machine.role


def without(world: World, instances: frozenset[str]) -> World:
    """Return the world without these instances, so that it proves nothing about them."""
    if not instances:
        return world
    seen = {i: machine for i, machine in world.instances.items() if i not in instances}
    return replace(world, instances=seen, absent=world.absent - instances)
