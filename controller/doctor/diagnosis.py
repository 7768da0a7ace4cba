"""What the doctor says: checks as values, and the means to run them side by side."""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Generic, TypeVar

from controller.errors import DeadlineError, DeniedError, WatchdogError
from controller.runtime.budget import Budget
from controller.runtime.threads import Task

S = TypeVar("S")
T = TypeVar("T")


class Status(StrEnum):
    """How a check ended."""

    PASS = "pass"  # noqa: S105  # a word of this report, not a password
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"
    """Not looked at, because of something that another check says."""


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
        """Return whether nothing failed; a warning is for a person to judge."""
        return not self.count(Status.FAIL)

    def count(self, status: Status) -> int:
        """Count the checks that ended so."""
        return sum(check.status is status for check in self.checks)


class SkipError(Exception):
    """Raised where the rest of a part cannot be looked at; ``because`` completes "Not checked: ..."."""

    def __init__(self, because: str) -> None:
        super().__init__(because)
        self.because = because


@dataclass(frozen=True, slots=True)
class Part(Generic[S]):
    """Checks that follow one another. One of ``ids`` that was not reached is reported as skipped, with the reason.

    ``about`` names what they are about, where several parts have the same ids.
    """

    ids: tuple[str, ...]
    checks: Callable[[S], Iterable[Check]]
    about: str = ""


class Once(Generic[T]):
    """A reading that several checks share: the first that asks makes it. Its error is raised to each of them."""

    def __init__(self, read: Callable[[], T]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._values: list[T] = []
        self._error: WatchdogError | None = None

    def __call__(self) -> T:
        """Return the reading. Raises the WatchdogError that it ended with."""
        with self._lock:
            if not self._values and self._error is None:
                try:
                    self._values.append(self._read())
                except WatchdogError as error:
                    self._error = error
        if self._error:
            raise self._error
        return self._values[0]


def passed(id: str, seen: str) -> Check:
    """Return a check that found nothing wrong."""
    return Check(id, Status.PASS, seen)


def warned(id: str, seen: str, fix: str) -> Check:
    """Return a check of what works, or may work, and somebody should look at."""
    return Check(id, Status.WARN, seen, fix)


def failed(id: str, seen: str, fix: str) -> Check:
    """Return a check of what keeps a pass from its work, or part of it."""
    return Check(id, Status.FAIL, seen, fix)


def skipped(id: str, because: str) -> Check:
    """Return a check that was not run, because of something that another check says."""
    return Check(id, Status.SKIP, f"Not checked: {because}.")


def fails_as(id: str, error: WatchdogError) -> Check:
    """Return the error as a check that failed."""
    return failed(id, error.message, error.hint)


def attempt(id: str, look: Callable[[], Check]) -> Check:
    """Return the check, or the error that came instead."""
    try:
        return look()
    except WatchdogError as error:
        return fails_as(id, error)


def if_allowed(id: str, look: Callable[[], Check]) -> Check:
    """Return the check, or the error that came instead; see ``unless_allowed``."""
    try:
        return look()
    except WatchdogError as error:
        return unless_allowed(id, error)


def unless_allowed(id: str, error: WatchdogError, what: str = "It", *, more: str = "") -> Check:
    """Return the error as a check; a warning where only this command needs the permission that is missing.

    ``what`` begins the sentence about what cannot be looked at, ``more`` says who gives that permission.
    """
    if isinstance(error, DeniedError):
        fix = " ".join(filter(None, (error.hint, more, "Only this command needs it.")))
        return warned(id, f"{what} cannot be looked at: {error.message}", fix)
    return fails_as(id, error)


def side_by_side(parts: Sequence[Part[S]], subject: S, budget: Budget) -> tuple[Check, ...]:
    """Run all parts and return their checks in order; an error of one part never stops another."""
    begun = [_Begun(part, subject, budget) for part in parts]
    return tuple(_about(part.part.about, check) for part in begun for check in part.checks())


def _about(what: str, check: Check) -> Check:
    return replace(check, seen=f"{what}: {check.seen}") if what else check


@dataclass(slots=True)
class _Begun(Generic[S]):
    """A part on its way."""

    part: Part[S]
    subject: S
    budget: Budget
    _found: list[Check] = field(default_factory=list)
    _work: Task[None] = field(init=False)

    def __post_init__(self) -> None:
        self._work = Task(self._look, self.budget)

    def _look(self) -> None:
        try:
            for check in self.part.checks(self.subject):
                self._found.append(check)  # one by one: what there is counts when the time is up
        except SkipError as error:
            self._found += [skipped(id, error.because) for id in self._not_reached()]

    def _not_reached(self) -> list[str]:
        found = {check.id for check in self._found}
        return [id for id in self.part.ids if id not in found]

    def checks(self) -> list[Check]:
        """Return its checks; where the time is up, those that there are and what stopped the rest."""
        try:
            self._work.result()
        except DeadlineError as error:
            found, (stopped, *rest) = list(self._found), self._not_reached() or [self.part.ids[-1]]
            return [*found, fails_as(stopped, error), *(skipped(id, "the time was up") for id in rest)]
        return self._found
