"""The edge: which certificate a name gets, and what is answered for it, as Cloudflare's documentation says.

It knows of names what the zone knows at that moment, so a record that is missing does not resolve. Clients connect to
it as if every name led there; a name that is not proxied is answered by its desktop itself, as in real life.
"""

import ssl
from collections.abc import Iterator, Mapping
from dataclasses import replace
from http.client import HTTPConnection, HTTPException
from ipaddress import IPv4Address
from pathlib import Path
from socket import create_connection
from tempfile import TemporaryDirectory
from threading import Event
from types import TracebackType
from typing import Any, Literal, Self

from controller.sandbox.cloudflare.exchange import Reply
from controller.sandbox.cloudflare.server import CloudflareServer
from controller.sandbox.cloudflare.targets import CLOUDFLARE_V4
from controller.sandbox.cloudflare.transport import LOOPBACK, Transport
from controller.sandbox.edge.desktops import FOREVER, Desktops, Kind
from controller.sandbox.edge.tls import Authority

#: What stands before every answer: a challenge, the login of Cloudflare Access, a rule of the WAF, or an outage.
Door = Literal["challenge", "access", "waf", "outage"]
#: What the edge says of desktops that no server on loopback can play.
_FAR_AWAY: Mapping[Kind, int] = {"filtered": 522, "unrouted": 523, "stuck": 524}

#: Statuses of error pages with a code of their own (Cloudflare docs: 1xxx errors).
_STATUSES = {1000: 403, 1001: 409, 1014: 403, 1016: 530, 1020: 403}
Record = Mapping[str, Any]


