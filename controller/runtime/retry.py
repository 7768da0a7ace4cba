"""Retry calls. No other module knows tenacity.

A call is repeated if it was throttled, or is known to have done nothing: after ``Retry-After`` if the server names one,
else with exponential backoff and full jitter. A wait that does not fit into the pass's time is not started. Obey the
wait in a throttled answer. Limit the wait in any other failure: the server only guesses it, and it must not end the
pass.
"""

import random
from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from controller.errors import CallError, ThrottledError, TransientError
from controller.runtime.budget import Budget

ATTEMPTS = 8
#: Seconds: the first wait is at most BASE, each further one at most twice as long, and none longer than LONGEST.
BASE, LONGEST = 0.25, 20.0

T = TypeVar("T")

_backoff = wait_random_exponential(multiplier=BASE, max=LONGEST)


def call(action: Callable[[], T], budget: Budget) -> T:
    """Return the action's result. Repeat the action while that may help and there is time.

    Raises the error of the last attempt. The action itself raises DeadlineError, because it asks the budget first.
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
    """Wait before looking at a write and sending it again: with full jitter, and never past the pass's end."""
    longest = min(LONGEST, BASE * 2 ** (attempt - 1))
    budget.clock.sleep(min(random.uniform(0, longest), budget.timeout(LONGEST)))  # noqa: S311  # jitter is not a secret


def _wait(state: RetryCallState, budget: Budget) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = (error.retry_after or 0.0) if isinstance(error, CallError) else 0.0
    if isinstance(error, TransientError) and asked > min(LONGEST, budget.remaining() / 2):
        asked = 0.0
    # Add jitter: all clients that the server asks to wait would wake at the same moment.
    return _backoff(state) + asked
