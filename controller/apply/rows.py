"""Apply the row changes of a plan: one conditional write a row, and another look if the row changed since."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from controller.apply.outcomes import Outcomes
from controller.errors import CallError, ConditionError, DeadlineError, TerminalError, ThrottledError, TransientError
from controller.model import Meeting, Outcome, RowChange, World
from controller.ports import Context, RowWriter
from controller.rules.facts import Facts, linked_ids, named_ids
from controller.rules.plan import reconsider
from controller.rules.verify import is_row_as_written, merged
from controller.runtime.threads import gather


@dataclass(slots=True)
class RowApplier:
    """Applies row changes and notes each outcome."""

    context: Context
    writer: RowWriter
    world: World
    outcomes: Outcomes
    _facts: Facts = field(init=False)

    def __post_init__(self) -> None:
        self._facts = Facts.of(self.world, self.context.settings)

    def apply(self, changes: Sequence[RowChange]) -> None:
        """Apply the changes, those of a row in one write. Raises a TerminalError: it would fail every other row too."""
        by_row = defaultdict[str, list[RowChange]](list)
        for change in changes:
            by_row[change.key].append(change)
        gather([partial(self._write, row, some) for row, some in by_row.items()], self.context.budget)

    def _write(self, row: str, changes: list[RowChange]) -> None:
        """Write once, and once more if the row changed since. Raises a TerminalError."""
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
            self.outcomes.note_all(wanted, Outcome.SUPERSEDED, "The row changed again. The next pass looks again.")

    def _attempt(self, row: str, changes: list[RowChange]) -> None:
        with self._noting(changes):
            self.writer.write(row, merged([change.write for change in changes]))
            self.outcomes.note_all(changes, Outcome.APPLIED)

    @contextmanager
    def _noting(self, changes: list[RowChange]) -> Iterator[None]:
        """Note a failure of these changes. Raises a ConditionError, and a TerminalError, which concerns every row."""
        try:
            yield
        except ConditionError:
            raise
        except (ThrottledError, TransientError, DeadlineError) as error:
            self.outcomes.note_all(changes, Outcome.NOT_REACHED, error)
        except CallError as error:
            self.outcomes.note_all(changes, Outcome.FAILED, error)
            if isinstance(error, TerminalError):
                raise

    def _still_wanted(self, row: str, changes: list[RowChange], *, is_sent: bool) -> list[RowChange]:
        """Read the row and the instances that it names now, and return the changes that the rules still want.

        ``is_sent``: an earlier write may have been applied, and its answer lost.
        """
        with self._noting(changes):
            meeting = next(iter(self.context.readers.table.rows([row])), None)
            if is_sent and meeting and is_row_as_written(meeting, merged([change.write for change in changes])):
                self.outcomes.note_all(changes, Outcome.APPLIED)
                return []
            world = self._refreshed(meeting)
            wanted = []
            for change in changes:
                again = reconsider(change, meeting, world, self.world, self.context.settings)
                if again is None:
                    self.outcomes.note(change, Outcome.SUPERSEDED, "The row changed and no longer needs this change.")
                else:
                    wanted.append(again)
            return wanted
        return []

    def _refreshed(self, meeting: Meeting | None) -> World:
        """Return the part of the world that matters to this row, with the instances that it names now.

        A missing instance that was not absent in the plan counts as unknown, which proves nothing.
        """
        if meeting is None:
            return self.world
        asked = linked_ids(meeting, self.context.settings) | set(named_ids(meeting).values())
        found = {machine.id: machine for machine in self.context.readers.fleet.by_id(asked)} if asked else {}
        members = {
            machine.id: machine for machine in self._facts.members.get(meeting.id, ()) if machine.id not in asked
        }
        records = [record for i in {*asked, *members} for record in self._facts.records.get(i, ())]
        unread = frozenset(self.context.readers.unread())
        return replace(self.world, instances={**members, **found}, records=tuple(records), unread=unread)
