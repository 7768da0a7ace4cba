"""Cloudflare's DNS API on loopback, for tests and the demo, with faults on demand."""

import ssl
import time
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from math import inf
from threading import Event, Lock
from types import TracebackType
from typing import Self, TypedDict, Unpack

from controller.sandbox.cloudflare.api import Api
from controller.sandbox.cloudflare.budget import QUOTA, WINDOW, Budget
from controller.sandbox.cloudflare.details import ACCOUNT_ID, ZoneStatus
from controller.sandbox.cloudflare.exchange import PREFIX, Exchange, Interceptor, Reply, Request
from controller.sandbox.cloudflare.fields import unchecked
from controller.sandbox.cloudflare.plans import PLANS, PlanName
from controller.sandbox.cloudflare.quirks import Quirks
from controller.sandbox.cloudflare.settings import Settings
from controller.sandbox.cloudflare.tokens import EVERYTHING, Permission, Token, Tokens, new_value
from controller.sandbox.cloudflare.transport import LOOPBACK, Transport
from controller.sandbox.cloudflare.zone import Write, Zone

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the time: the default clock."""
    return datetime.now(UTC)


class Options(TypedDict, total=False):
    """Options of a server, at its start and at a reset."""

    plan: PlanName
    """Sets the limits: record quota, batch size, comment, tags, smallest TTL. Default: free."""
    quota: int | None
    """Overrides the plan's record quota."""
    quirks: Quirks
    latency: float
    """Seconds before each answer."""
    clock: Clock
    """Dates the records and drives the rate limit."""
    status: ZoneStatus
    rate_quota: int
    """Requests in a window of ``rate_window`` seconds; 1,200 in 300 by default."""
    rate_window: float


class RecordFields(TypedDict, total=False):
    """The fields of a seeded record besides its name and content; by default a proxied A record."""

    type: str
    proxied: bool
    ttl: int
    comment: str | None
    tags: list[str]
    priority: int
    data: Mapping[str, object]


class _Life:
    """Everything between two resets. A request that hangs during a reset stays with the life in which it began."""

    def __init__(self, zone_name: str, token: Token, options: Options) -> None:
        plan = PLANS[options.get("plan", "free")]
        quota = options.get("quota")
        self.clock = options.get("clock", utc_now)
        self.latency = options.get("latency", 0.0)
        self.zone = Zone(
            zone_name, plan, plan.quota if quota is None else quota, options.get("quirks", Quirks()), self.clock
        )
        self.tokens = Tokens([token])
        self.budget = Budget(self.clock, options.get("rate_quota", QUOTA), options.get("rate_window", WINDOW))
        self.settings = Settings()
        self.api = Api(self.zone, self.settings, self.tokens, self.budget, options.get("status", "active"))
        self.log: list[Exchange] = []
        self.over = Event()
        self._lock = Lock()

    def arrived(
        self, method: str, target: str, headers: Mapping[str, str], content: bytes, connection: int
    ) -> Exchange:
        """Number a request and put it into the log."""
        with self._lock:
            number = len(self.log) + 1
            request = Request(number, method, target, headers, content, connection, self.clock(), time.monotonic())
            self.log.append(Exchange(request))
            return self.log[-1]


