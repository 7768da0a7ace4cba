"""The three clouds in memory: every call to them is journalled, and may go wrong by script."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from controller.errors import ConditionError
from tests.model.properties.faults import CALM, WRITES, Lost, Meddler, Script
from tests.support.journal import Event, Meddled, Read, Tried
from tests.support.state import Case, FakeClock, State

T = TypeVar("T")

#: The ids of the records that the model has made, in this world or in one that was before it.
MADE = re.compile(r"[rx]\d+")


@dataclass(slots=True)
class Clouds:
    """The world: its truth, its zone, and the journal of the pass that goes on."""

    case: Case
    clock: FakeClock = field(default_factory=FakeClock)
    script: Script = CALM
    journal: list[Event] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    state: State = field(init=False)
    _ids: int = field(init=False)

    def __post_init__(self) -> None:
        self.state = self.case.state
        made = (int(key[1:]) for key in self.state.records if MADE.fullmatch(key))
        self._ids = max(made, default=0) + 1
        self.clock.sleep((self.state.now - self.clock.now()).total_seconds())

    def begin(self, script: Script) -> None:
        """A pass begins."""
        self.script = script
        self.journal, self.calls = [], []

    def call(self, method: str, do: Callable[[], T]) -> T:
        """One call of the controller's: meddlers first, then what goes wrong, then the call itself."""
        before = tuple(self.calls)
        self.calls.append(method)
        for meddler in self.script.meddlers(method, before):
            self._meddle(meddler)
        if method in WRITES:
            self.journal.append(Tried(self.moment()))
        fault = self.script.fault(method, before)
        if fault and fault.lost is Lost.UNDONE:
            raise fault.make()
        answer = do()
        if self.script.resends and method == "rows.write":
            answer = self._sent_again(do)
        if fault:
            raise fault.make()
        return answer

    def _meddle(self, meddler: Meddler) -> None:
        before = self.state
        meddler(self)
        self.journal.append(Meddled(before, self.state))

    def moment(self) -> State:
        """What is true now."""
        if self.state.now != self.clock.now():
            self.state = replace(self.state, now=self.clock.now())
        return self.state

    def new_ids(self, count: int) -> int:
        self._ids += count
        return self._ids - count

    def log_read(self, method: str, asked: Collection[str] | None, answer: Sequence[T]) -> list[T]:
        self.journal.append(Read(method, None if asked is None else frozenset(asked), answer, self.moment()))
        return list(answer)

    @staticmethod
    def _sent_again(do: Callable[[], T]) -> T:
        try:
            return do()
        except ConditionError as error:
            raise ConditionError(error.message, retried=True) from error
