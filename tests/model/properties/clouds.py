"""The three clouds in memory: every call to them is journalled, and may go wrong by script."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from controller.errors import ConditionError, RefusedError
from controller.model import CreateRecord, DnsRecord, Instance, RecordChange, RowWrite
from controller.settings import Settings
from tests.model.properties.faults import CALM, WRITES, Lost, Meddler, Script
from tests.support import zone
from tests.support.clock import FakeClock
from tests.support.journal import Event, Meddled, Read, Refused, Tried, Write
from tests.support.state import Case, Row, State, Zone

T = TypeVar("T")

#: The ids of the records that the model has created, in this world or in one before it.
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

    def new_id(self) -> str:
        """The id of a record that is about to be created."""
        self._ids += 1
        return f"r{self._ids - 1:04d}"

    # What the ports ask of clouds in memory

    @property
    def settings(self) -> Settings:
        return self.case.settings

    @property
    def zone(self) -> Zone:
        return self.case.zone

    def instances(self) -> Iterable[Instance]:
        return self.state.instances.values()

    def listed(self) -> Iterable[Instance]:
        return (machine for machine in self.instances() if machine.id not in self.script.unlisted)

    def records(self) -> Mapping[str, DnsRecord]:
        return self.state.records

    def rows(self) -> Mapping[str, Row]:
        return self.state.rows

    def read(self, method: str, asked: Collection[str] | None, find: Callable[[], list[T]]) -> list[T]:
        def do() -> list[T]:
            found = find()
            self.journal.append(Read(method, None if asked is None else frozenset(asked), found, self.moment()))
            return list(found)

        return self.call(method, do)

    def write(self, method: str, do: Callable[[], T]) -> T:
        return self.call(method, do)

    def put_row(self, key: str, row: Row, change: RowWrite) -> None:
        before = self.moment()
        self.state = replace(before, rows={**before.rows, key: row})
        self.journal.append(Write("rows.write", before, self.state, change, key))

    def put_batch(self, method: str, changes: Sequence[RecordChange]) -> list[DnsRecord]:
        before, script = self.moment(), self.script
        try:
            if script.poison in [change.name for change in changes]:
                raise zone.refused(9207, "Request body is invalid.")
            if script.refuses(change.name for change in changes if isinstance(change, CreateRecord)):
                raise zone.refused(script.refused or 0, "This domain takes no records.")
            records, written = zone.batch(before.records, changes, self.zone, before.now, self.new_id)
        except RefusedError as error:
            self.journal.append(Refused(tuple(changes), error.codes))
            raise
        self.state = replace(before, records=records)
        self.journal.append(Write(method, before, self.state, tuple(changes)))
        return written

    @staticmethod
    def _sent_again(do: Callable[[], T]) -> T:
        try:
            return do()
        except ConditionError as error:
            raise ConditionError(error.message, retried=True) from error
