"""Threads that take turns: the controller's side-by-side calls in one thread, in an order that a seed decides.

So a simulated pass is deterministic ("the third call fails" means something), and quick. Real threads have their own
tests: ``test_deadline.py`` and ``test_many_rows.py``.
"""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from unittest.mock import patch

from controller.runtime import threads


class _Turns(threading.local):
    """What waits for its turn; each real thread looks after what it has started itself."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.waiting: list[Callable[[], None]] = []

    def one(self) -> None:
        self.waiting.pop(self._rng.randrange(len(self.waiting)))()


class _Thread:
    def __init__(self, turns: _Turns, target: Callable[[], None], daemon: bool) -> None:
        self._turns, self._target = turns, target

    def start(self) -> None:
        self._turns.waiting.append(self._target)


class _Event:
    def __init__(self, turns: _Turns) -> None:
        self._turns = turns
        self._is_set = False

    def set(self) -> None:
        self._is_set = True

    def is_set(self) -> bool:
        return self._is_set

    def wait(self, timeout: float) -> bool:
        while not self._is_set and self._turns.waiting:
            self._turns.one()
        return self._is_set


@contextmanager
def taking_turns(rng: random.Random) -> Iterator[None]:
    """Within it, what the controller starts side by side is done one after the other."""
    turns = _Turns(rng)
    names = SimpleNamespace(
        Thread=lambda target, daemon: _Thread(turns, target, daemon), Event=lambda: _Event(turns), Lock=threading.Lock
    )
    with patch.object(threads, "threading", names):
        yield
