"""Read the settings from the environment. No other module reads these variables.

One error reports all problems, each with the variable's name, its value (never a secret's) and what is allowed. An
empty variable counts as not set, because templates pass empty strings.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from string import whitespace
from typing import Any
from urllib.parse import urlsplit

from controller.errors import SettingsError
from controller.names import punycode

CLOUDFLARE_URL = "https://api.cloudflare.com/client/v4"
DEFAULT_PROJECT_TAG = "Project=Elephant"
DEFAULT_REGION = "us-west-2"
#: Ports that Cloudflare's proxy forwards for HTTPS (Cloudflare docs: network ports).
HTTPS_PORTS = (443, 2053, 2083, 2087, 2096, 8443)
MARK_PREFIX = "elephant-dns:"
#: The mark and the hint after it must fit into a comment of Cloudflare's free plan (100 characters).
MAX_OWNER_ID = 60

#: Variables of earlier versions. A limit that users rely on must not vanish in silence.
REMOVED = ("MAX_GUARDED_DELETES", "MAX_GUARDED_DELETE_PERCENT")
_WHY_REMOVED = (
    "it no longer exists, so remove it; the guard now holds deletes that rest on absence alone, unless "
    "OWNER_ID names the account and region"
)
#: Values that messages never show. A malformed SECRET_ARN may be the secret's content.
_SECRETS = frozenset({"CLOUDFLARE_API_TOKEN", "SECRET_ARN"})
_HOST_NAME = re.compile(r"(?=.{1,230}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_TABLE = re.compile(r"(?:arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:[0-9]{12}:table/)?[a-zA-Z0-9_.-]{3,255}")
_INDEX = re.compile(r"[a-zA-Z0-9_.-]{3,255}")
_ACCOUNT = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-[0-9]+")
_CELL = re.compile(f"{_ACCOUNT.pattern}/{_REGION.pattern}")
_ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_OWNER = re.compile(rf"[!-~]{{1,{MAX_OWNER_ID}}}")
_FILE = re.compile(r"[^\0]{1,4096}")
_ROLE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_ZONE = re.compile(r"[0-9a-f]{32}")
#: A secret's name may have any 40 characters, so only tokens with a prefix can be recognised.
_SECRET = re.compile(r"(?!cf[a-z]{2}_)[A-Za-z0-9/_+=.@-]{1,512}|arn:[!-~]+")
#: A Cloudflare token: today's kinds have a prefix, the older kind has 40 characters.
_TOKEN = re.compile(r"\bcf[a-z]{2}_|^[A-Za-z0-9_-]{40}$")
#: What a pasted value may have around it: white space of any kind, a byte-order mark, quotes.
_AROUND = f"{whitespace}\u00a0\ufeff\"'"


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a deployment.

    ``place`` is None until the account and region are known. ``owner_id`` may be None until then.
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
    max_machine_hours: int
    max_meeting_hours: int
    launch_minutes: int
    healthy_minutes: int
    probe_links: bool
    probe_connect_to: tuple[str, int] | None  # instead of the name's address
    probe_ca_file: str | None
    log_level: str
    cells: tuple[str, ...] = ()  # <account>/<region> of each place with machines; empty: ``place`` alone
    cell_role: str | None = None  # the role to assume in other accounts than the function's own
    cell_external_id: str | None = None
    place: str | None = None  # <account>/<region> of the deployment itself
    #: What the comments of our records may start with: one mark, or one for each cell. Asked for at every record.
    marks: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compute the marks."""
        owners = self.cells or ((self.owner_id,) if self.owner_id else ())
        object.__setattr__(self, "marks", tuple(f"{MARK_PREFIX}{owner}" for owner in owners))

    def __repr__(self) -> str:
        """Return what identifies the deployment. A token must not reach a log through a repr."""
        return f"Settings(domain_root={self.domain_root!r}, zone_id={self.zone_id!r}, table_name={self.table_name!r})"

    @property
    def mark(self) -> str:
        """Return the text at the start of an own record's comment. Raises SettingsError without an owner id."""
        if self.owner_id is None:
            raise SettingsError(
                "The owner id is not known yet.", "Set OWNER_ID, or resolve it from account and region."
            )
        return f"{MARK_PREFIX}{self.owner_id}"

    def mark_of(self, cell: str | None) -> str:
        """Return the mark of the records of machines in this cell, so that a cell can move to another deployment."""
        return f"{MARK_PREFIX}{cell}" if self.cells and cell else self.mark

    @property
    def names_its_place(self) -> bool:
        """Return whether the owner id, or each cell's mark, begins with the account and region that a pass reads."""
        return bool(self.cells) or (self.place is not None and f"{self.owner_id}/".startswith(f"{self.place}/"))

    @property
    def names_another_place(self) -> bool:
        """Return whether the owner id begins with another account or region than a pass reads."""
        account, _, region = (self.place or "").partition("/")
        first, second, *_ = f"{self.owner_id}//".split("/")
        if not self.place:
            return False
        if _ACCOUNT.fullmatch(first):
            return first != account or (_REGION.fullmatch(second) is not None and second != region)
        return _REGION.fullmatch(first) is not None and first != region


