"""Settings: the only reader of the environment.

Every problem is reported at once, each with the variable's name, its value (never a secret's) and what is
allowed. An empty variable counts as one that is not set, since templates pass empty strings.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from string import whitespace
from typing import Any
from urllib.parse import urlsplit

from controller.errors import SettingsError

CLOUDFLARE_URL = "https://api.cloudflare.com/client/v4"
DEFAULT_PROJECT_TAG = "Project=Elephant"
DEFAULT_REGION = "us-west-2"
#: Ports that Cloudflare's proxy forwards for HTTPS (Cloudflare docs: network ports).
HTTPS_PORTS = (443, 2053, 2083, 2087, 2096, 8443)
MARK_PREFIX = "elephant-dns:"
#: The mark must fit, with a hint behind it, into a comment of Cloudflare's free plan (100 characters).
MAX_OWNER_ID = 60

#: Variables of earlier versions: a limit that somebody relies on must not vanish in silence.
REMOVED = ("MAX_GUARDED_DELETES", "MAX_GUARDED_DELETE_PERCENT")
_WHY_REMOVED = (
    "it no longer exists, so remove it: deletes are not counted any more; those that rest on absence alone are held "
    "unless OWNER_ID names the account and region"
)
#: Never shown where they cannot be used. What is no name in SECRET_ARN may be what belongs into the secret.
_SECRETS = frozenset({"CLOUDFLARE_API_TOKEN", "SECRET_ARN"})
_HOST_NAME = re.compile(r"(?=.{1,230}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_TABLE = re.compile(r"[a-zA-Z0-9_.-]{3,255}|arn:[!-~]{10,1000}")
_INDEX = re.compile(r"[a-zA-Z0-9_.-]{3,255}")
_ACCOUNT = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9]+")
_OWNER = re.compile(rf"[!-~]{{1,{MAX_OWNER_ID}}}")
_FILE = re.compile(r"[^\0]{1,4096}")
_ROLE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_ZONE = re.compile(r"[0-9a-f]{32}")
#: A name may have any 40 characters, so of the tokens only those with a prefix are known here.
_SECRET = re.compile(r"(?!cf[a-z]{2}_)[A-Za-z0-9/_+=.@-]{1,512}|arn:[!-~]+")
#: A token of Cloudflare's: of today's kinds, with their prefix, or of the older one, 40 characters.
_TOKEN = re.compile(r"\bcf[a-z]{2}_|^[A-Za-z0-9_-]{40}$")
#: What comes along when a value is pasted, beside white space of any kind.
_AROUND = f"{whitespace}\u00a0\ufeff\"'"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the deployment is told.

    ``owner_id`` may be None, and ``place`` is, until the account and region that are looked at are known.
    """

    domain_root: str
    zone_id: str
    secret_arn: str | None
    api_token: str | None
    cloudflare_url: str
    table_name: str
    status_index: str | None
    project_tag: tuple[str, str]
    roles: tuple[str, ...]
    dcv_port: int
    owner_id: str | None
    adopt_unmarked: bool
    grace_seconds: int
    probe_links: bool
    probe_connect_to: tuple[str, int] | None  # instead of the name's address
    probe_ca_file: str | None
    log_level: str
    place: str | None = None  # <account>/<region> that is looked at

    def __repr__(self) -> str:
        """Say which deployment this is; a token must never reach a log through a repr."""
        return f"Settings(domain_root={self.domain_root!r}, zone_id={self.zone_id!r}, table_name={self.table_name!r})"

    @property
    def mark(self) -> str:
        """What the comment of a record of ours starts with."""
        if self.owner_id is None:
            raise SettingsError(
                "The owner id is not known yet.", "Set OWNER_ID, or resolve it from account and region."
            )
        return f"{MARK_PREFIX}{self.owner_id}"

    @property
    def names_its_place(self) -> bool:
        """Whether the owner id begins with the account and region that are looked at."""
        return self.place is not None and f"{self.owner_id}/".startswith(f"{self.place}/")

    @property
    def names_another_place(self) -> bool:
        """Whether the owner id begins with another account or region than those that are looked at."""
        account, _, region = (self.place or "").partition("/")
        first, second, *_ = f"{self.owner_id}//".split("/")
        if not self.place:
            return False
        if _ACCOUNT.fullmatch(first):
            return first != account or (_REGION.fullmatch(second) is not None and second != region)
        return _REGION.fullmatch(first) is not None and first != region


