"""Was each write to the zone allowed? By sections 3, 4 and 9 of the rules. One function a promise.

Cloudflare has no conditional write, so a write to a record is judged by what the pass saw, not by what another
hand did a moment before.
"""

from collections.abc import Callable, Iterator

from controller.model import DnsRecord
from controller.settings import Settings
from tests.support.journal import Write
from tests.support.spec import owners
from tests.support.spec import sight as spec
from tests.support.spec.knowledge import Knowledge
from tests.support.spec.sight import Sight


def judge_record_write(event: Write, sight: Sight, known: Knowledge) -> Iterator[str]:
    """Everything that was wrong with this batch."""
    for record in {**event.before.records, **event.after.records}:
        before, after = event.before.records.get(record), event.after.records.get(record)
        if before == after:
            continue
        yield from nothing_outside_the_name_pattern_is_touched(sight, before or after)
        if before and after is None:
            yield from _deleted(sight, known, record, before)
        elif before and after:
            yield from _updated(sight, known, record, before, after)
        elif after:
            yield from _created(sight, after)


def nothing_outside_the_name_pattern_is_touched(sight: Sight, record: DnsRecord | None) -> Iterator[str]:
    if record and not spec.is_at_a_name_of_ours(record, sight.settings):
        yield f"outside the name pattern: {record}"


def _deleted(sight: Sight, known: Knowledge, record: str, now: DnsRecord) -> Iterator[str]:
    seen = known.records.get(record, now)
    if record not in known.record_read:
        yield f"deleted, and never read: {now}"
    yield from nothing_without_our_mark_is_deleted(sight, seen)
    if not known.has_looked_twice(seen.instance, after=known.record_read.get(record, 0)):
        yield f"deleted {seen}, and {seen.instance} was not described once more after it was read"
    yield from (f"deleted {seen}: {why}" for why in why_it_may_not_be_deleted(sight, seen))


def nothing_without_our_mark_is_deleted(sight: Sight, record: DnsRecord) -> Iterator[str]:
    if not owners.is_ours(record, sight.settings):
        yield f"deleted, and not ours: {record}"


def why_it_may_not_be_deleted(sight: Sight, record: DnsRecord) -> Iterator[str]:
    """Why the rules want this record to stay."""
    cls = spec.class_of(sight, record.instance)
    if not spec.record_goes(sight, record):
        yield f"its machine is {cls}, which is not enough: {sight.instances.get(record.instance)}"
    elif cls == spec.SERVING and spec.is_routable_machine(sight, record.instance) and is_best(sight, record):
        yield "it is the best one at a name that is needed: it should have been updated"


def is_best(sight: Sight, record: DnsRecord) -> bool:
    """The record that stays where there are several: right content, then ours, then oldest.

    Where unmarked records count as ours, one with our mark may still be preferred to them, or not. A better one that
    another hand took away in the middle of the pass counts: that is for the next pass to fix.
    """
    there = [*sight.at(record.instance), *(r for r in sight.buried if r.instance == record.instance)]
    others = [r for r in there if r.type == "A" and r.id != record.id]
    return all(_rank(sight, record, own) < _rank(sight, other, own) for own in OWN for other in others)


OWN: tuple[Callable[[DnsRecord, Settings], bool], ...] = (owners.is_ours, owners.is_marked)


def _rank(sight: Sight, record: DnsRecord, own: Callable[[DnsRecord, Settings], bool]) -> tuple[bool, bool, float]:
    age = record.created_on.timestamp() if record.created_on else float("inf")
    return (not _has(sight, record), not own(record, sight.settings), age)


def _has(sight: Sight, record: DnsRecord) -> bool:
    return spec.has_its_address(sight, record)


def _updated(sight: Sight, known: Knowledge, record: str, now: DnsRecord, after: DnsRecord) -> Iterator[str]:
    seen = known.records.get(record, now)
    if owners.is_foreign(seen, sight.settings):
        yield f"changed, and foreign: {seen}"
    if seen.type != "A":
        yield f"changed, and no A record: {seen}"
    yield from only_what_a_serving_instance_wants(sight, after)
    yield from an_unmarked_record_is_adopted_only_where_none_is_ours(sight, seen)
    if spec.is_right(seen, sight):
        yield f"changed, and there was nothing to fix: {seen}"
    if not owners.is_marked(after, sight.settings) and seen == now:
        yield f"changed, and our mark is not on it: {after}"


def an_unmarked_record_is_adopted_only_where_none_is_ours(sight: Sight, seen: DnsRecord) -> Iterator[str]:
    """If an own one is there already, the unmarked one stays, unless it is the one with the right address."""
    if owners.is_ours(seen, sight.settings) or not owners.is_unmarked(seen) or _has(sight, seen):
        return
    if any(owners.is_ours(r, sight.settings) for r in sight.at(seen.instance)):
        yield f"adopted beside an own one: {seen}"


def _created(sight: Sight, after: DnsRecord) -> Iterator[str]:
    yield from only_what_a_serving_instance_wants(sight, after)
    if not owners.is_marked(after, sight.settings):
        yield f"created without our mark: {after}"
    if spec.forbids_a_record(sight, after.instance):
        yield f"created beside a record that forbids it: {after}"
    if any(r.type == "A" and r.id != after.id for r in sight.at(after.instance)):
        yield f"created beside an A record that could have been updated: {after}"


def only_what_a_serving_instance_wants(sight: Sight, after: DnsRecord) -> Iterator[str]:
    """Content = public IPv4, proxied, a readable comment; nowhere but at a serving instance's name."""
    cls = spec.class_of(sight, after.instance)
    if cls != spec.SERVING or not spec.is_routable_machine(sight, after.instance):
        yield f"written for an instance that is {cls} at {spec.address_of(sight, after.instance)}: {after}"
    if not _has(sight, after) or not after.proxied:
        yield f"written with the wrong address, or grey: {after}"
    if len(after.comment) > 100 or not (after.comment.isascii() and after.comment.isprintable()):
        yield f"written with a comment that nobody can read: {after}"
