"""What the doctor says: checks as values, and the means to make them side by side."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from controller.errors import DeadlineError, WatchdogError
from controller.runtime.budget import Budget
from controller.runtime.threads import Task


class Status(StrEnum):
    """How a check ended."""

    PASS = "pass"  # noqa: S105  # a word of this report, not a password
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"
    """Not made, because of something that another check tells."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: ``seen`` is for a person and holds no secret, ``fix`` says what to do."""

    id: str
    status: Status
    seen: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All checks, in the order in which they are shown."""

    checks: tuple[Check, ...]

    @property
    def healthy(self) -> bool:
        """Whether nothing failed; a warning is for a person to judge."""
        return not self.count(Status.FAIL)

    def count(self, status: Status) -> int:
        """How many checks ended so."""
        return sum(check.status is status for check in self.checks)


@dataclass(frozen=True, slots=True)
class Part:
    """Checks that follow one another; a part that hangs is told under ``id``."""

    id: str
    checks: Callable[[], Iterable[Check]]


def passed(id: str, seen: str) -> Check:
    """Nothing is wrong."""
    return Check(id, Status.PASS, seen)


def warned(id: str, seen: str, fix: str) -> Check:
    """It works, or may work, and somebody should look."""
    return Check(id, Status.WARN, seen, fix)


def failed(id: str, seen: str, fix: str) -> Check:
    """A pass cannot do its work, or part of it, like this."""
    return Check(id, Status.FAIL, seen, fix)


def skipped(id: str, because: str) -> Check:
    """Not looked at, because of something that another check tells."""
    return Check(id, Status.SKIP, f"Not checked: {because}.")


def fails_as(id: str, error: WatchdogError) -> Check:
    """The error, as a check that failed."""
    return failed(id, error.message, error.hint)


def attempt(id: str, look: Callable[[], Check]) -> Check:
    """The check, or the error that came instead."""
    try:
        return look()
    except WatchdogError as error:
        return fails_as(id, error)


def side_by_side(parts: Sequence[Part], budget: Budget) -> tuple[Check, ...]:
    """The checks of all parts, in their order; what one part meets never stops another."""
    begun = [_Begun(part, budget) for part in parts]
    return tuple(check for part in begun for check in part.checks())


@dataclass(slots=True)
class _Begun:
    """A part on its way."""

    part: Part
    budget: Budget
    _found: list[Check] = field(default_factory=list)
    _work: Task[None] = field(init=False)

    def __post_init__(self) -> None:
        self._work = Task(self._look, self.budget)

    def _look(self) -> None:
        for check in self.part.checks():
            self._found.append(check)  # one by one: what there is counts when the time is up

    def checks(self) -> list[Check]:
        """Its checks; where the time is up, those that there are and what stopped the rest."""
        try:
            self._work.result()
        except DeadlineError as error:
            return [*self._found, fails_as(self.part.id, error)]
        return self._found
