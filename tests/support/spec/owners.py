"""The specification: the owner of a record, and when two addresses are the same."""

from functools import cache
from ipaddress import IPv4Address

from controller.model import DnsRecord
from controller.settings import Settings


def our_mark(settings: Settings) -> str:
    return f"elephant-dns:{settings.owner_id}"


def is_marked(record: DnsRecord, settings: Settings) -> bool:
    """It carries our own mark."""
    mark = our_mark(settings)
    return record.comment == mark or record.comment.startswith(f"{mark} ")


def is_foreign(record: DnsRecord, settings: Settings) -> bool:
    return record.comment.startswith("elephant-dns:") and not is_marked(record, settings)


def is_unmarked(record: DnsRecord) -> bool:
    return not record.comment.startswith("elephant-dns:")


def is_ours(record: DnsRecord, settings: Settings) -> bool:
    """Ours to delete: marked, or counted as marked. The controller creates only A records, so no other type is ours."""
    return record.type == "A" and (is_marked(record, settings) or (settings.adopt_unmarked and is_unmarked(record)))


@cache
def same_address(content: str, address: str | None) -> bool:
    """Addresses are compared as addresses."""
    try:
        return address is not None and IPv4Address(content) == IPv4Address(address)
    except ValueError:
        return False
