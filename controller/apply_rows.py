"""Carries out the row changes of a plan: one conditional write a row, and a second look where the row has moved on."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from controller.board import Board
from controller.budget import Budget
from controller.errors import CallError, ConditionError, DeadlineError, TerminalError, ThrottledError, TransientError
from controller.model import Change, Meeting, Outcome, RowWrite, World
from controller.parallel import gather
from controller.ports import Readers, RowWriter
from controller.rules import reconsider
from controller.rules.facts import Facts, linked_ids, named_ids
from controller.settings import Settings

T = TypeVar("T")


@dataclass(slots=True)
class RowApplier:
    """Applies row changes and notes on the board how each ended."""

    readers: Readers
    writer: RowWriter
    world: World
    settings: Settings
    budget: Budget
    board: Board
    _facts: Facts = field(init=False)

    def __post_init__(self) -> None:
        self._facts = Facts.of(self.world, self.settings)

    def apply(self, changes: Sequence[Change]) -> None:
        """All of them, a row's changes in one write. Raises a TerminalError, since no other row would fare better."""
        by_row = defaultdict[str, list[Change]](list)
        for change in changes:
            by_row[change.key].append(change)
        gather([partial(self._write, row, some) for row, some in by_row.items()], self.budget)

    def _write(self, row: str, changes: list[Change]) -> None:
        """One write, and a second one where the row has moved on. Raises a TerminalError."""
        try:
            self._attempt(row, changes)
        except ConditionError as error:
            wanted = self._still_wanted(row, changes, is_sent=error.retried)
        else:
            return
        if not wanted:
            return
        try:
            self._attempt(row, wanted)
        except ConditionError:
            self.board.note_all(wanted, Outcome.SUPERSEDED, "The row has moved on again; the next pass looks again.")

    def _attempt(self, row: str, changes: list[Change]) -> None:
        with self._noting(changes):
            self.writer.write(row, _merged(changes))
            self.board.note_all(changes, Outcome.APPLIED)

    @contextmanager
    def _noting(self, changes: list[Change]) -> Iterator[None]:
        """Note what goes wrong with these changes; a failed condition, and what concerns every row, is passed on."""
        try:
            yield
        except ConditionError:
            raise
        except (ThrottledError, TransientError, DeadlineError) as error:
            self.board.note_all(changes, Outcome.NOT_REACHED, error)
        except CallError as error:
            self.board.note_all(changes, Outcome.FAILED, error)
            if isinstance(error, TerminalError):
                raise

    def _still_wanted(self, row: str, changes: list[Change], *, is_sent: bool) -> list[Change]:
        """Read the row again once, with the instances it names now, and ask the rules again.

        ``is_sent``: an earlier write may have been done, and its answer lost.
        """
        with self._noting(changes):
            meeting = next(iter(self.readers.table.rows([row])), None)
            if is_sent and meeting and _is_done(meeting, changes):
                self.board.note_all(changes, Outcome.APPLIED)
                return []
            world = self._refreshed(meeting)
            wanted = []
            for change in changes:
                again = reconsider(change, meeting, world, self.world, self.settings)
                if again is None:
                    self.board.note(change, Outcome.SUPERSEDED, "The row has moved on and no longer wants this change.")
                else:
                    wanted.append(again)
            return wanted
        return []

    def _refreshed(self, meeting: Meeting | None) -> World:
        """The part of the world that matters to this row, with the instances that it names now.

        One that was not absent when the plan was made is not absent now either, only unknown: it proves nothing.
        """
        if meeting is None:
            return self.world
        asked = linked_ids(meeting, self.settings) | set(named_ids(meeting).values())
        found = {machine.id: machine for machine in self.readers.fleet.by_id(asked)} if asked else {}
        members = {
            machine.id: machine for machine in self._facts.members.get(meeting.id, ()) if machine.id not in asked
        }
        records = [record for i in {*asked, *members} for record in self._facts.records.get(i, ())]
        return replace(self.world, instances={**members, **found}, records=tuple(records))


def _merged(changes: Sequence[Change]) -> RowWrite:
    """One write for all changes of a row."""
    writes = [change.row for change in changes if change.row]
    return RowWrite(
        conditions=_unique(condition for write in writes for condition in write.conditions),
        sets=_unique(pair for write in writes for pair in write.sets),
        defaults=_unique(pair for write in writes for pair in write.defaults),
        removes=_unique(name for write in writes for name in write.removes),
    )


def _unique(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))


def _is_done(meeting: Meeting, changes: Sequence[Change]) -> bool:
    """Whether the row is as the changes wanted it: an earlier attempt was applied and its answer lost."""
    values = {"status": meeting.status, **{f"{role}_ec2_link": link for role, link in meeting.links.items()}}
    write = _merged(changes)
    has_sets = all(values.get(name) == value for name, value in write.sets)
    return has_sets and all(values.get(name) is None for name in write.removes)