def region_of(name: str) -> str | None:
    """Return the region that an ARN names; None for a plain name."""
    arn, *parts = name.split(":")
    return parts[2] or None if arn == "arn" and len(parts) > 4 else None


def _may_hold_a_secret(name: str, value: str) -> bool:
    """Return whether a message must not show the value: a secret, a misplaced token, a URL with a password."""
    is_url = name == "CLOUDFLARE_BASE_URL" or "://" in value
    return name in _SECRETS or bool(_TOKEN.search(value)) or (is_url and any(sign in value for sign in "@?#"))


def _unwrapped(text: str) -> str:
    """Return a pasted text without what is around it."""
    return text.strip().strip(_AROUND).strip()


def clean_token(text: str) -> str | None:
    """Return a pasted token without quotes, line breaks and byte-order mark; None if the rest is not a token."""
    token = _unwrapped(text)
    return token if re.fullmatch(r"[!-~]+", token) else None


def _matching(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    return lambda text: text if pattern.fullmatch(text) else None


def _lower(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    return lambda text: text.lower() if pattern.fullmatch(text.lower()) else None


def _domain(text: str) -> str | None:
    try:
        name = punycode(text).removesuffix(".")
    except ValueError:
        return None
    return name if _HOST_NAME.fullmatch(name) else None


def _tag(text: str) -> tuple[str, str] | None:
    key, _, value = text.partition("=")
    return (key, value) if key and value and len(key) <= 128 and len(value) <= 256 else None


def _roles(text: str) -> tuple[str, ...] | None:
    roles = tuple(role.strip() for role in text.split(","))
    return roles if all(map(_ROLE.fullmatch, roles)) and len(set(roles)) == len(roles) else None


def _cells(text: str) -> tuple[str, ...] | None:
    cells = tuple(cell.strip() for cell in text.split(","))
    return cells if _wrong_cell(text) is None else None


def _wrong_cell(text: str) -> str | None:
    """Return the first cell in a list that is malformed or there before, or None."""
    seen = set[str]()
    for cell in (cell.strip() for cell in text.split(",")):
        if cell in seen or not _CELL.fullmatch(cell):
            return cell
        seen.add(cell)
    return None


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
    """Return an https URL, or http to this machine, else None: no token travels in the clear, no password is kept."""
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
    """One environment variable: its field, and what is allowed. docs/configuration.md describes each."""

    name: str
    field: str
    read: Callable[[str], object]  # returns None if the text is not allowed
    allowed: str
    default: str | None = None  # as text in the environment
    required: bool = False


#: Every variable, with its default and what is allowed. No other place in the code repeats this.
TABLE = (
    Variable("DOMAIN_ROOT", "domain_root", _domain, "the domain of the machines' names, such as example.com; an "
             "international one in Unicode or Punycode", required=True),
    Variable("ZONE_ID", "zone_id", _lower(_ZONE), "the 32 hexadecimal digits on the zone's overview page at "
             "Cloudflare", required=True),
    Variable("SECRET_ARN", "secret_arn", _matching(_SECRET), "the secret's name or ARN, not its content"),
    Variable("CLOUDFLARE_API_TOKEN", "api_token", clean_token, "the token alone, printable and without spaces"),
    Variable("CLOUDFLARE_BASE_URL", "cloudflare_url", _base_url, "an https URL without user and query, or http on "
             "loopback", CLOUDFLARE_URL),
    Variable("TABLE_NAME", "table_name", _matching(_TABLE), "a DynamoDB table's name or ARN "
             "(arn:aws:dynamodb:<region>:<account>:table/<name>)", "elephant-meetings"),
    Variable("STATUS_INDEX", "status_index", _matching(_INDEX), "the name of an index with partition key status"),
    Variable("PROJECT_TAG", "project_tag", _tag, "a tag as Key=Value, such as Project=Elephant", DEFAULT_PROJECT_TAG),
    Variable("ROLES", "roles", _roles, "names such as teacher,student: [a-z][a-z0-9_]*, all different",
             "teacher,student"),
    Variable("DCV_PORT", "dcv_port", _port, f"one of {', '.join(map(str, HTTPS_PORTS))}, which Cloudflare forwards",
             "8443"),
    Variable("OWNER_ID", "owner_id", _matching(_OWNER), f"1 to {MAX_OWNER_ID} printable ASCII characters without "
             "spaces"),
    Variable("CELLS", "cells", _cells, "account/region of each place with machines, each once, separated by "
             "commas, such as 123456789012/us-west-2,123456789012/eu-west-1"),
    Variable("CELL_ROLE", "cell_role", _matching(_ROLE_NAME), "the name of a role in each account, without its path"),
    Variable("CELL_EXTERNAL_ID", "cell_external_id", _matching(_EXTERNAL_ID), "2 to 1224 of letters, digits and "
             "+=,.@:/-_"),
    Variable("ADOPT_UNMARKED", "adopt_unmarked", _boolean, "true or false", "false"),
    Variable("GRACE_SECONDS", "grace_seconds", _number(0, 86_400), "whole seconds, 0 to 86400", "900"),
    Variable("MAX_MACHINE_HOURS", "max_machine_hours", _number(1, 8760), "whole hours, 1 to 8760", "12"),
    Variable("MAX_MEETING_HOURS", "max_meeting_hours", _number(1, 8760), "whole hours, 1 to 8760", "12"),
    Variable("LAUNCH_MINUTES", "launch_minutes", _number(1, 1440), "whole minutes, 1 to 1440", "10"),
    Variable("HEALTHY_MINUTES", "healthy_minutes", _number(1, 1440), "whole minutes, 1 to 1440", "30"),
    Variable("PROBE_LINKS", "probe_links", _boolean, "true or false", "false"),
    Variable("PROBE_CONNECT_TO", "probe_connect_to", _loopback, "an address of loopback and a port, such as "
             "127.0.0.1:8443; for the sandbox"),
    Variable("PROBE_CA_FILE", "probe_ca_file", _matching(_FILE), "the path of a file with certificates; for the "
             "sandbox"),
    Variable("LOG_LEVEL", "log_level", _level, "DEBUG, INFO, WARNING, ERROR or CRITICAL", "INFO"),
)  # fmt: skip
VARIABLES = frozenset(variable.name for variable in TABLE)


class _Reader:
    """Reads the variables and collects the problems."""

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
        """Return the variable's value, or the default."""
        text = self.text(variable.name)
        value = None if text is None else variable.read(text)
        if value is None and (text is not None or variable.required):
            shown = _wrong_cell(text) if text and variable.read is _cells else text  # a list can be long
            self.complain(variable.name, shown, f"expected {variable.allowed}")
        if value is None and variable.default is not None:
            value = variable.read(variable.default)
        return value


def read_log_level(environment: Mapping[str, str]) -> str:
    """Return LOG_LEVEL, or its default where it cannot be used: a log begins before the settings are read."""
    (variable,) = (variable for variable in TABLE if variable.name == "LOG_LEVEL")
    return str(_Reader(environment).value(variable))


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings in an environment such as ``os.environ``.

    Raises SettingsError, with all problems in one message.
    """
    reader = _Reader(environment)
    values: dict[str, Any] = {variable.field: reader.value(variable) for variable in TABLE}
    values["cells"] = values["cells"] or ()
    if values["cells"] and (owner := reader.text("OWNER_ID")) is not None:
        reader.complain(
            "OWNER_ID", owner, "with CELLS it must not be given: the mark of a record is its machine's cell"
        )
    if (
        not values["cells"]
        and "=".join(values["project_tag"]) != DEFAULT_PROJECT_TAG
        and reader.text("OWNER_ID") is None
    ):
        reader.complain(
            "OWNER_ID",
            None,
            "PROJECT_TAG needs an OWNER_ID beside it, or two deployments would own each other's records",
        )
    if reader.text("SECRET_ARN") is None and reader.text("CLOUDFLARE_API_TOKEN") is None:
        reader.complain(
            "SECRET_ARN",
            None,
            "expected the Secrets Manager secret with CLOUDFLARE_TOKEN (or set CLOUDFLARE_API_TOKEN)",
        )
    for name in REMOVED:
        if (value := reader.text(name)) is not None:
            reader.complain(name, value, _WHY_REMOVED)
    if reader.problems:
        raise SettingsError(
            "\n".join(["Invalid settings:", *(f"  {problem}" for problem in reader.problems)]),
            "docs/configuration.md describes each setting. To try the controller without settings: make sandbox.",
        )
    return Settings(**values)
