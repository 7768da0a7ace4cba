"""Cloudflare's API over HTTP: one request in, its result or a classified error out.

What an answer means is decided by status *and* code *and* body, since any of them alone can lie:

==============================================  ===================  ==============
answer                                          to a read            to a write
==============================================  ===================  ==============
429; budget of the user nearly spent            throttled            throttled
no connection, or none through the proxy        transient            transient
5xx, reset, cut, time-out, unreadable body,     transient            ambiguous
``success: false`` on a 200
401, 403, and 400 with an authentication code   authentication       authentication
7000, 7003 (no such zone), a redirect           terminal             terminal
any other 4xx                                   refused              refused
==============================================  ===================  ==============
"""

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import httpx

from controller import retry
from controller.budget import Budget, Clock
from controller.errors import (
    AmbiguousError,
    AuthenticationError,
    CallError,
    RefusedError,
    TerminalError,
    ThrottledError,
    TransientError,
)

#: Codes of a token that is missing, malformed, wrong or too weak; they come as 400, 401 or 403.
AUTHENTICATION_CODES = frozenset({1000, 6003, 6111, 9103, 9106, 9109, 10000})
NO_SUCH_ZONE_CODES = frozenset({7000, 7003})
#: Seconds for one request, a batch of 3,500 included.
LONGEST_REQUEST = 30.0
#: Share of the whole user's budget (1,200 requests in 5 minutes) that is left to other people and tools.
RESERVE = 0.025
QUOTA = 1200

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
class Answer:
    """A successful answer's envelope, as far as it matters."""

    result: Any
    info: Mapping[str, Any]


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
            raise _broken(method, f"the connection broke ({type(error).__name__})") from error
        self._note_rest(response, budget)
        return _Reply(method, path, response, budget, token, self._tokens.source).answer()

    def _note_rest(self, response: httpx.Response, budget: Budget) -> None:
        """Remember when the answer says that little of the whole user's budget is left."""
        spent = [(left, seconds) for left, seconds, quota in _limits(response) if left < RESERVE * quota]
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


@dataclass(frozen=True, slots=True)
class _Reply:
    """One response, and what it means. Nothing of its text is shown before the token is struck out of it."""

    method: str
    path: str
    response: httpx.Response
    budget: Budget
    token: str = field(repr=False)
    source: str  # of the token

    def answer(self) -> Answer:
        """The answer. Raises the CallError that status, codes and body make of it."""
        status, envelope = self.response.status_code, self._envelope()
        codes, text = self._errors(envelope)
        if status == httpx.codes.TOO_MANY_REQUESTS:
            hint = "Other tools of the same Cloudflare user spend the same budget."
            raise ThrottledError(self._told(text), hint, retry_after=_retry_after(self.response, self.budget))
        if status in (401, 403) or (status == httpx.codes.BAD_REQUEST and codes & AUTHENTICATION_CODES):
            need = "The token needs the permission Zone > DNS > Edit (to plan: Read) for this zone"
            raise AuthenticationError(self._told(text), f"{need}; look at {self.source} and at ZONE_ID.")
        if codes & NO_SUCH_ZONE_CODES:
            raise TerminalError(self._told(text), "Check ZONE_ID: it stands on the zone's overview page.")
        if self.response.is_redirect:
            raise TerminalError(self._told(text), "Redirects are not followed with a token; check CLOUDFLARE_BASE_URL.")
        if status == httpx.codes.REQUEST_TIMEOUT or self.response.is_server_error:
            raise _broken(self.method, self._told(text), _retry_after(self.response, self.budget))
        if self.response.is_client_error:
            raise RefusedError(
                self._told(text), "Cloudflare's API documentation may know the code.", tuple(sorted(codes))
            )
        if envelope is None or envelope.get("success") is not True:
            raise _broken(self.method, self._told(text))
        info = envelope.get("result_info")
        return Answer(envelope.get("result"), info if isinstance(info, dict) else {})

    def _told(self, text: str) -> str:
        """What an error says; not made for a success, where it would search a whole listing."""
        status = self.response.status_code
        return f"Cloudflare answered {status} to {self.method} {self.path}: {text or self._beginning()}"

    def _envelope(self) -> dict[str, Any] | None:
        """The JSON envelope, or None for anything else (HTML of the edge, text, a cut body)."""
        try:
            body = self.response.json()
        except (ValueError, RecursionError):
            return None
        return body if isinstance(body, dict) else None

    def _errors(self, envelope: dict[str, Any] | None) -> tuple[frozenset[int], str]:
        """Codes and text of the envelope's errors; the older wrapper (1004) hides the cause in its chain."""
        found: list[tuple[int, str]] = []
        for error in _dicts(envelope.get("errors") if envelope else None):
            items = (error, *_dicts(error.get("error_chain")))
            found += [(i["code"], self._clean(i.get("message"))) for i in items if isinstance(i.get("code"), int)]
        return frozenset(code for code, _ in found), "; ".join(f"{code} {message}" for code, message in found[:3])

    def _beginning(self) -> str:
        """What a body that is no envelope begins with, and the id by which Cloudflare's support finds the request."""
        ray = self._clean(self.response.headers.get("cf-ray"))
        # Not the response's text: that believes the charset which the answer names, and some names only raise.
        text = self.response.content[:2000].decode("utf-8", "replace")
        return f"{self._clean(text) or 'nothing'}{f' (cf-ray {ray})' if ray else ''}"

    def _clean(self, value: Any) -> str:
        """A short piece of somebody else's text, on one line, without the token (an error page may echo it)."""
        text = re.sub(r"(?i)(bearer\s+)\S+", r"\1…", str(value or "").replace(self.token, "…"))
        return " ".join("".join(c if c.isprintable() else " " for c in text[:400]).split())[:160]


def _limits(response: httpx.Response) -> list[tuple[int, int, int]]:
    """Requests left, seconds until the window ends, and its quota: one for each policy that the answer names.

    ``Ratelimit: "default";r=1100;t=250`` beside ``Ratelimit-Policy: "default";q=1200;w=300`` (Cloudflare docs: limits).
    """
    policies = {item["name"]: item for item in _items(response.headers.get("ratelimit-policy", ""))}
    return [
        (int(item["r"]), int(item["t"]), int(policies.get(item["name"], {}).get("q", QUOTA)))
        for item in _items(response.headers.get("ratelimit", ""))
        if "r" in item and "t" in item
    ]


def _items(header: str) -> list[dict[str, str]]:
    """The header's items, each as its name and its whole numbers."""
    return [
        {"name": item.partition(";")[0].strip(), **dict(re.findall(r";\s*([a-z]+)=(\d{1,9})(?!\d)", item))}
        for item in header.split(",")
    ]


def _broken(method: str, what: str, retry_after: float | None = None) -> CallError:
    if method == "GET":
        return TransientError(what, "Cloudflare's status page may know more.", retry_after=retry_after)
    return AmbiguousError(f"Nobody knows whether it was applied: {what}", "The next pass looks again.")


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _retry_after(response: httpx.Response, budget: Budget) -> float | None:
    """Seconds to wait as told, in either of HTTP's two forms (RFC 9110, 10.2.3)."""
    value = response.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,6}(\.\d+)?", value):
        return float(value)
    try:
        moment: datetime = parsedate_to_datetime(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (moment - budget.clock.now()).total_seconds())
    except (ValueError, OverflowError):
        return None
