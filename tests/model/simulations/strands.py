"""Passes that go on side by side, and yet one thing after the other: each waits in a thread of its own for its turn.

Only one thread ever runs, so that the same world is the same again. A strand gives its turn back where it waits and
another one is to go on.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Strand:
    """Something that takes its time."""

    action: Callable[[], None]
    error: BaseException | None = None
    is_over: bool = False
    _mine: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    _theirs: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def begin(self) -> None:
        """Run it until it waits for the first time, or ends."""
        threading.Thread(target=self._work, daemon=True).start()
        self.go_on()

    def go_on(self) -> None:
        """Run it until it waits again, or ends. Raises what it raised."""
        self._mine.release()
        self._theirs.acquire()
        if self.error:
            raise self.error

    def give_way(self) -> None:
        """Let the others run; for the strand itself."""
        self._theirs.release()
        self._mine.acquire()

    def _work(self) -> None:
        self._mine.acquire()
        _RUNNING.strand = self
        try:
            self.action()
        except BaseException as error:  # raised again where it was begun or went on
            self.error = error
        self.is_over = True
        self._theirs.release()


class _Running(threading.local):
    strand: Strand | None = None


_RUNNING = _Running()


def running() -> Strand:
    """Return the strand that runs now."""
    assert _RUNNING.strand is not None, "only a strand can wait"
    return _RUNNING.strand
