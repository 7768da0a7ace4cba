"""API tokens and their permissions (Cloudflare docs: make-api-calls, token-formats; texts as users quoted them)."""

import re
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from zlib import crc32

from controller.sandbox.cloudflare.errors import ApiError, bad_headers, error
from controller.sandbox.cloudflare.quirks import Quirks


class Permission(StrEnum):
    """The permissions of a token. None includes another, except that a writer of records may also read them."""

    DNS_READ = "dns:read"
    DNS_WRITE = "dns:write"
    ZONE_READ = "zone:read"
    ZONE_SETTINGS_READ = "zone_settings:read"
    SSL_READ = "ssl:read"
    ACCOUNT_DNS_READ = "account_dns_settings:read"


EVERYTHING = frozenset(Permission)
# The zone's legacy permission strings, as the zone object shows them. The account's permission is not among them.
LEGACY = {
    Permission.DNS_READ: "#dns_records:read",
    Permission.DNS_WRITE: "#dns_records:edit",
    Permission.ZONE_READ: "#zone:read",
    Permission.ZONE_SETTINGS_READ: "#zone_settings:read",
    Permission.SSL_READ: "#ssl:read",
}
WELL_FORMED = re.compile(r"[A-Za-z0-9_.-]+")
GLOBAL_KEY = re.compile(r"[0-9a-f]{37}")


@dataclass(frozen=True, slots=True)
class Token:
    """A token. The user's verify endpoint does not know a token of an account."""

    value: str
    permissions: frozenset[Permission]
    account_owned: bool = False

    @property
    def id(self) -> str:
        """Return the id that verify shows, which does not reveal the token."""
        return f"{crc32(self.value.encode()):032x}"

    def may(self, permission: Permission) -> bool:
        """Return whether the token has this permission."""
        needed = {permission, Permission.DNS_WRITE} if permission is Permission.DNS_READ else {permission}
        return not self.permissions.isdisjoint(needed)


NOBODY = Token("", frozenset())
"""The sender of a well-formed token that this server does not know."""


def new_value(account_owned: bool = False) -> str:
    """Return a token in the form since 2026: prefix, 40 characters, checksum."""
    body = secrets.token_hex(20)
    return f"{'cfat' if account_owned else 'cfut'}_{body}{crc32(body.encode()):08x}"


class Tokens:
    """The tokens that are valid now."""

    def __init__(self, tokens: Iterable[Token]) -> None:
        self._tokens = {token.value: token for token in tokens}

    def add(self, permissions: Collection[Permission], value: str | None = None, account_owned: bool = False) -> Token:
        """Make a token valid."""
        token = Token(value or new_value(account_owned), frozenset(permissions), account_owned)
        self._tokens[token.value] = token
        return token

    def revoke(self, value: str) -> Token:
        """Make a token invalid."""
        return self._tokens.pop(value)

    def authenticate(self, headers: Mapping[str, str]) -> Token:
        """Return the token in the request, or :data:`NOBODY` for a wrong one: each route refuses with its own text."""
        header = headers.get("authorization")
        if header is None:
            raise error(9103 if "x-auth-key" in headers else 9106)
        scheme, _, value = header.partition(" ")
        if value in self._tokens and scheme == "Bearer":
            return self._tokens[value]
        if scheme != "Bearer" or not WELL_FORMED.fullmatch(value) or GLOBAL_KEY.fullmatch(value):
            raise bad_headers(6111)
        return NOBODY


def require(token: Token, permission: Permission, quirks: Quirks) -> None:
    """Refuse a token without this permission. Zone routes and record routes use different texts."""
    if token.may(permission):
        return
    if permission in (Permission.ZONE_READ, Permission.ZONE_SETTINGS_READ):
        raise error(9109, None if token is NOBODY else "Unauthorized to access requested resource")
    raise _refused_on_records(quirks)


def _refused_on_records(quirks: Quirks) -> ApiError:
    """Return the refusal of the token. 10000 is an authentication error, not a rate limit, whatever its status."""
    match quirks.wrong_token_on_records:
        case "403 10000":
            return error(10000)
        case "401 10000":
            return error(10000, status=401)
        case "400 9106":
            return error(9106, "Authentication failed")
