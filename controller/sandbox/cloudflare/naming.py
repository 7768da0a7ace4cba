"""Check record names, and bring them into the one form that comes back (Cloudflare docs: dns-record-types)."""

import re

import idna

from controller.sandbox.cloudflare.errors import ApiError, error
from controller.sandbox.cloudflare.quirks import Quirks

MAX_NAME = 253
# The docs say that a name "should" start with a letter and may hold underscores. Refuse only what DNS refuses.
LABEL = re.compile(r"\*|[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


def complete_name(name: str, zone: str, quirks: Quirks) -> str:
    """Return the complete, lower-case, Punycode name for ``@``, a relative name or a complete one.

    A name outside the zone looks like a relative one: the zone is appended to it.
    """
    try:
        ascii_name = _without_trailing_dot(punycode(name), quirks)
    except idna.IDNAError:
        raise error(9000) from None
    complete = _within(ascii_name, zone, quirks)
    if len(complete) > MAX_NAME or not all(LABEL.fullmatch(label) for label in complete.split(".")):
        raise error(9000)
    return complete


def punycode(name: str) -> str:
    """Return the name in lower case, its international labels as DNS has them. Raises IDNAError if there is none."""
    if name.isascii():
        return name.lower()
    labels = idna.uts46_remap(name, std3_rules=False).split(".")
    return ".".join(label if label.isascii() else idna.alabel(label).decode() for label in labels)


def _without_trailing_dot(name: str, quirks: Quirks) -> str:
    if name.endswith(".") and quirks.trailing_dot_refused:
        raise error(9000)
    return name.removesuffix(".")


def _within(name: str, zone: str, quirks: Quirks) -> str:
    if name in ("@", zone):
        return zone
    if name.endswith(f".{zone}"):
        return name
    if quirks.outside_name_refused and "." in name:
        raise _outside(zone)
    return f"{name}.{zone}"


def _outside(zone: str) -> ApiError:
    return error(9000, f"DNS name is invalid. It is not part of the zone {zone}.")