def _may_hold_a_secret(name: str, value: str) -> bool:
    """Whether the value must not be shown: a secret's, a token at a wrong place, a URL that may hold a password."""
    is_url = name == "CLOUDFLARE_BASE_URL" or "://" in value
    return name in _SECRETS or bool(_TOKEN.search(value)) or (is_url and any(sign in value for sign in "@?#"))


def _unwrapped(text: str) -> str:
    """A pasted text without what came along."""
    return text.strip().strip(_AROUND).strip()


def clean_token(text: str) -> str | None:
    """A pasted token without quotes, line breaks or a byte-order mark; None where that leaves nothing usable."""
    token = _unwrapped(text)
    return token if re.fullmatch(r"[!-~]+", token) else None


def _matching(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    return lambda text: text if pattern.fullmatch(text) else None


def _lower(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    return lambda text: text.lower() if pattern.fullmatch(text.lower()) else None


def _domain(text: str) -> str | None:
    name = text.lower().removesuffix(".")
    return name if _HOST_NAME.fullmatch(name) else None


def _tag(text: str) -> tuple[str, str] | None:
    key, _, value = text.partition("=")
    return (key, value) if key and value and len(key) <= 128 and len(value) <= 256 else None


def _roles(text: str) -> tuple[str, ...] | None:
    roles = tuple(role.strip() for role in text.split(","))
    return roles if all(map(_ROLE.fullmatch, roles)) and len(set(roles)) == len(roles) else None


def _number(low: int, high: int) -> Callable[[str], int | None]:
    def read(text: str) -> int | None:
        return int(text) if re.fullmatch(r"[0-9]{1,9}", text) and low <= int(text) <= high else None

    return read


def _port(text: str) -> int | None:
    return int(text) if text in map(str, HTTPS_PORTS) else None


def _boolean(text: str) -> bool | None:
    return {
        "true": True,
        "1": True,
        "yes": True,
        "on": True,
        "false": False,
        "0": False,
        "no": False,
        "off": False,
    }.get(text.lower())


def _level(text: str) -> str | None:
    return text.upper() if text.upper() in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"} else None


def _base_url(text: str) -> str | None:
    """An https URL, or http to this machine itself: a token is never sent in the clear, nor a password kept here."""
    try:
        parts = urlsplit(text)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return None
    if not host or "@" in parts.netloc or parts.query or parts.fragment:
        return None
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)):
        return text.rstrip("/")
    return None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _loopback(text: str) -> tuple[str, int] | None:
    """Return the address and port of a server on this machine."""
    host, _, port = text.rpartition(":")
    number = _number(1, 65_535)(port)
    return (host, number) if number and host != "localhost" and _is_loopback(host) else None


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable: which field it becomes, and what is allowed. docs/configuration.md describes each."""

    name: str
    field: str
    read: Callable[[str], object]  # None for what is not allowed
    allowed: str
    default: str | None = None  # as it would stand in the environment
    required: bool = False


#: Every variable, its default, and what is allowed: the one place that says so.
TABLE = (
    Variable("DOMAIN_ROOT", "domain_root", _domain, "the domain of the machines' names, such as example.com (in "
             "Punycode)", required=True),
    Variable("ZONE_ID", "zone_id", _lower(_ZONE), "the 32 hexadecimal digits on the zone's overview page at "
             "Cloudflare", required=True),
    Variable("SECRET_ARN", "secret_arn", _matching(_SECRET), "the secret's name or ARN, not its content"),
    Variable("CLOUDFLARE_API_TOKEN", "api_token", clean_token, "the token alone, printable and without spaces"),
    Variable("CLOUDFLARE_BASE_URL", "cloudflare_url", _base_url, "an https URL without user and query, or http on "
             "loopback", CLOUDFLARE_URL),
    Variable("TABLE_NAME", "table_name", _matching(_TABLE), "a DynamoDB table's name or ARN", "elephant-meetings"),
    Variable("STATUS_INDEX", "status_index", _matching(_INDEX), "the name of an index with partition key status"),
    Variable("PROJECT_TAG", "project_tag", _tag, "a tag as Key=Value, such as Project=Elephant", DEFAULT_PROJECT_TAG),
    Variable("ROLES", "roles", _roles, "names such as teacher,student: [a-z][a-z0-9_]*, no two alike",
             "teacher,student"),
    Variable("DCV_PORT", "dcv_port", _port, f"one of {', '.join(map(str, HTTPS_PORTS))}, which Cloudflare forwards",
             "8443"),
    Variable("OWNER_ID", "owner_id", _matching(_OWNER), f"1 to {MAX_OWNER_ID} printable ASCII characters without "
             "spaces"),
    Variable("ADOPT_UNMARKED", "adopt_unmarked", _boolean, "true or false", "false"),
    Variable("GRACE_SECONDS", "grace_seconds", _number(0, 86_400), "whole seconds, 0 to 86400", "900"),
    Variable("PROBE_LINKS", "probe_links", _boolean, "true or false", "false"),
    Variable("PROBE_CONNECT_TO", "probe_connect_to", _loopback, "an address of loopback and a port, such as "
             "127.0.0.1:8443; for the sandbox"),
    Variable("PROBE_CA_FILE", "probe_ca_file", _matching(_FILE), "the path of a file with certificates; for the "
             "sandbox"),
    Variable("LOG_LEVEL", "log_level", _level, "DEBUG, INFO, WARNING, ERROR or CRITICAL", "INFO"),
)  # fmt: skip
VARIABLES = frozenset(variable.name for variable in TABLE)


class _Reader:
    """Reads one variable after the other and collects what is wrong with them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []

    def text(self, name: str) -> str | None:
        return _unwrapped(self._environment.get(name, "")) or None

    def complain(self, name: str, value: str | None, allowed: str) -> None:
        if value is None:
            shown = "is not set"
        else:
            shown = "has an unusable value" if _may_hold_a_secret(name, value) else f"is {value[:200]!r}"
        self.problems.append(f"{name} {shown}: {allowed}.")

    def value(self, variable: Variable) -> object:
        """The variable as its reader understands it, or the default."""
        text = self.text(variable.name)
        value = None if text is None else variable.read(text)
        if value is None and (text is not None or variable.required):
            self.complain(variable.name, text, variable.allowed)
        if value is None and variable.default is not None:
            value = variable.read(variable.default)
        return value


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Settings from an environment such as ``os.environ``.

    Raises SettingsError with every problem in one message.
    """
    reader = _Reader(environment)
    values: dict[str, Any] = {variable.field: reader.value(variable) for variable in TABLE}
    if "=".join(values["project_tag"]) != DEFAULT_PROJECT_TAG and reader.text("OWNER_ID") is None:
        reader.complain(
            "OWNER_ID",
            None,
            "with a PROJECT_TAG of your own it must be given, or two deployments would own each other's records",
        )
    if reader.text("SECRET_ARN") is None and reader.text("CLOUDFLARE_API_TOKEN") is None:
        reader.complain(
            "SECRET_ARN", None, "the Secrets Manager secret with CLOUDFLARE_TOKEN in it (or set CLOUDFLARE_API_TOKEN)"
        )
    for name in REMOVED:
        if (value := reader.text(name)) is not None:
            reader.complain(name, value, _WHY_REMOVED)
    if reader.problems:
        raise SettingsError(
            "\n".join(["The settings cannot be used:", *(f"  {problem}" for problem in reader.problems)]),
            "docs/configuration.md describes each. To try it out without any: make sandbox.",
        )
    return Settings(**values)
