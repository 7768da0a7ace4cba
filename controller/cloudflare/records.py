"""Cloudflare's DNS records: reads and writes them, and normalises what it reads."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import Any

from controller.cloudflare.api import Api
from controller.cloudflare.reply import Answer
from controller.errors import AmbiguousError, AuthenticationError, TransientError
from controller.model import CreateRecord, DeleteRecord, DnsRecord, Finding, RecordChange, UpdateRecord, Zone
from controller.names import canonical, instance_of_name, is_canonical, is_under, punycode, record_name
from controller.ports import Listing
from controller.runtime.budget import Budget
from controller.settings import Settings

#: Records per page: more than a zone of the usual plans holds, so that a listing is one call.
PAGE_SIZE = 5000
#: Names that fit well into one URL; for more the whole zone is listed, which is one call as well.
NAMES_PER_CALL = 40
#: Seconds; Cloudflare reports 1 (automatic) for every proxied record, whatever was sent.
TTL = 120
#: Changes per batch by plan (Cloudflare docs: batch record changes).
BATCH_LIMITS = {"free": 200, "pro": 3500, "business": 3500, "enterprise": 3500}
#: Records per zone by plan (Cloudflare docs: manage DNS records). A free zone of before September 2024 may hold more;
#: an Enterprise zone as many as its contract says.
QUOTAS = {"free": 200, "pro": 3500, "business": 3500}
OLDER_FREE_QUOTA, OLDER_UNTIL = 1000, datetime(2024, 9, 1, tzinfo=UTC)
#: Go's zero time is among what is older: it stands for a time that is not known.
BEFORE_CLOUDFLARE = datetime(2009, 1, 1, tzinfo=UTC)
NOTHING_PLANNED = "Nothing is planned on it."


class ZoneCache:
    """The zone, kept for the life of the process if it fits or may not be read: neither changes often."""

    def __init__(self) -> None:
        self.zone: Zone | None = None


@dataclass(frozen=True, slots=True)
class CloudflareRecords:
    """Reads the records at instances' names, within one pass's budget."""

    api: Api
    settings: Settings
    budget: Budget
    cache: ZoneCache

    def listing(self, instances: Collection[str] | None = None) -> Listing:
        """Return the records at the names of these instances, or of all: one filtered listing."""
        few = instances is not None and len(instances) <= NAMES_PER_CALL
        names = [record_name(instance, self.settings.domain_root) for instance in sorted(instances or ())]
        raw = self._pages(_by_name(names) if few else self._under_domain())
        found = self._parsed(raw)
        if instances is not None:
            found = [(record, odd) for record, odd in found if record.instance in instances]
        known = replace(self.cache.zone or Zone(None), records=len(raw))
        return Listing(tuple(record for record, _ in found), tuple(odd for _, odd in found if odd), known)

    def zone(self) -> Zone:
        """Return the zone's name and batch limit; without a name if the token may not read it."""
        if self.cache.zone is not None:
            return self.cache.zone
        try:
            zone = self._read_zone()
        except AuthenticationError:
            self.cache.zone = zone = Zone(None)
        if zone.name and is_under(self.settings.domain_root, zone.name):
            self.cache.zone = zone
        return zone

    def _read_zone(self) -> Zone:
        # The token has just read records. If it may not read the zone, another token of the secret is not needed.
        result = self.api.read(f"/zones/{self.settings.zone_id}", (), self.budget, renew=False).result
        name, plan = (result.get("name"), result.get("plan")) if isinstance(result, dict) else (None, None)
        if not isinstance(name, str):
            return Zone(None)
        kind = plan.get("legacy_id") if isinstance(plan, dict) else None
        # Its records have their names in Punycode, the zone has its own in Unicode (cloudflare-go 690).
        batch_limit, quota = BATCH_LIMITS.get(str(kind), BATCH_LIMITS["free"]), _quota(kind, result.get("created_on"))
        return Zone(punycode(name, registered=True), batch_limit, quota=quota)

    def _under_domain(self) -> list[tuple[str, str]]:
        return [("name.startswith", "i-"), ("name.endswith", f".{self.settings.domain_root}")]

    def _pages(self, params: Sequence[tuple[str, str]]) -> list[Any]:
        """Return every record of the listing once: pages are offsets into a live table, so one can come twice.

        A filtered listing with another total is cut, or Cloudflare counts the whole zone (the schema and the clients
        disagree). The whole zone, with a total that must agree, answers for both.
        """
        found: dict[str, Any] = {}
        for number in count(1):
            check: Callable[[Answer], None] = _check_page if params else partial(_check_total, number=number)
            page = [("per_page", str(PAGE_SIZE)), ("page", str(number)), ("order", "name")]
            answer = self.api.read(_path(self.settings), [*params, *page], self.budget, check)
            known = len(found)
            for record in answer.result:
                found.setdefault(record["id"], record)
            if is_last(answer, number):
                break
            if len(found) == known:
                raise TransientError("Cloudflare's listing repeats itself.", NOTHING_PLANNED)
        if _agrees(answer, number, len(found)):
            return list(found.values())
        if params:
            return self._pages(())
        raise _cut(len(found), answer.info["total_count"])

    def _parsed(self, raw: Iterable[Any]) -> list[tuple[DnsRecord, Finding | None]]:
        return [parsed for record in raw if (parsed := parse_record(record, self.settings.domain_root))]