class Edge:
    """An edge before the sandbox's zone.

    ::

        with CloudflareServer("example.com") as cloudflare, Edge(cloudflare) as edge:
            edge.desktops["192.0.2.7"] = "closed"
            httpx.get(f"https://{LOOPBACK}:{edge.port}", ...)
    """

    def __init__(self, cloudflare: CloudflareServer) -> None:
        self._cloudflare = cloudflare
        self._authority = Authority()
        self._trusting_some = self._authority.trusted()
        self._trusting_all = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._trusting_all.check_hostname, self._trusting_all.verify_mode = False, ssl.CERT_NONE
        self._over = Event()
        self._folder: TemporaryDirectory[str] | None = None
        self._running: tuple[Transport, Desktops] | None = None
        self.reset()

    def reset(self) -> None:
        """Let every desktop be up and nothing stand before the answers, and empty the log.

        How the zone is set stays as it is: ``CloudflareServer.settings`` says it to the API and to the edge.
        """
        self.door: Door | None = None
        self.latency = 0.0
        """Seconds before each answer."""
        self.names_errors = True
        """Whether error pages carry the header ``cf-error-type``; in any case their text has the code."""
        self.desktops: dict[str, Kind] = {}
        """What stands at an address; a desktop that is up where nothing is said."""
        self.requests: list[Mapping[str, str]] = []
        """The headers of each request, in lower case."""

    def __enter__(self) -> Self:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sni_callback = self._choose
        self._running = Transport(self._respond, context), Desktops(self._authority, self._cloudflare.zone_name)
        self._folder = TemporaryDirectory(prefix="elephant-dns-")
        Path(self.ca_file).write_bytes(self._authority.certificate)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        for server in reversed(self._started):
            server.close()
        if self._folder:
            self._folder.cleanup()

    @property
    def port(self) -> int:
        """Return the port that takes the place of all of Cloudflare's."""
        return self._started[0].port

    @property
    def ca_file(self) -> str:
        """Return the file with the certificate to trust, in PEM. It is deleted when the edge stops."""
        if self._folder is None:
            raise RuntimeError("The edge has not been started.")
        return str(Path(self._folder.name, "edge.pem"))

    def environment(self) -> dict[str, str]:
        """Return the settings that lead the probe here."""
        return {"PROBE_CONNECT_TO": f"{LOOPBACK}:{self.port}", "PROBE_CA_FILE": self.ca_file}

    @property
    def _started(self) -> tuple[Transport, Desktops]:
        if self._running is None:
            raise RuntimeError("The edge has not been started.")
        return self._running

    # TLS: which certificate

    def _choose(self, connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        """Give the name its certificate; refuse the handshake where there is none."""
        chosen = self._context(name or "")
        if chosen is None:
            return ssl.ALERT_DESCRIPTION_HANDSHAKE_FAILURE
        connection.context = chosen
        return None

    def _context(self, name: str) -> ssl.SSLContext | None:
        zone, (_, desktops) = self._cloudflare.zone_name, self._started
        record = self._record(name)
        if record and record["type"] != "NS" and not self._is_proxied(record):
            return desktops.context(self._kind(record))
        parent = name.partition(".")[2]
        settings = self._cloudflare.settings
        covered = {host for pack in settings.every_pack(zone) if pack.status == "active" for host in pack.hosts}
        if record and settings.total_tls:
            covered.add(name)
        if covered.isdisjoint((name, f"*.{parent}")):
            return None
        return self._authority.context(*sorted(covered))

    # HTTP: which answer

    def _respond(self, _: str, target: str, headers: Mapping[str, str], *__: object) -> tuple[Reply, Event]:
        self.requests.append(headers)
        if self.latency:
            self._over.wait(self.latency)
        name, _, port = headers.get("host", "").partition(":")
        return self._answer(name, int(port or 443), target), self._over

    def _answer(self, name: str, port: int, target: str) -> Reply:
        record = self._record(name)
        if record is None or record["type"] == "NS":
            return self._error(1001)
        if not self._is_proxied(record):
            return self._straight_to(self._kind(record), name, target)
        if self.door:
            return self._at_the_door(self.door, name)
        if self._cloudflare.settings.ssl == "off":
            return Reply.text(301, "", location=f"http://{name}{target}")
        if record["type"] == "CNAME":
            return self._error(1016 if str(record["content"]).endswith(".invalid") else 1014)
        if any(IPv4Address(record["content"]) in network for network in CLOUDFLARE_V4):
            return self._error(1000)
        return self._ask(self._kind(record), name, target, self._context_for(port))

    def _context_for(self, port: int) -> ssl.SSLContext | None:
        """Return how the edge speaks to origins behind this port: without TLS, with any certificate or a known one."""
        match self._cloudflare.settings.ssl:
            case "flexible" if port == 443:  # behind other ports Flexible is Full
                return None
            case "strict" | "origin_pull":
                return self._trusting_some
            case _:
                return self._trusting_all

    def _at_the_door(self, door: Door, name: str) -> Reply:
        match door:
            case "challenge":
                return Reply.html(403, "Just a moment...", cf_mitigated="challenge")
            case "access":
                login = f"https://team.cloudflareaccess.com/cdn-cgi/access/login/{name}"
                return Reply.text(302, "", location=login, set_cookie="CF_AppSession=secret; Secure; HttpOnly")
            case "waf":
                return self._error(1020)
            case "outage":
                return self._error(502)

    def _error(self, code: int) -> Reply:
        named = {"cf_error_type": str(code), "cf_error_origin": "edge"} if self.names_errors else {}
        return Reply.text(_STATUSES.get(code, code), f"error code: {code}", **named)

    # The zone: what a name leads to

    def _is_proxied(self, record: Record) -> bool:
        return bool(record["proxied"]) and not self._cloudflare.settings.bypasses_proxy

    def _kind(self, record: Record) -> Kind:
        return self.desktops.get(str(record["content"]), "up")

    def _record(self, name: str) -> Record | None:
        """Return the record that answers for a name: a delegation at or above it, its own, a wildcard's (RFC 4592)."""
        above = list(_parents(name, self._cloudflare.zone_name))
        for each in (name, *above):
            if delegation := self._of_type(each, "NS"):
                return delegation
        if own := self._cloudflare.records(name):
            return self._of_type(name, "A") or own[0]
        wildcards = (self._cloudflare.records(f"*.{parent}") for parent in (*above, self._cloudflare.zone_name))
        return next((records[0] for records in wildcards if records), None)

    def _of_type(self, name: str, kind: str) -> Record | None:
        return next((record for record in self._cloudflare.records(name) if record["type"] == kind), None)

    # The origin: what the desktop says

    def _ask(self, kind: Kind, name: str, target: str, context: ssl.SSLContext | None) -> Reply:
        """Return the desktop's answer, or the edge's own where there is none."""
        if kind in _FAR_AWAY:
            return self._error(_FAR_AWAY[kind])
        try:
            answer = self._fetch(kind, name, target, context)
        except ConnectionRefusedError:
            return self._error(521)
        except ssl.SSLCertVerificationError:
            return self._error(526)
        except ssl.SSLError:
            return self._error(525)
        except (HTTPException, OSError):
            return self._error(520)
        return replace(answer, headers={"cf-ray": "0123456789abcdef-SEA"})

    def _straight_to(self, kind: Kind, name: str, target: str) -> Reply:
        """Return the desktop's answer without an edge before it."""
        try:
            return replace(self._fetch(kind, name, target, self._trusting_all), headers={"server": "dcv"})
        except (HTTPException, OSError):
            return Reply.nothing()

    def _fetch(self, kind: Kind, name: str, target: str, context: ssl.SSLContext | None) -> Reply:
        """Ask the desktop, with TLS where there is a context for it."""
        with create_connection((LOOPBACK, self._started[1].port(kind)), FOREVER) as plain:
            connection = HTTPConnection(name)
            connection.sock = context.wrap_socket(plain, server_hostname=name) if context else plain
            with connection.sock:
                connection.request("GET", target)
                answer = connection.getresponse()
                return Reply(answer.status, answer.read())


def _parents(name: str, zone: str) -> Iterator[str]:
    """Yield the names above this one and below the zone's own, the nearest first."""
    _, _, parent = name.partition(".")
    while parent.endswith(f".{zone}"):
        yield parent
        _, _, parent = parent.partition(".")