class CloudflareServer:
    """One zone behind a real HTTP server.

    ::

        with CloudflareServer("example.com", plan="pro") as server:
            server.seed("i-0123456789abcdef0", "192.0.2.1")
            client = Client(server.base_url, server.token, server.zone_id)
    """

    def __init__(
        self, zone_name: str = "example.com", *, tls: ssl.SSLContext | None = None, **options: Unpack[Options]
    ) -> None:
        self.zone_name = zone_name
        self.tls = tls
        self.intercept: Interceptor | None = None
        """Called between the transport and the API; see :data:`~.exchange.Interceptor`. A reset removes it."""
        self._options = options
        self._token = Token(new_value(), EVERYTHING)
        self._transport: Transport | None = None
        self._life = _Life(zone_name, self._token, options)

    def start(self) -> Self:
        """Listen on a free port."""
        self._transport = Transport(self._respond, self.tls)
        return self

    def stop(self) -> None:
        """Stop listening, wake hanging requests, and end every connection."""
        self._life.over.set()
        if self._transport:
            self._transport.close()
            self._transport = None

    def reset(self, **options: Unpack[Options]) -> None:
        """Empty zone, log and history, restore the zone's settings, fill the rate limit, end faults.

        The first token alone stays, and the socket stays open.

        Options not given here return to those of the server's creation.
        """
        self._life.over.set()
        self.intercept = None
        self._life = _Life(self.zone_name, self._token, {**self._options, **options})

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def base_url(self) -> str:
        """Return the URL that replaces Cloudflare's public v4 URL."""
        if not self._transport:
            raise RuntimeError("The server has not been started.")
        return f"{'https' if self.tls else 'http'}://{LOOPBACK}:{self._transport.port}{PREFIX}"

    @property
    def zone_id(self) -> str:
        """Return the zone id, the same for the same zone name."""
        return self._life.zone.id

    @property
    def account_id(self) -> str:
        """Return the id of the zone's account."""
        return ACCOUNT_ID

    @property
    def token(self) -> str:
        """Return a token that may do everything. A reset does not change it."""
        return self._token.value

    def add_token(
        self,
        permissions: Collection[Permission] = EVERYTHING,
        value: str | None = None,
        account_owned: bool = False,
    ) -> str:
        """Return one more valid token."""
        return self._life.tokens.add(permissions, value, account_owned).value

    def revoke_token(self, value: str | None = None) -> None:
        """Make this token (or the first one) invalid."""
        self._life.tokens.revoke(value or self.token)

    def rotate_token(self) -> str:
        """Revoke the first token and return another with the same permissions."""
        old = self._life.tokens.revoke(self.token)
        return self._life.tokens.add(old.permissions, None, old.account_owned).value

    @property
    def budget(self) -> Budget:
        """Return the rate limit. Set its ``left`` to come near the end."""
        return self._life.budget

    @property
    def settings(self) -> Settings:
        """Return what the zone and its account are set to, to be changed in place."""
        return self._life.settings

    @property
    def requests(self) -> list[Exchange]:
        """Return every request since the last reset, in the order of arrival, with its answer."""
        return self._life.log

    @property
    def history(self) -> list[Write]:
        """Return every change that the API applied, in order, without those by :meth:`seed` and the like."""
        return self._life.zone.history

    def records(self, name: str | None = None) -> list[dict[str, object]]:
        """Return the zone's true records (or those at this name) as the API shows them."""
        zone = self._life.zone
        return [record.to_json() for record in (zone.records() if name is None else zone.at(name))]

    def seed(
        self,
        name: str,
        content: str,
        *,
        created_on: datetime | None = None,
        modified_on: datetime | None = None,
        strict: bool = True,
        **fields: Unpack[RecordFields],
    ) -> str:
        """Put a record into the zone without a request, and return its id. The quota does not count here.

        By default it is created now, and last modified at its creation.
        ``strict=False`` checks nothing, for states that exist but should not: an address beside a CNAME, twins,
        a proxied private address.
        """
        body = {"type": "A", "proxied": True, "ttl": 1, **fields, "name": name, "content": content}
        zone = self._life.zone
        with zone.transaction(None):
            checked = zone.checked(body) if strict else unchecked(body, zone.name)
            return zone.insert(checked, created_on, modified_on).id

    def edit(self, record_id: str, **fields: object) -> None:
        """Change a record as another writer, as if by hand in the dashboard."""
        with self._life.zone.transaction(None):
            self._life.zone.change(record_id, fields)

    def remove(self, record_id: str) -> None:
        """Delete a record as another writer."""
        with self._life.zone.transaction(None):
            self._life.zone.delete(record_id)

    def lag(self, listings: int | None = None) -> None:
        """Let this number of listings show the zone as it is now, despite later writes; None: until ``lag(0)``.

        Writes take effect at once. Their answers, and those to single reads, show the truth.
        """
        self._life.zone.lag(inf if listings is None else listings)

    def _respond(
        self, method: str, target: str, headers: Mapping[str, str], content: bytes, connection: int
    ) -> tuple[Reply, Event]:
        life, intercept = self._life, self.intercept
        exchange = life.arrived(method, target, headers, content, connection)

        def proceed() -> Reply:
            exchange.answer = life.api.answer(exchange.request)
            return exchange.answer

        if life.latency:
            life.over.wait(life.latency)
        exchange.reply = intercept(exchange.request, proceed) if intercept else proceed()
        return exchange.reply, life.over
