"""Several cells as one fleet: an account and a region each, read side by side, each within its share of the pass.

A cell that cannot be read is unknown from then on for this pass: it is not asked again, and what it showed before does
not count. The others are not held up by it.
"""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

from controller.aws.ec2 import FILTER_VALUES, Ec2Fleet
from controller.errors import CallError, DeadlineError
from controller.model import Instance
from controller.runtime.budget import Budget
from controller.runtime.threads import Task

#: The share of what is left of a pass that one look at a cell may take.
SHARE = 0.4
#: Seconds that a look at named machines or meetings may take at most, and one more for each further call. Every event
#: needs such looks at all cells, so the users of the others wait for a cell that hangs.
PATIENCE = 20.0

Look = Callable[[Ec2Fleet], list[Instance]]


@dataclass(frozen=True, slots=True)
class CellFleet:
    """The instances of all cells."""

    cells: Mapping[str, Ec2Fleet]
    budget: Budget
    _unread: dict[str, CallError] = field(default_factory=dict)

    def tagged(self) -> list[Instance]:
        """Return every instance with the project's tag, in any state."""
        return self._look({cell: lambda fleet: fleet.tagged() for cell in self.cells})

    def by_id(self, ids: Collection[str]) -> list[Instance]:
        """Return the instances among these that EC2 knows, in whatever cell."""
        return self.at_home(ids, {})

    def at_home(self, ids: Collection[str], homes: Mapping[str, str]) -> list[Instance]:
        """Return the instances among these that EC2 knows. Ask in its cell, or in every cell if it is not known."""
        asked = {cell: {i for i in ids if homes.get(i, cell) == cell} for cell in self.cells}
        return self._look({cell: _described(some) for cell, some in asked.items() if some}, _patience(ids))

    def of_meetings(self, meetings: Collection[str]) -> list[Instance]:
        """Return every instance with the tag of one of these meetings, also without the project's tag."""
        return self._look({cell: lambda fleet: fleet.of_meetings(meetings) for cell in self.cells}, _patience(meetings))

    def unread(self) -> Mapping[str, CallError]:
        """Return the cells that could not be read, and why."""
        return dict(self._unread)

    def _look(self, looks: Mapping[str, Look], patience: float = math.inf) -> list[Instance]:
        """Return what the cells answer. Note a cell that fails; the caller drops what that one answered before."""
        seconds = min(self.budget.remaining() * SHARE, patience)
        share = self.budget.within(seconds)
        open_ = {cell: look for cell, look in looks.items() if cell not in self._unread}
        tasks = {cell: Task(self._in(cell, look, share), share) for cell, look in open_.items()}
        found: list[Instance] = []
        for cell, task in tasks.items():
            try:
                found += task.result()
            except DeadlineError:
                self._unread[cell] = _silent(seconds)
            except CallError as error:
                self._unread[cell] = error
        return found

    def _in(self, cell: str, look: Look, share: Budget) -> Callable[[], list[Instance]]:
        return lambda: look(replace(self.cells[cell], budget=share))


def _patience(named: Collection[str]) -> float:
    return PATIENCE + len(named) / FILTER_VALUES


def _silent(seconds: float) -> DeadlineError:
    """Return the error of a cell that did not answer in its share of the pass: the pass itself goes on."""
    return DeadlineError(
        f"AWS did not answer completely within {seconds:.0f} seconds, the cell's share of the pass.",
        "Check the health of that region, and the network to it.",
    )


def _described(ids: Collection[str]) -> Look:
    return lambda fleet: fleet.by_id(ids)
