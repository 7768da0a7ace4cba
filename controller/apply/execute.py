"""Apply a plan: in order, side by side if that is safe, and so that a failure stops only what depends on it.

Row writes that need nothing from Cloudflare run beside the Cloudflare writes: removals of links, links with records
that were in place before, ends of meetings without a record to change. A batch that hangs must not delay them, and a
delete of a record never waits for a row. Then come links with records that this pass created or updated, then the other
ends.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from functools import partial
from typing import TypeVar

from controller.apply.first_create import prove_zone
from controller.apply.outcomes import Outcomes
from controller.apply.records import RecordApplier
from controller.apply.rows import RowApplier
from controller.errors import DeadlineError, WatchdogError
from controller.model import (
    Applied,
    Change,
    ClearLink,
    DeleteRecord,
    EndMeeting,
    Outcome,
    Plan,
    RecordChange,
    RowChange,
    World,
    WriteLink,
)
from controller.ports import Context, Listener, Writers
from controller.runtime.threads import Task

C = TypeVar("C", bound=Change)


def apply(plan: Plan, world: World, context: Context, writers: Writers, listener: Listener) -> Applied:
    """Apply the plan and return each change's outcome. Raises no WatchdogError.

    The listener is called for each change when it has ended, from several threads.
    """
    outcomes = Outcomes(plan, listener)
    records = RecordApplier(context, writers.records, world, outcomes)
    rows = RowApplier(context, writers.rows, world, outcomes)
    allowed = [change for change in plan.changes if not change.guarded]
    record_changes = [change for change in allowed if isinstance(change, RecordChange)]
    row_changes = [change for change in allowed if isinstance(change, RowChange)]
    moving = {change.instance for change in record_changes}
    free = [change for change in row_changes if _is_free(change, moving)]
    links = [change for change in row_changes if isinstance(change, WriteLink) and not _is_free(change, moving)]
    ends = [change for change in row_changes if isinstance(change, EndMeeting) and not _is_free(change, moving)]

    def start(write: Callable[[Sequence[C]], None], changes: Sequence[C]) -> list[Task[None]]:
        return [Task(_quiet(lambda: write(changes)), context.budget)] if changes else []

    _finish(start(partial(_write_records, records), record_changes) + start(rows.apply, free))
    _finish(start(rows.apply, _ready(records, links, record_changes)))
    _finish(start(rows.apply, ends))
    return outcomes.close()


def _is_free(change: RowChange, moving: AbstractSet[str | None]) -> bool:
    """Return whether a change to a row needs nothing from Cloudflare."""
    match change:
        case ClearLink():
            return True
        case WriteLink():
            return change.instance not in moving
        case _:
            return moving.isdisjoint(change.evidence)


def _write_records(applier: RecordApplier, changes: Sequence[RecordChange]) -> None:
    """Write the records. A zone that is not known to hold DOMAIN_ROOT has no own record, so the plan only creates."""
    applier.apply(changes if applier.world.zone.holds_domain else prove_zone(applier, changes))


def _ready(
    records: RecordApplier, links: Iterable[WriteLink], record_changes: Iterable[RecordChange]
) -> list[WriteLink]:
    """Return the links with names that lead to their machines now.

    That needs all changes at the name to be applied: until then it may lead a user elsewhere.
    """
    changes_of = defaultdict[str | None, list[RecordChange]](list)
    for change in record_changes:
        changes_of[change.instance].append(change)
    return [link for link in links if _is_ready(records, link, changes_of[link.instance])]


def _is_ready(records: RecordApplier, link: WriteLink, changes: Sequence[RecordChange]) -> bool:
    """Return whether the link may be written. If not, note its outcome."""
    ended = records.outcomes.of(changes)
    is_lost = link.instance in records.lost and all(isinstance(change, DeleteRecord) for change in changes)
    if ended <= {Outcome.APPLIED} and not is_lost:
        return True
    is_superseded = ended <= {Outcome.APPLIED, Outcome.SUPERSEDED}
    outcome = Outcome.SUPERSEDED if is_superseded else Outcome.NOT_REACHED
    records.outcomes.note(link, outcome, f"The record of {link.instance} is not in place, so no link is written.")
    return False


def _quiet(action: Callable[[], None]) -> Callable[[], None]:
    """Return the action without its WatchdogErrors: they are noted already and must not stop the other parts."""

    def attempt() -> None:
        try:
            action()
        except WatchdogError:
            return

    return attempt


def _finish(parts: Iterable[Task[None]]) -> None:
    """Wait for the parts, at most until the deadline. What they have not noted by then counts as not reached."""
    for part in parts:
        with suppress(DeadlineError):
            part.result()
