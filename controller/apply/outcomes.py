"""Collect how each change of an apply ended: noted by its threads, read at the end or at the deadline."""

import threading
from collections.abc import Iterable

from controller.errors import WatchdogError
from controller.model import Applied, Change, Finding, Outcome, Plan, Result
from controller.ports import Listener

NOT_REACHED = "The pass ended before it knew that this change was applied. The next pass continues."


class Outcomes:
    """The outcome of each change. A change without one was not reached. Calls the listener for each outcome."""

    def __init__(self, plan: Plan, listener: Listener) -> None:
        self._listener = listener
        self._lock = threading.Lock()
        self._changes = plan.changes
        # The guard has decided these: no thread notes them.
        self._results = {c.ident: Result(c, Outcome.GUARDED) for c in plan.changes if c.guarded}
        self._findings = list[Finding]()

    def note(self, change: Change, outcome: Outcome, error: WatchdogError | str | None = None) -> None:
        """Note how the change ended. ``change`` carries what was really written."""
        result = Result(change, outcome, None if error is None else str(error))
        with self._lock:
            self._results[change.ident] = result
        self._listener.on_result(result)

    def note_all(self, changes: Iterable[Change], outcome: Outcome, error: WatchdogError | str | None = None) -> None:
        """Note the same outcome for several changes."""
        for change in changes:
            self.note(change, outcome, error)

    def find(self, *findings: Finding) -> None:
        """Add findings of the apply."""
        with self._lock:
            self._findings.extend(findings)

    def of(self, changes: Iterable[Change]) -> set[Outcome]:
        """Return the set of these changes' outcomes."""
        with self._lock:
            results = [self._results.get(change.ident) for change in changes]
        return {result.outcome if result else Outcome.NOT_REACHED for result in results}

    def close(self) -> Applied:
        """Return every change with its outcome, in the order of the plan."""
        with self._lock:
            unknown = (Result(change, Outcome.NOT_REACHED, NOT_REACHED) for change in self._changes)
            results = (self._results.get(result.change.ident, result) for result in unknown)
            return Applied(tuple(results), tuple(self._findings))
