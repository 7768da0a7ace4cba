"""Answer a request: rate limit, authentication, route, envelope. No sockets here."""

import re
from collections.abc import Sequence
from dataclasses import replace

from controller.sandbox.cloudflare.budget import Budget
from controller.sandbox.cloudflare.details import ACCOUNT_ID, ZoneStatus, zone_object
from controller.sandbox.cloudflare.envelope import failure, success
from controller.sandbox.cloudflare.errors import ApiError, error, no_route
from controller.sandbox.cloudflare.exchange import PREFIX, Reply, Request
from controller.sandbox.cloudflare.listing import page_info
from controller.sandbox.cloudflare.record_routes import COLLECTION, ITEM, Call, Route
from controller.sandbox.cloudflare.settings import ROUTES, Settings, account_dns
from controller.sandbox.cloudflare.settings import Call as SettingsCall
from controller.sandbox.cloudflare.tokens import NOBODY, Permission, Token, Tokens, require
from controller.sandbox.cloudflare.zone import Zone

IDENTIFIER = re.compile(r"[0-9a-f]{32}")
ZONES_PER_PAGE = 20
MAX_ZONES_PER_PAGE = 50


class Api:
    """The API in front of one zone."""

    def __init__(
        self, zone: Zone, settings: Settings, tokens: Tokens, budget: Budget, status: ZoneStatus = "active"
    ) -> None:
        self.zone = zone
        self.settings = settings
        self.tokens = tokens
        self.budget = budget
        self.status: ZoneStatus = status
        self.quirks = zone.quirks

    def answer(self, request: Request) -> Reply:
        """Return the answer to any request, with the support headers that Cloudflare sends with every answer."""
        try:
            self.budget.spend()
            reply = self._route(request, self.tokens.authenticate(request.headers))
        except ApiError as refusal:
            reply = failure(refusal, self.quirks)
        return replace(reply, headers={**reply.headers, **self.budget.headers(), "cf-ray": _ray(request)})

    def _route(self, request: Request, token: Token) -> Reply:
        if not request.target.startswith(f"{PREFIX}/"):
            raise error(7000, status=self.quirks.no_route_status)
        match request.path.removeprefix("/").split("/"):
            case ["zones", zone_id, *rest]:
                return self._zone_route(request, token, zone_id, rest)
            case ["zones"] if request.method == "GET":
                return self._zones(request, token)
            case ["user", "tokens", "verify"] if request.method == "GET":
                return self._verify(token, account_owned=False)
            case ["accounts", account, "tokens", "verify"] if request.method == "GET" and account == ACCOUNT_ID:
                return self._verify(token, account_owned=True)
            case ["accounts", account, "dns_settings"] if request.method == "GET" and account == ACCOUNT_ID:
                require(token, Permission.ACCOUNT_DNS_READ, self.quirks)
                return account_dns(SettingsCall(request, self.zone, self.settings))
            case _:
                raise error(7000, status=self.quirks.no_route_status)

    def _zone_route(self, request: Request, token: Token, zone_id: str, rest: Sequence[str]) -> Reply:
        if not IDENTIFIER.fullmatch(zone_id):
            raise no_route(request.path, self.quirks.no_route_status)
        match rest:
            case []:
                self._authorise(token, Permission.ZONE_READ, zone_id)
                return self._zone_details(request, token)
            case ["dns_records", *below]:
                permission, handler = self._record_route(request, below)
                self._authorise(token, permission, zone_id)
                return handler(Call(request, self.zone, self.budget, "".join(below)))
            case _ if request.method == "GET" and tuple(rest) in ROUTES:
                permission, answer = ROUTES[tuple(rest)]
                self._authorise(token, permission, zone_id)
                return answer(SettingsCall(request, self.zone, self.settings))
            case _:
                raise error(7000, status=self.quirks.no_route_status)

    def _record_route(self, request: Request, below: Sequence[str]) -> Route:
        """Route to the collection, else to one record. Raises 7003 for a malformed id."""
        last = "/".join(below)
        route = COLLECTION.get((request.method, last))
        if route is None and IDENTIFIER.fullmatch(last):
            route = ITEM.get(request.method)
        if route is None:
            raise no_route(request.path, self.quirks.no_route_status)
        return route

    def _authorise(self, token: Token, permission: Permission, zone_id: str) -> None:
        require(token, permission, self.quirks)
        if zone_id != self.zone.id:
            raise error(self.quirks.foreign_zone_code, status=403)

    def _zone_details(self, request: Request, token: Token) -> Reply:
        if request.method != "GET":
            raise error(7000, status=self.quirks.no_route_status)
        return success(zone_object(self.zone, self.status, self.settings, token), self.quirks)

    def _zones(self, request: Request, token: Token) -> Reply:
        """Return the one zone if ``name``, ``status`` and ``account.id`` fit, at most 50 a page."""
        require(token, Permission.ZONE_READ, self.quirks)
        query = request.query
        if self.quirks.unfiltered_zones_refused and not query.get("name"):
            raise error(9109, "Unauthorized to access requested resource")
        facts = {"name": self.zone.shown_name, "status": self.status, "account.id": ACCOUNT_ID}
        fits = all(query.get(name, fact).lower() == fact for name, fact in facts.items())
        page = query.number("page", 1, 1)
        per_page = min(query.number("per_page", ZONES_PER_PAGE, 1), MAX_ZONES_PER_PAGE)
        shown = [zone_object(self.zone, self.status, self.settings, token)] if fits and page == 1 else []
        return success(shown, self.quirks, page_info(page, per_page, len(shown), int(fits)))

    def _verify(self, token: Token, account_owned: bool) -> Reply:
        """Verify a token. The user's endpoint does not know a valid token of an account, nor the other way round."""
        if token is NOBODY or token.account_owned is not account_owned:
            raise error(1000, status=self.quirks.wrong_token_on_verify)
        return success({"id": token.id, "status": "active"}, self.quirks)


def _ray(request: Request) -> str:
    """Return the id by which Cloudflare's support finds a request."""
    return f"{request.number:016x}-LAX"
