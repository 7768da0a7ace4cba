"""What an answer of Cloudflare's API means, by status *and* code *and* body, because each of them alone can mislead.

==============================================  ===================  ==============
answer                                          to a read            to a write
==============================================  ===================  ==============
429; budget of the user nearly spent            throttled            throttled
no connection, or none through the proxy        transient            transient
5xx, reset, cut, time-out, unreadable body,     transient            ambiguous
``success: false`` on a 200
401 or 403 without an envelope: from the edge,  terminal             terminal
a firewall or a proxy, not from the API
1038 (the API may not change this domain)       terminal             terminal
any other 401 or 403, and 400 with an           authentication       authentication
authentication code
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
MALFORMED_CODES = frozenset({6003, 6111})
#: The domain's ending is one that only the dashboard may change (.cf, .ga, .gq, .ml, .tk).
DASHBOARD_ONLY_CODE, _DASHBOARD_ONLY = 1038, "cannot use this API for domains"
#: "Cannot use the access token from location: 192.0.2.1": the token's own filter of addresses.
_FROM_ADDRESS = re.compile(r"(?i)\b(?:location|address)\b")
#: An older refusal has ``error`` alone, a text.
_OF_ENVELOPES = ("success", "errors", "error")
NO_SUCH_ZONE_CODES = frozenset({7000, 7003})
#: Requests in five minutes of one user, where an answer does not say (Cloudflare docs: limits).
QUOTA = 1200


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer: the parts of its envelope that are in use."""

    result: Any
    info: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """One response, and what it means. Shows no text of it before the token is struck out."""

    method: str
    path: str
    response: httpx.Response
    budget: Budget
    token: str = field(repr=False)
    source: str  # of the token

    def answer(self) -> Answer:
        """Return the answer. Raises the CallError that status, codes and body amount to."""
        status, envelope = self.response.status_code, self._envelope()
        codes, text = self._errors(envelope)
        if status == httpx.codes.TOO_MANY_REQUESTS:
            hint = "Other tools of the same Cloudflare user spend the same budget."
            raise ThrottledError(self._message(text), hint, retry_after=_retry_after(self.response, self.budget))
        if status in (401, 403) and envelope is None:
            raise self._blocked()
        if status in (400, 403) and (DASHBOARD_ONLY_CODE in codes or _DASHBOARD_ONLY in text):
            hint = "Take a domain with another ending: Cloudflare lets only its dashboard change this one."
            raise TerminalError(self._message(text), hint)
        if status in (401, 403) or (status == httpx.codes.BAD_REQUEST and codes & AUTHENTICATION_CODES):
            raise AuthenticationError(self._message(text), self._advice(codes, text))
        if codes & NO_SUCH_ZONE_CODES:
            raise TerminalError(self._message(text), "Check ZONE_ID: it stands on the zone's overview page.")
        if self.response.is_redirect:
            hint = "Check CLOUDFLARE_BASE_URL: a request with a token follows no redirect."
            raise TerminalError(self._message(text), hint)
        if status == httpx.codes.REQUEST_TIMEOUT or self.response.is_server_error:
            raise broken(self.method, self._message(text), _retry_after(self.response, self.budget))
        if self.response.is_client_error:
            hint = "Cloudflare's API documentation may explain the code."
            raise RefusedError(self._message(text), hint, tuple(sorted(codes)))
        if envelope is None or envelope.get("success") is not True:
            raise broken(self.method, self._message(text))
        found = envelope.get("result_info")
        info = found if isinstance(found, dict) else {}
        result = envelope.get("result")
        # An empty list can come as null. Without a count of 0 it can be anything.
        return Answer([] if result is None and info.get("count") == 0 else result, info)

    def _advice(self, codes: frozenset[int], text: str) -> str:
        """Return what to do about a refused token."""
        need = "The token needs the permission Zone > DNS > Edit (to plan: Read) for this zone"
        if codes & MALFORMED_CODES:
            return f"Put the API token alone into {self.source}: no quotes, no spaces, not a global API key. {need}."
        if codes & AUTHENTICATION_CODES and _FROM_ADDRESS.search(text):
            return (
                f"The token in {self.source} does not allow this machine's address: change its client IP address "
                "filtering at Cloudflare, or call from an address that it allows (a function has a fixed address "
                "behind a NAT gateway only)."
            )
        if codes and not codes & AUTHENTICATION_CODES:
            known = "Cloudflare's API documentation may explain the code"
            return f"{known}. If it is about the token: {need[0].lower()}{need[1:]}; look at {self.source}."
        return f"{need}; look at {self.source} and at ZONE_ID."

    def _blocked(self) -> TerminalError:
        """Return the error for a refusal by something before the API, which says nothing about the token."""
        status, headers = self.response.status_code, self.response.headers
        said = f"{status} to {self.method} {self.path}: {self._beginning()}"
        if "cf-mitigated" in headers or "cf-ray" in headers:
            return TerminalError(
                f"Cloudflare's edge, not its API, answered {said}",
                "The edge blocks this machine's address, whatever the token: call from another address, or give "
                "Cloudflare's support the cf-ray.",
            )
        return TerminalError(
            f"A proxy or firewall, not Cloudflare's API, answered {said}",
            "Allow Cloudflare's API there, and check HTTPS_PROXY and CLOUDFLARE_BASE_URL. The token is not the cause.",
        )

    def _message(self, text: str) -> str:
        """Return what an error says. Only errors need it: for a success it would search a whole listing."""
        status = self.response.status_code
        return f"Cloudflare answered {status} to {self.method} {self.path}: {text or self._beginning()}"

    def _envelope(self) -> dict[str, Any] | None:
        """Return the JSON envelope, or None for anything else (HTML of the edge, text, a cut body)."""
        try:
            body = self.response.json()
        except (ValueError, RecursionError):
            return None
        return body if isinstance(body, dict) and not body.keys().isdisjoint(_OF_ENVELOPES) else None

    def _errors(self, envelope: dict[str, Any] | None) -> tuple[frozenset[int], str]:
        """Return codes and text of the envelope's errors. The older wrapper (1004) hides the cause in its chain."""
        found: list[tuple[int, str]] = []
        if envelope and isinstance(envelope.get("error"), str):
            return frozenset(), self._clean(envelope["error"])
        for error in _dicts(envelope.get("errors") if envelope else None):
            items = (error, *_dicts(error.get("error_chain")))
            found += [(i["code"], self._clean(i.get("message"))) for i in items if isinstance(i.get("code"), int)]
        return frozenset(code for code, _ in found), "; ".join(f"{code} {message}" for code, message in found[:3])

    def _beginning(self) -> str:
        """Return the beginning of a body without an envelope, and the id by which Cloudflare's support finds it."""
        ray = self._clean(self.response.headers.get("cf-ray"))
        # Not the response's text: that believes the charset that the answer names, and some names only raise.
        text = re.sub(r"<[^<>]*>", " ", self.response.content[:2000].decode("utf-8", "replace"))
        return f"{self._clean(text) or 'nothing'}{f' (cf-ray {ray})' if ray else ''}"

    def _clean(self, value: Any) -> str:
        """Return a short piece of another's text on one line, without the token (an error page may echo it)."""
        text = re.sub(r"(?i)(bearer\s+)\S+", r"\1…", str(value or "").replace(self.token, "…"))
        return " ".join("".join(c if c.isprintable() else " " for c in text[:400]).split())[:160]


