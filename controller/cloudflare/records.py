"""Cloudflare's DNS records: the adapter that reads and writes them, and normalises what it reads."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from controller.cloudflare.api import Api
from controller.cloudflare.reply import Answer
from controller.errors import AmbiguousError, AuthenticationError, TransientError
from controller.model import CreateRecord, DeleteRecord, DnsRecord, Finding, RecordChange, UpdateRecord, Zone
from controller.names import canonical, instance_of_name, is_canonical, is_under, record_name
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


class ZoneCache:
    """The zone, kept for the life of the process once it fits, or may not be read: neither changes often."""

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
        """The records at the names of these instances, or of all: one filtered listing."""
        few = instances is not None and len(instances) <= NAMES_PER_CALL
        names = [record_name(instance, self.settings.domain_root) for instance in sorted(instances or ())]
        found = self._parsed(self._pages(_by_name(names) if few else self._under_domain()))
        if instances is not None:
            found = [(record, odd) for record, odd in found if record.instance in instances]
        return Listing(tuple(record for record, _ in found), tuple(odd for _, odd in found if odd))

    def zone(self) -> Zone:
        """The zone's name and batch limit; nameless where the token may not read it."""
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
        # The token has just read records: what it may not read here, another token of the secret is not asked for.
        result = self.api.read(f"/zones/{self.settings.zone_id}", (), self.budget, renew=False).result
        name, plan = (result.get("name"), result.get("plan")) if isinstance(result, dict) else (None, None)
        if not isinstance(name, str):
            return Zone(None)
        kind = plan.get("legacy_id") if isinstance(plan, dict) else None
        return Zone(name.lower(), BATCH_LIMITS.get(str(kind), BATCH_LIMITS["free"]))

    def _under_domain(self) -> list[tuple[str, str]]:
        return [("name.startswith", "i-"), ("name.endswith", f".{self.settings.domain_root}")]

    def _pages(self, params: Sequence[tuple[str, str]]) -> Iterable[Any]:
        """Every record of the listing, once: pages are offsets into a live table, so one can come twice."""
        seen = set[object]()
        number = 1
        while True:
            page = [("per_page", str(PAGE_SIZE)), ("page", str(number)), ("order", "name")]
            answer = self.api.read(_path(self.settings), [*params, *page], self.budget, _check_page)
            new = {record["id"]: record for record in answer.result if record["id"] not in seen}
            seen.update(new)
            yield from new.values()
            if _is_last(answer, number):
                return
            if not new:
                raise TransientError("Cloudflare's listing repeats itself.", "Nothing is planned on it.")
            number += 1

    def _parsed(self, raw: Iterable[Any]) -> list[tuple[DnsRecord, Finding | None]]:
        return [parsed for record in raw if (parsed := parse_record(record, self.settings.domain_root))]


@dataclass(frozen=True, slots=True)
class CloudflareWriter:
    """Writes records, within one pass's budget. A plan is made without one."""

    api: Api
    settings: Settings
    budget: Budget

    def write(self, changes: Sequence[RecordChange]) -> list[DnsRecord]:
        """One batch. Cloudflare does deletes, then patches, then posts, all or nothing."""
        body = {kind: items for kind, items in _batch(changes).items() if items}
        answer = self.api.write("POST", f"{_path(self.settings)}/batch", body, self.budget)
        if not isinstance(answer.result, dict):
            raise AmbiguousError(
                "Cloudflare answered a batch with something that is no result.", "The next pass looks again."
            )
        lists = (answer.result.get(kind) for kind in ("deletes", "patches", "posts"))
        done = [raw for items in lists if isinstance(items, list) for raw in items]
        return [_record(raw) for raw in done if _is_record(raw)]

    def remove(self, ids: Sequence[str]) -> None:
        """Delete records by id, all or nothing."""
        body: dict[str, Any] = {"deletes": [{"id": record} for record in ids]}
        self.api.write("POST", f"{_path(self.settings)}/batch", body, self.budget)

    def strays(self, name: str) -> list[DnsRecord]:
        """Records at this name with another domain appended."""
        beginning = f"{name}."
        answer = self.api.read(_path(self.settings), [("name.startswith", beginning)], self.budget, _check_page)
        return [record for raw in answer.result if (record := _record(raw)).name.startswith(beginning)]


def parse_record(raw: dict[str, Any], domain_root: str) -> tuple[DnsRecord, Finding | None] | None:
    """A record as the rules see it, with a finding if it is odd; None where its name is none of our business."""
    instance = instance_of_name(str(raw["name"]), domain_root)
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
    name, content, comment = raw["name"].lower(), raw.get("content"), raw.get("comment")
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
    """A time, or None where it cannot be read: that never makes a record old."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None


def _by_name(names: Sequence[str]) -> list[tuple[str, str]]:
    """Exact names; several are joined by match=any, which works as long as nothing else is filtered."""
    any_of = [("match", "any")] if len(names) > 1 else []
    return [*any_of, *(("name", name) for name in names)]


def _path(settings: Settings) -> str:
    return f"/zones/{settings.zone_id}/dns_records"


def _is_record(raw: Any) -> bool:
    return isinstance(raw, dict) and all(isinstance(raw.get(key), str) and raw[key] for key in ("id", "name", "type"))


def _check_page(answer: Answer) -> None:
    """Raises TransientError where a page is not what it says it is."""
    records, count = answer.result, answer.info.get("count")
    if not isinstance(records, list) or not all(map(_is_record, records)):
        raise TransientError("Cloudflare's listing has something in it that is no record.", "Nothing is planned on it.")
    if isinstance(count, int) and count != len(records):
        raise TransientError(
            f"Cloudflare's listing is cut: {len(records)} of {count} records.", "Nothing is planned on it."
        )
    if not all(isinstance(answer.info.get(key), int) for key in ("per_page", "count")):
        raise TransientError("Cloudflare's listing does not say how long it is.", "Nothing is planned on it.")


def _is_last(answer: Answer, number: int) -> bool:
    """Whether no page follows, by what the answer says: its page size may be smaller than the one asked for."""
    size, count, pages = answer.info["per_page"], answer.info["count"], answer.info.get("total_pages")
    return count == 0 or count < size or (isinstance(pages, int) and number >= pages)


def _batch(changes: Sequence[RecordChange]) -> dict[str, list[dict[str, Any]]]:
    """The batch's body. A patch carries the whole wanted state, so that it may be sent twice."""
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
