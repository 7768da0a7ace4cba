"""What can go wrong with a call, by script; and other hands that move the world between two calls."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from controller.errors import (
    AmbiguousError,
    AuthenticationError,
    CallError,
    ConditionError,
    DeadlineError,
    RefusedError,
    TerminalError,
    ThrottledError,
    TransientError,
)

if TYPE_CHECKING:
    from tests.model.properties.clouds import Clouds


class Lost(Enum):
    """Whether the call was done before its answer was lost."""

    UNDONE = "undone"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Fault:
    """The call raises this, and what it should do is done, or not."""

    error: type[CallError]
    lost: Lost = Lost.UNDONE

    def make(self) -> CallError:
        return self.error("This call was scripted to fail.")


READ_FAULTS = [
    Fault(error)
    for error in (TransientError, ThrottledError, RefusedError, TerminalError, AuthenticationError, DeadlineError)
]
RECORD_FAULTS = [
    *READ_FAULTS, Fault(AmbiguousError), Fault(AmbiguousError, Lost.DONE), Fault(DeadlineError, Lost.DONE)
]  # fmt: skip
#: A row's write may be sent twice, so that an answer that was lost for good is a transient error.
ROW_FAULTS = [
    *READ_FAULTS,
    Fault(ConditionError),
    Fault(TransientError, Lost.DONE),
    Fault(DeadlineError, Lost.DONE),
]
FAULTS = {
    "records.write": RECORD_FAULTS,
    "records.remove": RECORD_FAULTS,
    "rows.write": ROW_FAULTS,
}

WRITES = ("rows.write", "records.write", "records.remove")

Meddler = Callable[["Clouds"], None]


@dataclass(frozen=True, slots=True)
class Calls:
    """What happens at which call, counted from 0; from ``cut`` on the pass's time is up."""

    faults: Mapping[int, int] = field(default_factory=dict)  # call → which of the faults that fit it
    meddlers: Mapping[int, Meddler] = field(default_factory=dict)
    cut: int | None = None

    def fault(self, call: int, method: str) -> Fault | None:
        """What goes wrong with this call."""
        if self.cut is not None and call >= self.cut:
            return Fault(DeadlineError)
        if call not in self.faults:
            return None
        fitting = FAULTS.get(method, READ_FAULTS)
        return fitting[self.faults[call] % len(fitting)]


@dataclass(frozen=True, slots=True)
class Script:
    """What happens in a pass: at its calls, its writes, its row writes and its record writes, each counted apart."""

    calls: Calls = Calls()
    writes: Calls = Calls()
    row_writes: Calls = Calls()
    record_writes: Calls = Calls()
    resends: bool = False  # the first answer to every row write is lost, so that it is sent twice
    poison: str | None = None  # a record name that every batch is refused for
    refused: int | None = None  # the code with which every batch that creates anything is refused
    refused_names: frozenset[str] | None = None  # only these names are; None: all
    unlisted: frozenset[str] = frozenset()  # instances that EC2's listings by tag leave out; by id they are found

    def refuses(self, creates: Iterable[str]) -> bool:
        """Whether a batch that creates records of these names is refused."""
        return self.refused is not None and any(self.refused_names is None or n in self.refused_names for n in creates)

    def at(self, method: str, before: Sequence[str]) -> list[tuple[Calls, int]]:
        """The parts that count this call, and its number there, after these calls."""
        parts = [(self.calls, len(before))]
        if method in WRITES:
            parts.append((self.writes, sum(call in WRITES for call in before)))
        if method == "rows.write":
            parts.append((self.row_writes, before.count(method)))
        elif method in WRITES:
            parts.append((self.record_writes, sum(call in WRITES[1:] for call in before)))
        return parts

    def fault(self, method: str, before: Sequence[str]) -> Fault | None:
        """What goes wrong with this call."""
        faults = [calls.fault(number, method) for calls, number in self.at(method, before)]
        return next((fault for fault in reversed(faults) if fault), None)

    def meddlers(self, method: str, before: Sequence[str]) -> list[Meddler]:
        """Return those that come in between before this call."""
        found = [calls.meddlers.get(number) for calls, number in self.at(method, before)]
        return [meddler for meddler in found if meddler]


CALM = Script()
