"""Cloudflare's API over HTTP: one request in, its result or a classified error out."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from controller.cloudflare.reply import Answer, Reply, broken, limits
from controller.errors import AuthenticationError, TerminalError, ThrottledError, TransientError
from controller.runtime import retry
from controller.runtime.budget import Budget, Clock

#: Seconds for one request, a batch of 3,500 included.
LONGEST_REQUEST = 30.0
#: Share of the whole user's budget (1,200 requests in 5 minutes) that is left to other people and tools.
RESERVE = 0.025

Params = Sequence[tuple[str, str]]


class Tokens(Protocol):
    """Where the API token comes from."""

    @property
    def source(self) -> str:
        """The name under which a person finds it."""

    def token(self, budget: Budget) -> str:
        """The token, read once and kept."""

    def renewed(self, refused: str, budget: Budget) -> str | None:
        """Another token after this one was refused, or None when there is no other."""


@dataclass(frozen=True, slots=True)
class GivenToken:
    """A token that was given, in the environment if nothing else is said; there is no other."""

    value: str
    source: str = "CLOUDFLARE_API_TOKEN"

    def __repr__(self) -> str:
        """Never the token."""
        return "GivenToken()"

    def token(self, budget: Budget) -> str:  # noqa: ARG002  # the port's signature
        """The token."""
        return self.value

    def renewed(self, refused: str, budget: Budget) -> None:  # the port's signature
        """There is no other."""


class Api:
    """Sends requests; one for the life of the process, shared by threads."""

    def __init__(self, client: httpx.Client, base_url: str, tokens: Tokens) -> None:
        self._client = client
        self._base_url = base_url
        self._tokens = tokens
        self._lock = threading.Lock()
        self._resting: tuple[float, str] | None = None  # until when (monotonic) the user's budget must rest, and why

    def read(
        self,
        path: str,
        params: Params,
        budget: Budget,
        check: Callable[[Answer], None] | None = None,
        *,
        renew: bool = True,
    ) -> Answer:
        """GET. Raises a CallError, never an ambiguous one; ``check`` raises TransientError on an answer it doubts.

        ``renew`` false: a refused token is not looked up again.
        """

        def attempt(token: str) -> Answer:
            answer = self._once("GET", path, token, budget, params=params)
            if check:
                check(answer)
            return answer

        return self._retried(attempt, budget, renew=renew)

    def write(self, method: str, path: str, body: Any, budget: Budget) -> Answer:
        """POST, PATCH or DELETE. Raises AmbiguousError when nobody knows whether it was applied."""
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
        if method != "GET":
            budget.admit_write()
        self._check_rest(budget)
        seconds = budget.timeout(LONGEST_REQUEST)
        end = budget.clock.monotonic() + seconds
        try:
            with (
                budget.calling("cloudflare", f"{method} {path}") as answered,
                self._client.stream(
                    method,
                    f"{self._base_url}{path}",
                    params=list(params),
                    json=body,
                    headers={"Authorization": f"Bearer {token}"},
                    timeout=seconds,
                ) as answer,
            ):
                answered(answer.status_code)
                response = _whole(answer, budget.clock, end)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise TransientError(
                f"Cloudflare cannot be reached ({type(error).__name__}).", "Check the network."
            ) from error
        except httpx.ProxyError as error:  # of the way through it; the request itself was not sent
            raise TransientError("The proxy does not let us through to Cloudflare.", "Check HTTPS_PROXY.") from error
        except (httpx.InvalidURL, UnicodeError) as error:
            raise TerminalError("The URL of Cloudflare's API cannot be used.", "Check CLOUDFLARE_BASE_URL.") from error
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise broken(method, f"the connection broke ({type(error).__name__})") from error
        self._note_rest(response, budget)
        return Reply(method, path, response, budget, token, self._tokens.source).answer()

    def _note_rest(self, response: httpx.Response, budget: Budget) -> None:
        """Remember when the answer says that little of the whole user's budget is left."""
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
            "Beyond it Cloudflare blocks every tool and person of this user for five minutes; find what spends it.",
            retry_after=seconds,
        )


def _whole(answer: httpx.Response, clock: Clock, end: float) -> httpx.Response:
    """The answer with its body, of which httpx would wait for each piece anew; ``end`` is by the monotonic clock."""
    content = bytearray()
    for piece in answer.iter_raw():
        content += piece
        if clock.monotonic() > end:
            raise httpx.ReadTimeout("the body dribbles in")
    return httpx.Response(answer.status_code, headers=answer.headers, content=bytes(content))
