"""Carries out a plan: order, side by side where that is safe, and each failure kept to what depends on it.

Removals from rows run beside the Cloudflare writes, since a record's delete never waits for a row. Then come links
whose records are known to be in place, then the ends of meetings.
"""

from collections.abc import Callable, Iterable, Sequence

from controller.apply_records import RecordApplier
from controller.apply_rows import RowApplier
from controller.board import Board
from controller.budget import Budget
from controller.errors import DeadlineError, WatchdogError
from controller.model import RECORD_ACTIONS, Action, Applied, Change, Outcome, Plan, World
from controller.parallel import Pending
from controller.ports import Readers, Writers
from controller.settings import Settings


def apply(  # everything that an apply stands on, each named once
    plan: Plan, world: World, settings: Settings, readers: Readers, writers: Writers, budget: Budget
) -> Applied:
    """Do what the plan says, and say of every change how it ended. Raises nothing of ours."""
    board = Board(plan)
    records = RecordApplier(readers.records, writers.records, world, settings, budget, board)
    rows = RowApplier(readers, writers.rows, world, settings, budget, board)
    open_changes = [change for change in plan.changes if not change.held]
    record_changes = [change for change in open_changes if change.action in RECORD_ACTIONS]

    side_by_side = [
        Pending(_quiet(lambda: records.apply(record_changes)), budget),
        Pending(_quiet(lambda: rows.apply(_only(open_changes, Action.CLEAR_LINK))), budget),
    ]
    for pending in side_by_side:
        _finish(pending)
    links = _only(open_changes, Action.WRITE_LINK)
    reached = [link for link in links if board.has_applied(_records_of(link, record_changes))]
    fallbacks = _give_up(board, [link for link in links if link not in reached])
    _finish(Pending(_quiet(lambda: rows.apply([*reached, *fallbacks])), budget))
    _finish(Pending(_quiet(lambda: rows.apply(_only(open_changes, Action.TERMINATE_MEETING))), budget))
    return board.close()


def _only(changes: Iterable[Change], action: Action) -> list[Change]:
    return [change for change in changes if change.action is action]


def _records_of(link: Change, record_changes: Sequence[Change]) -> list[Change]:
    """The record changes that a link depends on: all at its machine's name, or a user may still be led elsewhere."""
    return [change for change in record_changes if change.instance == link.instance]


def _give_up(board: Board, links: Iterable[Change]) -> list[Change]:
    """A link whose record is not in place is not reached; the dead link it would have replaced goes all the same."""
    fallbacks = []
    for link in links:
        board.note(link, Outcome.NOT_REACHED, f"The record of {link.instance} is not in place, so no link is written.")
        for fallback in link.instead:
            board.add(fallback)
            fallbacks.append(fallback)
    return fallbacks


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