@dataclass(frozen=True, slots=True)
class CloudflareWriter:
    """Writes records, within one pass's budget. A pass that only plans has none."""

    api: Api
    settings: Settings
    budget: Budget

    def write(self, changes: Sequence[RecordChange]) -> list[DnsRecord]:
        """Write one batch and return its records. Cloudflare deletes, then patches, then posts: all, or nothing."""
        body = {kind: items for kind, items in _batch(changes).items() if items}
        answer = self.api.write("POST", f"{_path(self.settings)}/batch", body, self.budget)
        if not isinstance(answer.result, dict):
            raise AmbiguousError("Cloudflare's answer to a batch has no result.", "The next pass looks again.")
        lists = (answer.result.get(kind) for kind in ("deletes", "patches", "posts"))
        done = [raw for items in lists if isinstance(items, list) for raw in items]
        return [_record(raw) for raw in done if _is_record(raw)]

    def remove(self, ids: Sequence[str]) -> None:
        """Delete records by id, all or nothing."""
        body: dict[str, Any] = {"deletes": [{"id": record} for record in ids]}
        self.api.write("POST", f"{_path(self.settings)}/batch", body, self.budget)

    def strays(self, name: str) -> list[DnsRecord]:
        """Return the records at this name with another domain appended."""
        beginning = f"{name}."
        answer = self.api.read(_path(self.settings), [("name.startswith", beginning)], self.budget, _check_page)
        return [record for raw in answer.result if (record := _record(raw)).name.startswith(beginning)]


def parse_record(raw: dict[str, Any], domain_root: str) -> tuple[DnsRecord, Finding | None] | None:
    """Return a record as the rules see it, with a finding if it is odd; None for a name that is not an instance's."""
    instance = instance_of_name(punycode(raw["name"], registered=True), domain_root)
    if instance is None:
        return None
    record = _record(raw)
    is_odd = record.type == "A" and not is_canonical(record.content)
    finding = Finding(
        "odd-record",
        record.name,
        f"The A record's content {record.content[:60]!r} is not an IPv4 address.",
        "Correct or delete it at Cloudflare.",
    )
    return record, finding if is_odd else None


def _record(raw: dict[str, Any]) -> DnsRecord:
    name, content, comment = punycode(raw["name"], registered=True), raw.get("content"), raw.get("comment")
    content = content if isinstance(content, str) else ""
    return DnsRecord(
        id=raw["id"],
        name=name,
        instance=name.partition(".")[0],
        type=raw["type"],
        content=canonical(content) if raw["type"] == "A" else content,
        proxied=raw.get("proxied") is True,
        comment=comment if isinstance(comment, str) else "",
        created_on=_moment(raw.get("created_on")),
        modified_on=_moment(raw.get("modified_on")),
    )


