"""Two controllers at once: two passes over one world, call by call in an order that a list of choices decides."""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from tests.model.properties.clouds import Clouds
from tests.model.properties.faults import Meddler, Script
from tests.model.properties.passes import Ran

Play = Callable[[Script], Ran]


@dataclass(frozen=True, slots=True)
class Interleaved(Script):
    """A script in which, before every call, it may be the other one's turn."""

    turn: Meddler = lambda _: None

    def meddlers(self, method: str, before: Sequence[str]) -> list[Meddler]:
        """Return those that come in between before this call."""
        return [*Script.meddlers(self, method, before), self.turn]


@dataclass(slots=True)
class Duet:
    """Of its two threads one runs at a time. A choice that is true hands over; when they are used up nobody does."""

    clouds: Clouds
    choices: Iterable[bool]
    _gates: tuple[threading.Semaphore, ...] = field(init=False)
    _turn: int = 0
    _ended: dict[int, Ran | BaseException] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.choices = iter(self.choices)
        self._gates = (threading.Semaphore(0), threading.Semaphore(0))

    def play(self, *plays: Play) -> list[Ran]:
        """What came of the two passes. Raises what either of them raised."""
        threads = [threading.Thread(target=self._play, args=(n, play)) for n, play in enumerate(plays)]
        for thread in threads:
            thread.start()
        self._gates[0].release()
        for thread in threads:
            thread.join()
        for end in self._ended.values():
            if isinstance(end, BaseException):
                raise end
        return [end for _, end in sorted(self._ended.items()) if isinstance(end, Ran)]

    def _play(self, number: int, play: Play) -> None:
        self._gates[number].acquire()
        try:
            self._ended[number] = play(Interleaved(turn=self._maybe_hand_over))
        except BaseException as error:  # raised again where both are awaited
            self._ended[number] = error
        self._turn = 1 - number
        self._gates[self._turn].release()

    def _maybe_hand_over(self, clouds: Clouds) -> None:
        me = self._turn
        if 1 - me in self._ended or not next(iter(self.choices), False):
            return
        mine = clouds.journal, clouds.calls, clouds.script
        self._turn = 1 - me
        self._gates[1 - me].release()
        self._gates[me].acquire()
        clouds.journal, clouds.calls, clouds.script = mine
