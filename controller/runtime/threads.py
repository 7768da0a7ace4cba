"""Side by side: threads for overlap, bounded in number and in time.

The threads are daemons and are given up when the pass's time is over, so that no hanging socket and no body that
dribbles in can outlast the pass, whatever library holds it.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from controller.errors import DeadlineError
from controller.runtime.budget import Budget

#: Threads for a pool of equal calls; the AWS clients keep as many connections.
MAX_THREADS = 16
#: Seconds that a task which notices the end by itself may take to say so.
LAST_WORDS_SECONDS = 0.3
#: Seconds after which a waiting thread looks up: the longest that a Ctrl-C may go unnoticed.
WAIT_STEP_SECONDS = 0.5

T = TypeVar("T")


class Task(Generic[T]):
    """Something that goes on in a thread of its own."""

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
        except BaseException as error:  # raised again where the result is awaited
            self._error = error
        self._ended.set()

    def result(self) -> T:
        """Its result; raises what it raised, or DeadlineError when the pass's time was over before."""
        if not self._ends_within(self._budget.remaining() + LAST_WORDS_SECONDS):
            raise DeadlineError("The pass's time was over before the clouds had answered.", "The next pass carries on.")
        if self._error:
            raise self._error
        return self._values[0]

    def _ends_within(self, seconds: float) -> bool:
        """Wait in pieces: Python sees a signal that comes just before a wait begins only when that wait is over."""
        while not self._ended.wait(max(0.0, min(WAIT_STEP_SECONDS, seconds))):
            seconds -= WAIT_STEP_SECONDS
            if seconds <= 0:
                return False
        return True


def bounded(action: Callable[[], T], budget: Budget) -> T:
    """The action's result, or DeadlineError when it outlasts the pass."""
    return Task(action, budget).result()


def gather(tasks: Sequence[Callable[[], T]], budget: Budget, width: int = MAX_THREADS) -> list[T]:
    """The results of equal tasks, in their order, a bounded number at a time.

    After the first error no further task is begun, and it is raised; likewise DeadlineError.
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
        for worker in [Task(work, budget) for _ in range(min(width, len(tasks)))]:
            worker.result()
    finally:
        stop.set()
    return [results[place] for place in range(len(tasks))]
