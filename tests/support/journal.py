"""What happened while a pass ran, call by call: the events that the specification judges."""

from collections.abc import Sequence
from dataclasses import dataclass

from controller.model import RecordChange, RowWrite
from tests.support.state import State


@dataclass(frozen=True, slots=True)
class Read:
    """A call that read: what was asked for (None: everything), and what came back."""

    method: str
    asked: frozenset[str] | None
    answer: Sequence[object]
    state: State


@dataclass(frozen=True, slots=True)
class Write:
    """A call that changed something: what was true before it, and after. Untouched records are the same objects."""

    method: str
    before: State
    after: State
    wanted: Sequence[RecordChange] | RowWrite = ()
    key: str = ""  # a row's


@dataclass(frozen=True, slots=True)
class Meddled:
    """Another hand changed the world."""

    before: State
    after: State


@dataclass(frozen=True, slots=True)
class Refused:
    """Cloudflare refused a batch."""

    wanted: Sequence[RecordChange]
    codes: Sequence[object]


@dataclass(frozen=True, slots=True)
class Tried:
    """A call that writes begins, whatever becomes of it."""

    state: State


Event = Read | Write | Meddled | Refused | Tried
