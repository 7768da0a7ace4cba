"""Go the way of a user's browser, link by link, and say what there was to see.

One HTTPS request a link, with a client of its own: no token, no cookie, no redirect, and of the body only the number of
an error page of Cloudflare's. ``verdict.py`` says what the facts mean.
"""

import re
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpx

from controller.errors import DeadlineError, SettingsError, causes_of
from controller.probe.verdict import Answer, Link, Seen, Stage, Verdict, judge
from controller.runtime.budget import Budget
from controller.runtime.threads import bounded, gather
from controller.settings import Settings

#: Seconds for one link.
SECONDS = 5.0
#: Bytes of an error page in which its number stands.
PAGE = 16_384

_STAGES = {
    "connection.connect_tcp.started": Stage.CONNECT,
    "connection.start_tls.started": Stage.TLS,
    "connection.start_tls.complete": Stage.ANSWER,
}
_HEADERS = {"user-agent": "elephant-dns-watchdog probe", "accept": "*/*", "accept-encoding": "identity"}
_NUMBER = re.compile(rb"error code: ([15]\d{2,3})\b|cf-error-code\">([15]\d{2,3})<", re.IGNORECASE)
#: What DNS says of a name without addresses; any other error says something of the name server.
_NO_SUCH_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})
#: How a server refuses a handshake for a name that it has no certificate for.
_NO_CERTIFICATE = ("HANDSHAKE_FAILURE", "UNRECOGNIZED_NAME")


def probe(links: Sequence[Link], settings: Settings, budget: Budget) -> list[Verdict | None]:
    """Return a verdict for each link, in their order; None where the time was up before.

    Raises SettingsError where the certificates that it should trust cannot be read.
    """
    if not links:
        return []
    prober, verdicts = Prober(settings), dict[int, Verdict]()

    def judged(number: int, link: Link) -> None:
        if budget.remaining() and not budget.is_stopped:
            verdicts[number] = judge(link, prober.look(link, budget.within(SECONDS)))

    with suppress(DeadlineError):  # then those that there are count
        gather([partial(judged, number, link) for number, link in enumerate(links)], budget)
    return [verdicts.get(number) for number in range(len(links))]


class Prober:
    """Looks at links. ``timeout`` limits each step of the request; the budget limits them all together."""

    def __init__(self, settings: Settings, timeout: httpx.Timeout | float = SECONDS) -> None:
        self._connect_to = settings.probe_connect_to
        self._timeout = timeout
        try:
            known = settings.probe_ca_file
            self._trusting = ssl.create_default_context(cafile=known) if known else httpx.create_ssl_context()
        except OSError as error:
            raise SettingsError(
                f"Cannot read certificates for the probe: {_said(error)}.", "Correct PROBE_CA_FILE or SSL_CERT_FILE."
            ) from error
        # Asks once more where the certificate is not trusted, only to see who answers; nothing secret is sent.
        self._blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._blind.check_hostname, self._blind.verify_mode = False, ssl.CERT_NONE

    def look(self, link: Link, budget: Budget) -> Seen:
        """Return what there is to see of the link within the budget."""
        look = _Look(link)
        try:
            return bounded(lambda: self._look(look), budget)
        except DeadlineError:
            return look.ended("the time is up")

    def _look(self, look: "_Look") -> Seen:
        try:
            where = self._connect_to or look.resolve()
        except socket.gaierror as error:
            return look.ended(str(error.strerror), refused=error.errno in _NO_SUCH_NAME)
        except OSError as error:
            return look.ended(_said(error))
        seen = self._ask(look, where, self._trusting)
        return self._ask(look, where, self._blind) if look.distrust and not seen.answer else seen

    def _ask(self, look: "_Look", where: tuple[str, int], context: ssl.SSLContext) -> Seen:
        """Send the request to this address and port, with the link's name for TLS and HTTP."""
        host, port = where
        request: dict[str, Any] = {
            "url": httpx.URL(scheme="https", host=host, port=port, path="/"),
            "headers": {**_HEADERS, "host": urlsplit(look.link.url).netloc},
            "extensions": {"sni_hostname": look.link.name, "trace": look.trace},
        }
        transport = httpx.HTTPTransport(verify=context, trust_env=False)
        # A client for each request: none finds a connection or a cookie of another link.
        with httpx.Client(transport=transport, timeout=self._timeout, trust_env=False) as client:
            try:
                with client.stream("GET", **request) as response:
                    return look.answered(_answer(response))
            except httpx.HTTPError as error:
                return look.failed(error)


