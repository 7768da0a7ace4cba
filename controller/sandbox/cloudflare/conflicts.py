"""Refuse records that cannot share a name (Cloudflare docs: records-with-same-name; API reference)."""

from collections.abc import Iterable

from controller.sandbox.cloudflare.errors import ApiError, error
from controller.sandbox.cloudflare.quirks import Quirks
from controller.sandbox.cloudflare.records import ADDRESS_TYPES, PROXIABLE_TYPES, Fields

MAX_COMBINED_CONTENT = 8192


def check_conflicts(new: Fields, others: Iterable[Fields], quirks: Quirks) -> None:
    """Refuse ``new`` if it cannot share its name with ``others``, all the other records of that name."""
    neighbours = list(others)
    for neighbour in neighbours:
        refusal = _conflict(new, neighbour, quirks)
        if refusal:
            raise refusal
    combined = sum(len(other.content) for other in neighbours if other.type == new.type)
    if combined + len(new.content) > MAX_COMBINED_CONTENT:
        raise error(83011, limit=MAX_COMBINED_CONTENT)


def _conflict(new: Fields, other: Fields, quirks: Quirks) -> ApiError | None:
    if _identical(new, other, quirks):
        return error(quirks.identical_code)
    if new.type == "CNAME" and other.type in PROXIABLE_TYPES:
        return error(81053)
    if new.type in ADDRESS_TYPES and other.type == "CNAME":
        return error(quirks.address_beside_cname_code)
    if new.type != other.type and "NS" in (new.type, other.type):
        return error(81056)
    return None


def _identical(new: Fields, other: Fields, quirks: Quirks) -> bool:
    """Compare name, type and content. Records that differ in TTL or comment alone are identical."""
    if (new.name, new.type, new.content) != (other.name, other.type, other.content):
        return False
    return new.proxied == other.proxied or not quirks.identical_includes_proxied
