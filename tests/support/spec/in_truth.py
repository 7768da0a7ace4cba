"""Was each write right by what was true at that moment, whatever the pass was shown?

The specification once more, with the truth in place of what the pass has read. ``allowed`` asks more of a write to the
zone: whether it was needed. Here it may be needless, since Cloudflare has no conditional write and another hand may
have been quicker, but it must never harm.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from controller.model import DnsRecord
from controller.settings import Settings
from tests.support.journal import Write
from tests.support.spec import owners
from tests.support.spec import sight as spec
from tests.support.spec.allowed import a_scoped_pass_stays_in_its_scope
from tests.support.spec.records import nothing_outside_the_name_pattern_is_touched, only_what_a_serving_instance_wants
from tests.support.spec.rows import judge_row_write
from tests.support.spec.sight import Sight


@dataclass(frozen=True, slots=True)
class Excuse:
    """What the pass that wrote could not know."""

    was_lied_to: bool = False  # a reading was wrong and looked right
    was_blind: bool = False  # and again where it was looked at twice, or at Cloudflare, which is looked at once
    was_overtaken: bool = False  # another hand was at a record in the middle


NO_EXCUSE = Excuse()


def misdeeds_in_truth(
    writes: Iterable[Write], settings: Settings, scope: Collection[str] | None = None, excuse: Excuse = NO_EXCUSE
) -> list[str]:
    """Everything that was done and may not be, as sentences."""
    found = list[str]()
    for write in writes:
        sight = _truth(write, settings, is_full=scope is None)
        if write.key:
            found += judge_row_write(write, _as_believed(sight, excuse))
        else:
            found += _harm_to_records(write, sight, excuse)
        if scope is not None:
            found += a_scoped_pass_stays_in_its_scope(write, settings, scope)
    return found


def _truth(write: Write, settings: Settings, *, is_full: bool) -> Sight:
    """All that was true just before it; a machine that EC2 does not have is absent."""
    state = write.before
    records = tuple(r for r in state.records.values() if spec.is_at_a_name_of_ours(r, settings))
    names = {r.instance for r in records}.union(*(spec.names_of(row, settings) for row in state.rows.values()))
    instances = {**dict.fromkeys(names), **state.instances}
    return Sight(settings, state.now, instances, records, state.rows, is_full)


def _as_believed(sight: Sight, excuse: Excuse) -> Sight:
    """The same where names lead to their machines as far as the pass could know."""
    if not (excuse.was_lied_to or excuse.was_overtaken):
        return sight
    right = [r for r in sight.records if r.proxied and spec.has_its_address(sight, r)]
    if excuse.was_lied_to:
        right += [
            DnsRecord("", "", key, "A", machine.public_ip, True, "", None)
            for key, machine in sight.instances.items()
            if machine and machine.public_ip
        ]
    led = {record.instance for record in right}
    return replace(sight, records=(*right, *(r for r in sight.records if r.instance not in led)))


def _harm_to_records(write: Write, sight: Sight, excuse: Excuse) -> Iterator[str]:
    before, after = write.before.records, write.after.records
    for key in before.keys() | after.keys():
        was, now = before.get(key), after.get(key)
        if was == now:
            continue
        yield from nothing_outside_the_name_pattern_is_touched(sight, was or now)
        if now is None and was:
            yield from _harm_by_delete(was, sight, excuse)
        elif now:
            yield from only_what_a_serving_instance_wants(sight, now)
            if not owners.is_marked(now, sight.settings):
                yield f"written without our mark: {now}"
            if was and (owners.is_foreign(was, sight.settings) or was.type != "A"):
                yield f"changed, and foreign or no A record: {was}"


def _harm_by_delete(record: DnsRecord, sight: Sight, excuse: Excuse) -> Iterator[str]:
    cls = spec.class_of(sight, record.instance)
    if not owners.is_ours(record, sight.settings):
        yield f"deleted, and not ours: {record}"
    if not spec.record_goes(sight, record) and not (excuse.was_blind and cls in spec.ALIVE):
        yield f"deleted {record}: its machine is {cls}, which is not enough: {sight.instances.get(record.instance)}"