class _Look:
    """One look on its way: how far it got, so that one which is given up can still say so."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.stage = Stage.NAME
        self.addresses: tuple[str, ...] = ()
        self.distrust = ""

    def resolve(self) -> tuple[str, int]:
        """Return the address to connect to; IPv4 first, because not every network has IPv6."""
        found = socket.getaddrinfo(self.link.name, self.link.port, type=socket.SOCK_STREAM)
        self.addresses = tuple(str(each[4][0]) for each in sorted(found, key=lambda each: each[0]))
        return self.addresses[0], self.link.port

    def trace(self, event: str, _: object) -> None:
        """Note a step of the request (httpx's documentation: extensions, trace)."""
        self.stage = _STAGES.get(event, self.stage)

    def answered(self, answer: Answer) -> Seen:
        """Return the facts with this answer."""
        return Seen(self.stage, addresses=self.addresses, distrust=self.distrust, answer=answer)

    def failed(self, error: httpx.HTTPError) -> Seen:
        """Return the facts without an answer; note it where the certificate was not trusted."""
        for cause in causes_of(error):
            if isinstance(cause, ssl.SSLCertVerificationError):
                self.distrust = cause.verify_message
                return self.ended(cause.verify_message)
            if isinstance(cause, ssl.SSLError):
                reason = str(cause.reason or "the connection ended")
                return self.ended(reason.replace("_", " ").lower(), refused=reason.endswith(_NO_CERTIFICATE))
        if isinstance(error, httpx.TimeoutException):
            return self.ended("the time is up")
        return self.ended(_said(error), refused=self.stage is Stage.ANSWER)

    def ended(self, problem: str, *, refused: bool = False) -> Seen:
        """Return the facts of a look that ended here."""
        return Seen(self.stage, problem, refused, self.addresses, self.distrust)


def _answer(response: httpx.Response) -> Answer:
    headers = response.headers
    from_cloudflare = "cf-ray" in headers or headers.get("server", "").lower() == "cloudflare"
    target = _target(headers.get("location", ""))
    return Answer(
        status=response.status_code,
        from_cloudflare=from_cloudflare,
        error=_error(response) if from_cloudflare and response.status_code >= 400 else None,
        challenged=headers.get("cf-mitigated", "") == "challenge",
        location=f"{target.hostname or ''}{target.path}" if response.is_redirect else "",
        to_http=response.is_redirect and target.scheme == "http",
    )


def _target(location: str) -> SplitResult:
    """Return the parts of a redirect's target, none if it cannot be read: the desktop's user may have written it."""
    try:
        return urlsplit(location)
    except ValueError:
        return urlsplit("")


def _error(response: httpx.Response) -> int | None:
    """Return the number of an error page of Cloudflare's: in a header, or else in the page."""
    named = response.headers.get("cf-error-type", "")
    if re.fullmatch(r"[0-9]{3,4}", named):
        return int(named)
    page = b""
    with suppress(httpx.HTTPError):  # the status is known, whatever becomes of the page
        for piece in response.iter_raw():
            page += piece
            if len(page) >= PAGE:
                break
    found = _NUMBER.search(page[:PAGE])
    return int(found[1] or found[2]) if found else None


def _said(error: Exception) -> str:
    """Return what the operating system says, without the libraries around it."""
    reasons = [cause.strerror for cause in causes_of(error) if isinstance(cause, OSError) and cause.strerror]
    return reasons[-1] if reasons else type(error).__name__
