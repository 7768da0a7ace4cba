"""Return one page of the records: filter, order, cut (Cloudflare API reference: List DNS Records).

There is no cursor and no snapshot. A page is an offset into the table as it is at that moment, so a record that is
created or deleted between two pages shifts the others over the boundary.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil

from controller.sandbox.cloudflare.filters import filter_of
from controller.sandbox.cloudflare.query import Query
from controller.sandbox.cloudflare.quirks import Quirks
from controller.sandbox.cloudflare.records import Record

DEFAULT_PER_PAGE = 100
KEYS: Mapping[str, Callable[[Record], str | int]] = {
    "type": lambda record: record.fields.type,
    "name": lambda record: record.fields.name,
    "content": lambda record: record.fields.content,
    "ttl": lambda record: record.fields.ttl,
    "proxied": lambda record: record.fields.proxied,
}


@dataclass(frozen=True, slots=True)
class Page:
    """Some records, and their place among all records found."""

    records: list[Record]
    info: Mapping[str, int]


def page_of(records: list[Record], query: Query, quirks: Quirks, call: int) -> Page:
    """Return the page that ``query`` asks for, empty past the end. ``call`` numbers the listings of a zone."""
    wanted = filter_of(query)
    found = _ordered([record for record in records if wanted(record)], query, call if quirks.unstable_ties else 0)
    page = max(1, query.number("page", 1, 1 if quirks.page_zero_refused else 0))
    asked = query.number("per_page", DEFAULT_PER_PAGE, 1)
    per_page = min(asked, quirks.per_page_cap)
    shown = found[(page - 1) * per_page : page * per_page]
    total = len(found) if quirks.total_count_filtered else len(records)
    info = page_info(page, per_page, len(shown), total)
    if quirks.per_page_echoed:
        info["per_page"] = asked
    if quirks.total_pages_missing:
        del info["total_pages"]
    return Page(shown, info)


def page_info(page: int, per_page: int, count: int, total: int) -> dict[str, int]:
    """Return ``result_info``: ``count`` is the items on this page, ``per_page`` the page size used."""
    return {
        "page": page,
        "per_page": per_page,
        "count": count,
        "total_count": total,
        "total_pages": ceil(total / per_page),
    }


def _ordered(records: list[Record], query: Query, shuffle: int) -> list[Record]:
    """Sort by ``order``. Records that are equal in it keep the order of their creation, or its reverse."""
    order = query.choice("order", ("type", "name", "content", "ttl", "proxied"))
    descending = query.choice("direction", ("asc", "desc")) == "desc"
    if shuffle % 2:
        records = records[::-1]
    return sorted(records, key=KEYS[order], reverse=descending)
