"""Was every step of a pass allowed? The history of its calls, judged write by write, and its guards."""

from collections.abc import Collection, Iterable, Iterator

from controller.settings import Settings
from tests.properties import owners, spec
from tests.properties.clouds import Event, Write
from tests.properties.knowledge import Knowledge
from tests.properties.spec import Sight
from tests.properties.spec_records import judge_record_write
from tests.properties.spec_rows import judge_row_write


def misdeeds(
    journal: Iterable[Event], settings: Settings, scope: Collection[str] | None = None, *, force: bool = False
) -> list[str]:
    """Everything that one pass did and may not do, as sentences."""
    known, found, concluded = Knowledge(settings), list[str](), set[str]()
    for event in journal:
        if isinstance(event, Write):
            found += judge_write(event, known)
            concluded |= conclusions(event, known.sight(event.before))
            if scope is not None:
                found += a_scoped_pass_stays_in_its_scope(event, known, scope)
        known.learn(event)
    if not force and known.first:
        found += _guards(concluded, known, known.first, scope)
    return found


def judge_write(event: Write, known: Knowledge) -> list[str]:
    """What was wrong with one write."""
    if event.method != "rows.write":
        return list(judge_record_write(event, known))
    wrong = min((list(judge_row_write(event, sight)) for sight in known.sights(event)), key=len)
    return [*wrong, *the_evidence_is_younger_than_the_listing_of_rows(event, known)]


def the_evidence_is_younger_than_the_listing_of_rows(event: Write, known: Knowledge) -> Iterator[str]:
    """Evidence that destroys is read after what it destroys.

    A row that is read by key alone is read for the sake of machines that were seen before it.
    """
    listed = known.row_listed.get(event.key, -1)
    for instance in sorted(ended_by(event, known.sight(event.before))):
        if known.instance_read.get(instance, -1) < listed:
            yield f"{event.key}: a link or its end rests on {instance}, which was not read after it"


def conclusions(event: Write, sight: Sight) -> set[str]:
    """The instances whose end this write takes for granted, on absence or on a lost tag alone."""
    return {i for i in ended_by(event, sight) if spec.class_of(sight, i) in spec.GUARDED}


def ended_by(event: Write, sight: Sight) -> set[str]:
    """The instances for whose end this write takes something away."""
    if event.method != "rows.write":
        return {r.instance for key, r in event.before.records.items() if key not in event.after.records}
    before, after = event.before.rows[event.key], event.after.rows[event.key]
    if after.get("status") == "TERMINATED":
        return spec.members(sight, event.key, before) | spec.dead_ends(sight, event.key, before)
    removed = [r for r in sight.settings.roles if f"{r}_ec2_link" in before and f"{r}_ec2_link" not in after]
    there = {spec.linked(before, role, sight.settings) for role in removed}
    return {i for i in there if i}


def _guards(concluded: set[str], known: Knowledge, first: Sight, scope: Collection[str] | None) -> Iterator[str]:
    if scope is not None and concluded:
        yield f"a scoped pass made guarded changes for {sorted(concluded)}"
    if scope is None and known.listed == 0 and concluded:
        yield f"the instance listing was empty, and guarded changes were made for {sorted(concluded)}"
    if scope is None and len(concluded) > guard_limit(first):
        yield f"{len(concluded)} guarded conclusions, and {guard_limit(first)} are allowed"


def guard_limit(sight: Sight) -> float:
    """max(MAX_GUARDED_DELETES, percent of the distinct instances that our records and the rows name), not rounded."""
    settings = sight.settings
    distinct = {r.instance for r in sight.records if owners.is_ours(r, settings)}
    for row in sight.rows.values():
        if row.get("status") != "TERMINATED":
            named = [spec.named(row, role) for role in settings.roles]
            linked = [spec.linked(row, role, settings) for role in settings.roles]
            distinct |= {i for i in (*named, *linked) if i}
    return max(settings.max_guarded_deletes, settings.max_guarded_delete_percent * len(distinct) / 100)


def a_scoped_pass_stays_in_its_scope(event: Write, known: Knowledge, scope: Collection[str]) -> Iterator[str]:
    """These instances' records, their roles' links, and their meetings' termination; nothing of a stranger's.

    A stranger's is a machine alive that was never seen with our tag; one that loses it during the pass is none.
    """
    sight = known.sight(event.before)
    if event.method != "rows.write":
        touched = {**event.before.records, **event.after.records}
        changed = [r for key, r in touched.items() if event.before.records.get(key) != event.after.records.get(key)]
        yield from (f"{r.name} is not in scope" for r in changed if r.instance not in scope)
        strangers = [r for r in changed if spec.class_of(sight, r.instance) == spec.UNTAGGED]
        yield from (f"{r.name} is a stranger's" for r in strangers if r.instance not in known.claims)
        return
    before, after = event.before.rows[event.key], event.after.rows[event.key]
    roles = [role for i in scope for meeting, role in known.claims.get(i, ()) if meeting == event.key]
    if not roles:
        yield f"{event.key} is not in scope"
    for role in sight.settings.roles:
        is_changed = before.get(f"{role}_ec2_link") != after.get(f"{role}_ec2_link")
        is_in_scope = after.get("status") == "TERMINATED" or role in roles
        if is_changed and not is_in_scope:
            yield f"{event.key}: the link of {role} is not in scope"
