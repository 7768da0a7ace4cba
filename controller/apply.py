"""Carries out a plan: order, side by side where that is safe, and each failure kept to what depends on it.

Row writes that need nothing from Cloudflare run beside the Cloudflare writes: removals, links whose records were in
place before, ends whose machines have no record to change. A batch that hangs must not cost them, and a record's
delete never waits for a row. Then come links whose records this pass has put in place, then the other ends.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet

from controller.apply_first import prove_zone
from controller.apply_records import RecordApplier
from controller.apply_rows import RowApplier
from controller.board import Board
from controller.budget import Budget
from controller.errors import DeadlineError, WatchdogError
from controller.model import RECORD_ACTIONS, Action, Applied, Change, Outcome, Plan, Result, World
from controller.parallel import Pending
from controller.ports import Readers, Writers
from controller.settings import Settings


def apply(  # everything that an apply stands on, each named once
    plan: Plan,
    world: World,
    settings: Settings,
    readers: Readers,
    writers: Writers,
    budget: Budget,
    on_result: Callable[[Result], None] = lambda _: None,
) -> Applied:
    """Do what the plan says, and say of every change how it ended. Raises nothing of ours.

    ``on_result`` is told of each change's end as it comes, from several threads.
    """
    board = Board(plan, on_result)
    records = RecordApplier(readers.records, writers.records, world, settings, budget, board)
    rows = RowApplier(readers, writers.rows, world, settings, budget, board)
    open_changes = [change for change in plan.changes if not change.held]
    record_changes = [change for change in open_changes if change.action in RECORD_ACTIONS]

    moving = {change.instance for change in record_changes}
    row_changes = [change for change in open_changes if change.action not in RECORD_ACTIONS]
    free = [change for change in row_changes if _is_free(change, moving)]
    bound = [change for change in row_changes if not _is_free(change, moving)]

    side_by_side = [
        Pending(_quiet(lambda: _write_records(records, record_changes)), budget),
        Pending(_quiet(lambda: rows.apply(free)), budget),
    ]
    for pending in side_by_side:
        _finish(pending)
    links = _ready(records, _only(bound, Action.WRITE_LINK), record_changes)
    _finish(Pending(_quiet(lambda: rows.apply(links)), budget))
    _finish(Pending(_quiet(lambda: rows.apply(_only(bound, Action.TERMINATE_MEETING))), budget))
    return board.close()


def _is_free(change: Change, moving: AbstractSet[str | None]) -> bool:
    """Whether a row's change needs nothing from Cloudflare."""
    match change.action:
        case Action.CLEAR_LINK:
            return True
        case Action.WRITE_LINK:
            return change.instance not in moving
        case _:
            return moving.isdisjoint(change.evidence)


def _write_records(applier: RecordApplier, changes: Sequence[Change]) -> None:
    """A zone that is not known to hold DOMAIN_ROOT has no record of ours: all that is to be done there is creating."""
    applier.apply(changes if applier.world.zone.holds_domain else prove_zone(applier, changes))


def _only(changes: Iterable[Change], action: Action) -> list[Change]:
    return [change for change in changes if change.action is action]


def _ready(records: RecordApplier, links: Iterable[Change], record_changes: Iterable[Change]) -> list[Change]:
    """The links whose records are in place.

    In place is all that was to be done at the machine's name: until then a user may still be led elsewhere.
    """
    board, records_of = records.board, defaultdict[str | None, list[Change]](list)
    for change in record_changes:
        records_of[change.instance].append(change)
    ready = list[Change]()
    for link in links:
        others = records_of[link.instance]
        outcomes = board.outcomes(others)
        is_lost = link.instance in records.lost and all(change.action is Action.DELETE_RECORD for change in others)
        if outcomes <= {Outcome.APPLIED} and not is_lost:
            ready.append(link)
            continue
        moved = outcomes <= {Outcome.APPLIED, Outcome.SUPERSEDED}
        outcome = Outcome.SUPERSEDED if moved else Outcome.NOT_REACHED
        board.note(link, outcome, f"The record of {link.instance} is not in place; no link is written.")
    return ready


def _quiet(action: Callable[[], None]) -> Callable[[], None]:
    """An error that stops one part is on the board already, and must not stop the other parts."""

    def attempt() -> None:
        try:
            action()
        except WatchdogError:
            return

    return attempt


def _finish(pending: Pending[None]) -> None:
    """Wait for a part; at the deadline what it has not noted was not reached."""
    try:
        pending.result()
    except DeadlineError:
        return
