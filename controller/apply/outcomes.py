"""How each change of an apply has ended: noted by its threads, read at the end or at the deadline."""

import threading
from collections.abc import Iterable

from controller.errors import WatchdogError
from controller.model import Applied, Change, Finding, Outcome, Plan, Result
from controller.ports import Listener

NOT_REACHED = "The pass ended before this change was known to be done; the next pass carries on."


class Outcomes:
    """Outcome per change. What nobody noted was not reached. The listener hears of each as it comes."""

    def __init__(self, plan: Plan, listener: Listener) -> None:
        self._listener = listener
        self._lock = threading.Lock()
        self._changes = plan.changes
        # A guarded change has ended with that.
        self._results = {c.ident: Result(c, Outcome.GUARDED) for c in plan.changes if c.guarded}
        self._findings = list[Finding]()

    def note(self, change: Change, outcome: Outcome, error: WatchdogError | str | None = None) -> None:
        """How the change ended. ``change`` carries what was really written."""
        result = Result(change, outcome, None if error is None else str(error))
        with self._lock:
            self._results[change.ident] = result
        self._listener.on_result(result)

    def note_all(self, changes: Iterable[Change], outcome: Outcome, error: WatchdogError | str | None = None) -> None:
        """The same end for several changes."""
        for change in changes:
            self.note(change, outcome, error)

    def find(self, *findings: Finding) -> None:
        """What was found while applying."""
        with self._lock:
            self._findings.extend(findings)

    def of(self, changes: Iterable[Change]) -> set[Outcome]:
        """How these ended."""
        with self._lock:
            results = [self._results.get(change.ident) for change in changes]
        return {result.outcome if result else Outcome.NOT_REACHED for result in results}

    def close(self) -> Applied:
        """Every change with its end, in the order of the plan."""
        with self._lock:
            unknown = (Result(change, Outcome.NOT_REACHED, NOT_REACHED) for change in self._changes)
            results = (self._results.get(result.change.ident, result) for result in unknown)
            return Applied(tuple(results), tuple(self._findings))
