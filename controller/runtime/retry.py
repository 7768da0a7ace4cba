"""Retries: the only place that knows tenacity.

What was throttled, or is known not to have happened, is tried again: after ``Retry-After`` when the other side
names it, else with exponential backoff and full jitter. A wait that does not fit into the pass's time is not begun.
Who throttles means the wait that is named; who fails only guesses, and a guess may not cost the pass.
"""

import random
from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from controller.errors import CallError, ThrottledError, TransientError
from controller.runtime.budget import Budget

ATTEMPTS = 8
#: Seconds: the first wait is up to BASE, then up to twice as long each time, and never longer than LONGEST.
BASE, LONGEST = 0.25, 20.0

T = TypeVar("T")

_backoff = wait_random_exponential(multiplier=BASE, max=LONGEST)


def call(action: Callable[[], T], budget: Budget) -> T:
    """Do it, again and again while that may help and there is time.

    Raises what the last attempt raised; DeadlineError comes from the action itself, which asks the budget first.
    """

    def does_not_fit(state: RetryCallState) -> bool:
        return budget.is_stopped or state.upcoming_sleep >= budget.remaining()

    retrying = Retrying(
        retry=retry_if_exception_type((ThrottledError, TransientError)),
        wait=lambda state: _wait(state, budget),
        stop=lambda state: stop_after_attempt(ATTEMPTS)(state) or does_not_fit(state),
        sleep=budget.clock.sleep,
        reraise=True,
    )
    return retrying(action)


def pause(attempt: int, budget: Budget) -> None:
    """Wait before a write is looked at and sent again: full jitter, and never past the pass's end."""
    longest = min(LONGEST, BASE * 2 ** (attempt - 1))
    budget.clock.sleep(min(random.uniform(0, longest), budget.timeout(LONGEST)))  # noqa: S311  # jitter is not a secret


def _wait(state: RetryCallState, budget: Budget) -> float:
    error = state.outcome.exception() if state.outcome else None
    told = (error.retry_after or 0.0) if isinstance(error, CallError) else 0.0
    if isinstance(error, TransientError) and told > min(LONGEST, budget.remaining() / 2):
        told = 0.0
    # Everybody who was told to wait wakes in the same instant, so some jitter goes on top.
    return _backoff(state) + told
