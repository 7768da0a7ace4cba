"""Cloudflare's API over HTTP: sends a request, and returns its result or raises a classified error."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from controller import USER_AGENT
from controller.cloudflare.connection import UNSENT, Route, not_reached
from controller.cloudflare.reply import Answer, Reply, broken, limits
from controller.errors import AuthenticationError, TerminalError, ThrottledError
from controller.runtime import retry
from controller.runtime.budget import Budget, Clock

#: Seconds for one request, a batch of 3,500 included.
LONGEST_REQUEST = 30.0
#: Seconds for one connection: where packets are dropped, several attempts fit into a pass.
LONGEST_CONNECT = 5.0
#: Share of the whole user's budget (1,200 requests in 5 minutes) that stays for other people and tools.
RESERVE = 0.025

Params = Sequence[tuple[str, str]]


class Tokens(Protocol):
    """Where the API token comes from."""

    @property
    def source(self) -> str:
        """Return the name under which a person finds the token."""

    def token(self, budget: Budget) -> str:
        """Return the token, read once and kept."""

    def renewed(self, refused: str, budget: Budget) -> str | None:
        """Return another token after this one was refused, or None if there is no other."""


@dataclass(frozen=True, slots=True)
class GivenToken:
    """A token from a setting, by default of the environment; there is no other."""

    value: str
    source: str = "CLOUDFLARE_API_TOKEN"

    def __repr__(self) -> str:
        """Return no token: it must never reach a log."""
        return "GivenToken()"

    def token(self, budget: Budget) -> str:  # noqa: ARG002  # the port's signature
        """Return the token."""
        return self.value

    def renewed(self, refused: str, budget: Budget) -> None:  # the port's signature
        """Return None: there is no other."""


class Api:
    """Sends requests. A process keeps one, and its threads share it."""

    def __init__(self, client: httpx.Client, base_url: str, tokens: Tokens) -> None:
        self._client = client
        self._base_url = base_url
        self._tokens = tokens
        self._lock = threading.Lock()
        self._resting: tuple[float, str] | None = None  # end by the monotonic clock, and the reason

    def read(
        self,
        path: str,
        params: Params,
        budget: Budget,
        check: Callable[[Answer], None] | None = None,
        *,
        renew: bool = True,
    ) -> Answer:
        """Return the answer to a GET. Raises a CallError, but never AmbiguousError.

        ``check`` raises TransientError for an answer that it doubts. Without ``renew`` a refused token is final.
        """

        def attempt(token: str) -> Answer:
            answer = self._once("GET", path, token, budget, params=params)
            if check:
                check(answer)
            return answer

        return self._retried(attempt, budget, renew=renew)

    def write(self, method: str, path: str, body: Any, budget: Budget) -> Answer:
        """Return the answer to a POST, PATCH or DELETE. Raises AmbiguousError if it may have been applied."""
        return self._retried(lambda token: self._once(method, path, token, budget, body=body), budget)

    def _retried(self, attempt: Callable[[str], Answer], budget: Budget, *, renew: bool = True) -> Answer:
        token = self._tokens.token(budget)
        try:
            return retry.call(lambda: attempt(token), budget)
        except AuthenticationError:
            renewed = self._tokens.renewed(token, budget) if renew else None
            if renewed is None:
                raise
        return retry.call(lambda: attempt(renewed), budget)

    def _once(
        self, method: str, path: str, token: str, budget: Budget, *, params: Params = (), body: Any = None
    ) -> Answer:
        response = self._send(method, path, token, budget, params, body)
        if response.status_code == httpx.codes.FORBIDDEN and _may_ask_again(budget):
            # Cloudflare refuses good tokens now and then, and the next request succeeds (octodns-cloudflare 121).
            retry.pause(1, budget)
            response = self._send(method, path, token, budget, params, body)
        return Reply(method, path, response, budget, token, self._tokens.source).answer()

    def _send(self, method: str, path: str, token: str, budget: Budget, params: Params, body: Any) -> httpx.Response:
        if method != "GET":
            budget.admit_write()
        self._check_rest(budget)
        seconds = budget.timeout(LONGEST_REQUEST)
        connect_seconds = min(seconds, LONGEST_CONNECT)
        end = budget.clock.monotonic() + seconds
        route = Route(self._base_url)
        try:
            with (
                budget.calling("cloudflare", f"{method} {path}") as answered,
                self._client.stream(
                    method,
                    f"{self._base_url}{path}",
                    params=list(params),
                    json=body,
                    headers={"Authorization": f"Bearer {token}", "User-Agent": USER_AGENT},
                    timeout=httpx.Timeout(seconds, connect=connect_seconds),
                    extensions={"trace": route},
                ) as answer,
            ):
                answered(answer.status_code)
                response = _whole(answer, budget.clock, end)
        except UNSENT as error:
            raise not_reached(error, route, connect_seconds) from error
        except (httpx.InvalidURL, UnicodeError) as error:
            raise TerminalError(
                f"Invalid URL of Cloudflare's API: {type(error).__name__}.", "Check CLOUDFLARE_BASE_URL."
            ) from error
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise broken(method, f"the connection broke ({type(error).__name__})") from error
        self._note_rest(response, budget)
        return response

    def _note_rest(self, response: httpx.Response, budget: Budget) -> None:
        """Remember an answer that says that little of the whole user's budget is left."""
        spent = [(left, seconds) for left, seconds, quota in limits(response) if left < RESERVE * quota]
        if spent:
            left, seconds = max(spent, key=lambda limit: limit[1])
            with self._lock:
                why = f"only {left} requests of the Cloudflare user's budget are left"
                self._resting = (budget.clock.monotonic() + seconds, why)

    def _check_rest(self, budget: Budget) -> None:
        with self._lock:
            if self._resting is None:
                return
            seconds, why = self._resting[0] - budget.clock.monotonic(), self._resting[1]
            if seconds <= 0:
                self._resting = None
                return
        raise ThrottledError(
            f"The pass waits: {why}.",
            "Cloudflare would block every tool and person of this user for five minutes: find what spends it.",
            retry_after=seconds,
        )


def _may_ask_again(budget: Budget) -> bool:
    return not budget.is_stopped and budget.remaining() > retry.BASE


def _whole(answer: httpx.Response, clock: Clock, end: float) -> httpx.Response:
    """Return the answer with its body, read before ``end`` (monotonic): httpx limits the wait for each piece only."""
    content = bytearray()
    for piece in answer.iter_raw():
        content += piece
        if clock.monotonic() > end:
            raise httpx.ReadTimeout("the body dribbles in")
    return httpx.Response(answer.status_code, headers=answer.headers, content=bytes(content))
