"""A zone at Cloudflare as a pure function: deletes, then patches, then posts, all or nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from ipaddress import AddressValueError, IPv4Address, ip_network

from controller.errors import RefusedError
from controller.model import CreateRecord, DeleteRecord, DnsRecord, RecordChange, UpdateRecord
from tests.support.state import Zone

#: What cannot be behind the proxy (Cloudflare 9003); the documentation prefixes can.
UNROUTABLE = [
    ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
        "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
    )
]  # fmt: skip
#: Types that share a name with no other type.
_ALONE = ("CNAME", "NS")

Records = Mapping[str, DnsRecord]


@cache
def is_routable(address: str) -> bool:
    return not any(IPv4Address(address) in network for network in UNROUTABLE)


def refused(code: int, message: str) -> RefusedError:
    return RefusedError(f"{message} ({code})", codes=(code,))


def batch(
    records: Records, changes: Sequence[RecordChange], zone: Zone, now: datetime, new_id: Callable[[], str]
) -> tuple[Records, list[DnsRecord]]:
    """The zone after a batch, and the records that it deleted, updated and created. Raises RefusedError."""
    if not changes or len(changes) > zone.batch_limit:
        raise refused(9207, "Request body is invalid.")
    after, written = dict(records), list[DnsRecord]()
    for change in changes:
        if isinstance(change, DeleteRecord):
            written.append(_removed(after, change.id))
    for change in changes:
        if isinstance(change, UpdateRecord):
            written.append(_patched(after, change, now))
    creates = (change for change in changes if isinstance(change, CreateRecord))
    written += [_posted(after, create, zone, now, new_id()) for create in creates]
    return after, written


def _removed(records: dict[str, DnsRecord], record: str) -> DnsRecord:
    if record not in records:
        raise refused(81044, "Record does not exist.")
    return records.pop(record)


def put(records: dict[str, DnsRecord], record: DnsRecord) -> None:
    """Let this record be in the zone if it may. Raises RefusedError."""
    others = [r for r in records.values() if r.id != record.id and r.name == record.name]
    _check(record)
    if any(r.type == record.type and r.content == record.content for r in others):
        raise refused(81058, "An identical record already exists.")
    if others and record.type in _ALONE:
        raise refused(81053, "An A, AAAA, or CNAME record with that host already exists.")
    if any(r.type == "CNAME" for r in others):
        raise refused(81054, "A CNAME record with that host already exists.")
    if any(r.type == "NS" for r in others):
        raise refused(81056, "NS records with that host already exist.")
    records[record.id] = record


def _check(record: DnsRecord) -> None:
    if len(record.comment) > 100:
        raise refused(9313, "DNS record comment exceeds the maximum length of 100 characters.")
    if record.type != "A":
        return
    try:
        is_fine = is_routable(record.content) or not record.proxied
    except AddressValueError:
        raise refused(9005, "Content for A record must be a valid IPv4 address.") from None
    if not is_fine:
        raise refused(9003, f"Target {record.content} is not allowed for a proxied record.")


def _patched(records: dict[str, DnsRecord], change: UpdateRecord, now: datetime) -> DnsRecord:
    if change.id not in records:
        raise refused(81044, "Record does not exist.")
    before = records[change.id]
    comment = before.comment if change.comment is None else change.comment
    put(records, replace(before, content=change.content, proxied=True, comment=comment, modified_on=now))
    return records[change.id]


def _posted(records: dict[str, DnsRecord], change: CreateRecord, zone: Zone, now: datetime, new: str) -> DnsRecord:
    if len(records) >= zone.quota:
        raise refused(81045, "Record quota exceeded.")
    is_inside = change.name == zone.name or change.name.endswith(f".{zone.name}")
    name = change.name if is_inside else f"{change.name}.{zone.name}"
    label = name.partition(".")[0]
    put(records, DnsRecord(new, name, label, "A", change.content, True, change.comment, now, now))
    return records[new]
