"""What an answer of Cloudflare's API means, by status *and* code *and* body, since any of them alone can lie.

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
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from controller.errors import (
    AmbiguousError,
    AuthenticationError,
    CallError,
    RefusedError,
    TerminalError,
    ThrottledError,
    TransientError,
)
from controller.runtime.budget import Budget

#: Codes of a token that is missing, malformed, wrong or too weak; they come as 400, 401 or 403.
AUTHENTICATION_CODES = frozenset({1000, 6003, 6111, 9103, 9106, 9109, 10000})
NO_SUCH_ZONE_CODES = frozenset({7000, 7003})
#: Requests in five minutes of one user, where an answer does not say (Cloudflare docs: limits).
QUOTA = 1200


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer's envelope, as far as it matters."""

    result: Any
    info: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
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
            raise broken(self.method, self._told(text), _retry_after(self.response, self.budget))
        if self.response.is_client_error:
            raise RefusedError(
                self._told(text), "Cloudflare's API documentation may know the code.", tuple(sorted(codes))
            )
        if envelope is None or envelope.get("success") is not True:
            raise broken(self.method, self._told(text))
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


def limits(response: httpx.Response) -> list[tuple[int, int, int]]:
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


def broken(method: str, what: str, retry_after: float | None = None) -> CallError:
    """The error of an answer that never came whole: a read is tried again, the fate of a write is unknown."""
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
