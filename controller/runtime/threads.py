"""Run calls side by side in threads, bounded in number and in time.

The threads are daemons, and the pass abandons them when its time is over. So no hanging socket and no slow body
outlasts the pass, whatever library holds it.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from controller.errors import DeadlineError
from controller.runtime.budget import Budget

#: Threads for a pool of equal calls. The AWS clients keep as many connections.
MAX_THREADS = 16
#: Seconds after the end in which a task that notices the end itself may still report it.
LAST_WORDS_SECONDS = 0.3
#: Seconds after which a waiting thread wakes: the longest time that a Ctrl-C goes unnoticed.
WAIT_STEP_SECONDS = 0.5

T = TypeVar("T")


class Task(Generic[T]):
    """An action that runs in a thread of its own."""

    def __init__(self, action: Callable[[], T], budget: Budget) -> None:
        self._action = action
        self._budget = budget
        self._values: list[T] = []
        self._error: BaseException | None = None
        self._ended = threading.Event()
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        try:
            self._values.append(self._action())
        except BaseException as error:  # result() raises it again
            self._error = error
        self._ended.set()

    def result(self) -> T:
        """Return the action's result. Raises its error, or DeadlineError if the pass's time is over first."""
        if not self._ends_within(self._budget.remaining() + LAST_WORDS_SECONDS):
            raise DeadlineError("The pass's time was over before the clouds answered.", "The next pass continues.")
        if self._error:
            raise self._error
        return self._values[0]

    def _ends_within(self, seconds: float) -> bool:
        """Wait in pieces: if a signal comes just before a wait begins, Python handles it only after that wait."""
        while not self._ended.wait(max(0.0, min(WAIT_STEP_SECONDS, seconds))):
            seconds -= WAIT_STEP_SECONDS
            if seconds <= 0:
                return False
        return True


def bounded(action: Callable[[], T], budget: Budget) -> T:
    """Return the action's result. Raises DeadlineError if the action outlasts the pass."""
    return Task(action, budget).result()


def gather(tasks: Sequence[Callable[[], T]], budget: Budget) -> list[T]:
    """Return the results of equal tasks, in their order. At most ``MAX_THREADS`` run at a time.

    Raises the first error, or DeadlineError. After it no further task is started.
    """
    results: dict[int, T] = {}
    waiting = iter(list(enumerate(tasks)))
    lock, stop = threading.Lock(), threading.Event()

    def work() -> None:
        while not stop.is_set():
            with lock:
                place, task = next(waiting, (-1, None))
            if task is None:
                return
            try:
                results[place] = task()
            except BaseException:
                stop.set()
                raise

    try:
        for worker in [Task(work, budget) for _ in range(min(MAX_THREADS, len(tasks)))]:
            worker.result()
    finally:
        stop.set()
    return [results[place] for place in range(len(tasks))]