def limits(response: httpx.Response) -> list[tuple[int, int, int]]:
    """Return requests left, seconds until the window ends, and its quota: for each policy that the answer names.

    ``Ratelimit: "default";r=1100;t=250`` beside ``Ratelimit-Policy: "default";q=1200;w=300`` (Cloudflare docs: limits).
    """
    policies = {item["name"]: item for item in _items(response.headers.get("ratelimit-policy", ""))}
    return [
        (int(item["r"]), int(item["t"]), int(policies.get(item["name"], {}).get("q", QUOTA)))
        for item in _items(response.headers.get("ratelimit", ""))
        if "r" in item and "t" in item
    ]


def _items(header: str) -> list[dict[str, str]]:
    """Return the header's items, each as its name and its whole numbers."""
    return [
        {"name": item.partition(";")[0].strip(), **dict(re.findall(r";\s*([a-z]+)=(\d{1,9})(?!\d)", item))}
        for item in header.split(",")
    ]


def broken(method: str, what: str, retry_after: float | None = None) -> CallError:
    """Return the error of an answer that did not come whole: a read can be repeated, a write may be applied."""
    if method == "GET":
        return TransientError(what, "Cloudflare's status page may know more.", retry_after=retry_after)
    return AmbiguousError(f"It is unknown whether Cloudflare applied it: {what}", "The next pass looks again.")


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _retry_after(response: httpx.Response, budget: Budget) -> float | None:
    """Return the seconds that the answer asks to wait, in either of HTTP's two forms (RFC 9110, 10.2.3)."""
    value = response.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,6}(\.\d+)?", value):
        return float(value)
    try:
        moment: datetime = parsedate_to_datetime(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (moment - budget.clock.now()).total_seconds())
    except (ValueError, OverflowError):
        return None
