"""Was every step of a pass allowed? The history of its calls, judged write by write, and its guard."""

from collections.abc import Collection, Iterable, Iterator

from controller.model import DnsRecord
from controller.settings import Settings
from tests.support.journal import Event, Write
from tests.support.spec import sight as spec
from tests.support.spec.knowledge import Knowledge
from tests.support.spec.records import judge_record_write
from tests.support.spec.rows import judge_row_write
from tests.support.spec.sight import Sight


def misdeeds(
    journal: Iterable[Event], settings: Settings, scope: Collection[str] | None = None, *, force: bool = False
) -> list[str]:
    """Everything that one pass did and may not do, as sentences."""
    known, found = Knowledge(settings, is_full=scope is None), list[str]()
    for event in journal:
        if isinstance(event, Write):
            found += _fewest(_judged(event, sight, known, scope, force=force) for sight in known.sights(event))
        known.learn(event)
    return found


def _fewest(verdicts: Iterable[Iterable[str]]) -> list[str]:
    """The mildest of them."""
    return min(map(list[str], verdicts), key=len)


def _judged(
    event: Write, sight: Sight, known: Knowledge, scope: Collection[str] | None, *, force: bool
) -> Iterator[str]:
    """What was wrong with one write, by what is known."""
    if event.key:
        yield from judge_row_write(event, sight)
        yield from the_evidence_was_looked_at_twice(event, sight, known)
    else:
        yield from judge_record_write(event, sight, known)
    if not force:
        yield from what_rests_on_absence_is_held(event, sight, known)
    if scope is not None:
        yield from a_scoped_pass_stays_in_its_scope(event, sight.settings, scope)
        yield from a_strangers_name_is_left_alone(event, sight, known)


def the_evidence_was_looked_at_twice(event: Write, sight: Sight, known: Knowledge) -> Iterator[str]:
    """Evidence that destroys is read after what it destroys, and once more by id.

    A row that has moved on is read again, and then the machines that it names; that look is the only one.
    """
    for instance in sorted(ended_by(event, sight)):
        has_looked = event.key == known.asked_again and instance in known.described
        if not has_looked and not known.has_looked_twice(instance, after=known.row_read.get(event.key, 0)):
            yield f"{event.key}: a link or its end rests on {instance}, which was not described once more after it"
    for instance in sorted(left_by(event, sight)):
        if known.described.get(instance, -1) < known.row_read.get(event.key, 0):
            yield f"{event.key}: a link leads to {instance} no more, which was not described after it"


def ended_by(event: Write, sight: Sight) -> set[str]:
    """The instances that this write takes something away from, for their end or their address."""
    if not event.key:
        return {r.instance for key, r in event.before.records.items() if key not in event.after.records}
    before, after = event.before.rows[event.key], event.after.rows[event.key]
    if after.get("status") == "TERMINATED":
        return spec.rests_on(sight, event.key, before)
    removed = [r for r in sight.settings.roles if f"{r}_ec2_link" in before and f"{r}_ec2_link" not in after]
    there = {spec.linked(before, role, sight.settings) for role in removed}
    return {i for i in there if i}


def left_by(event: Write, sight: Sight) -> set[str]:
    """The instances to which a link led, by what the pass read, that leads to another one now."""
    before, after = event.before.rows[event.key], event.after.rows[event.key]
    known = spec.links_of(sight.rows.get(event.key, {}), sight.settings)
    new = spec.links_of(after, sight.settings)
    moved = {role for role in new if before.get(f"{role}_ec2_link") != after.get(f"{role}_ec2_link")}
    return {there for role, there in known.items() if role in moved and new[role] != there}


def what_rests_on_absence_is_held(event: Write, sight: Sight, known: Knowledge) -> Iterator[str]:
    """Without force nothing rests on absence where absence is not believed; a scoped pass never does."""
    absent = {i for i in ended_by(event, sight) if spec.class_of(sight, i) == spec.ABSENT}
    if absent and not spec.believes_absence(known.first or sight):
        yield f"absence is not believed here, and this was done for that of {sorted(absent)}"


def a_scoped_pass_stays_in_its_scope(event: Write, settings: Settings, scope: Collection[str]) -> Iterator[str]:
    """These instances' records, and links that lead, or are to lead, to them; and no end."""
    if not event.key:
        yield from (f"{record.name} is not in scope" for record in _changed(event) if record.instance not in scope)
        return
    before, after = event.before.rows.get(event.key, {}), event.after.rows.get(event.key, {})
    if after.get("status") == "TERMINATED" != before.get("status"):
        yield f"{event.key} was ended by a scoped pass"
    for role in settings.roles:
        is_changed = before.get(f"{role}_ec2_link") != after.get(f"{role}_ec2_link")
        leads = spec.linked(after, role, settings) or spec.linked(before, role, settings)
        if is_changed and leads not in scope:
            yield f"{event.key}: the link of {role} to {leads} is not in scope"


def a_strangers_name_is_left_alone(event: Write, sight: Sight, known: Knowledge) -> Iterator[str]:
    """A stranger's is a machine that was never seen but alive and without our tag; a scoped pass leaves it alone."""
    for record in () if event.key else _changed(event):
        if spec.class_of(sight, record.instance) == spec.UNTAGGED and record.instance not in known.claims:
            yield f"{record.name} is a stranger's"


def _changed(event: Write) -> list[DnsRecord]:
    before, after = event.before.records, event.after.records
    return [record for key, record in {**before, **after}.items() if before.get(key) != after.get(key)]