def _moment(value: Any) -> datetime | None:
    """Return a time in UTC, or None if it cannot be read or cannot be true: that never makes a record old."""
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            return None
        moment = moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
    return moment if moment >= BEFORE_CLOUDFLARE else None


def _quota(plan: Any, created_on: Any) -> int | None:
    """Return how many records a zone of this plan may hold; None where that is not known."""
    if plan != "free":
        return QUOTAS.get(str(plan))
    created = _moment(created_on)
    if created is None:
        return None
    return OLDER_FREE_QUOTA if created < OLDER_UNTIL else QUOTAS["free"]


def _by_name(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return a filter of exact names. match=any joins several, as long as the filter has nothing else."""
    any_of = [("match", "any")] if len(names) > 1 else []
    return [*any_of, *(("name", name) for name in names)]


def _path(settings: Settings) -> str:
    return f"/zones/{settings.zone_id}/dns_records"


def _is_record(raw: Any) -> bool:
    return isinstance(raw, dict) and all(isinstance(raw.get(key), str) and raw[key] for key in ("id", "name", "type"))


def _check_page(answer: Answer) -> None:
    """Raise TransientError for a page that contradicts itself."""
    records, count, info = answer.result, answer.info.get("count"), answer.info
    if not isinstance(records, list) or not all(map(_is_record, records)):
        raise TransientError("Cloudflare's listing holds something that is not a record.", NOTHING_PLANNED)
    if isinstance(count, int) and count != len(records):
        raise _cut(len(records), count)
    if not isinstance(count, int) or not (_is_number(info, "total_pages") or _is_number(info, "per_page")):
        raise TransientError("Cloudflare's listing does not say how long it is.", NOTHING_PLANNED)


def is_last(answer: Answer, number: int) -> bool:
    """Return whether this page ends the listing: by ``total_pages``, or else if it is shorter than its ``per_page``.

    The echoed ``per_page`` may be smaller than the one asked for, or larger than the one in use. An empty page ends
    every listing.
    """
    if not answer.result:
        return True
    if _is_number(answer.info, "total_pages"):
        return number >= int(answer.info["total_pages"])
    size = answer.info.get("per_page")
    return isinstance(size, int) and len(answer.result) < size


def _check_total(answer: Answer, number: int) -> None:
    """Raise TransientError also for an only page that holds less, or more, than the whole zone."""
    _check_page(answer)
    records = len(answer.result)
    if number == 1 and is_last(answer, number) and not _agrees(answer, number, records):
        raise _cut(records, answer.info["total_count"])


def _agrees(answer: Answer, number: int, found: int) -> bool:
    """Return whether the last page fits the total, if the answer has one: as the only page, or as an empty one.

    Between the pages of a longer listing records come and go, so that its total says little.
    """
    if not _is_number(answer.info, "total_count"):
        return True
    total = answer.info["total_count"]
    return bool(len(answer.result) == total if number == 1 else answer.result or found >= total)


def _cut(found: int, total: int) -> TransientError:
    return TransientError(f"Cloudflare's listing is cut: {found} of {total} records.", NOTHING_PLANNED)


def _is_number(info: Mapping[str, Any], key: str) -> bool:
    return isinstance(info.get(key), int)


def _batch(changes: Sequence[RecordChange]) -> dict[str, list[dict[str, Any]]]:
    """Return the batch's body. A patch carries the whole wanted state, so that it can be sent twice."""
    body: dict[str, list[dict[str, Any]]] = {"deletes": [], "patches": [], "posts": []}
    for change in changes:
        match change:
            case DeleteRecord():
                body["deletes"].append({"id": change.id})
            case UpdateRecord():
                comment = {} if change.comment is None else {"comment": change.comment}
                body["patches"].append({"id": change.id, **_wanted(change.content), **comment})
            case CreateRecord():
                posted = {"type": "A", "name": change.name, **_wanted(change.content), "comment": change.comment}
                body["posts"].append(posted)
    return body


def _wanted(content: str) -> dict[str, Any]:
    return {"content": content, "proxied": True, "ttl": TTL}
