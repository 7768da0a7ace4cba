"""The zone: its records, and every way to read and write them. Pure state: no HTTP, no clock."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from threading import RLock
from typing import Literal

from controller.sandbox.cloudflare.conflicts import check_conflicts
from controller.sandbox.cloudflare.errors import error
from controller.sandbox.cloudflare.fields import Rules, normalise, written
from controller.sandbox.cloudflare.naming import punycode
from controller.sandbox.cloudflare.plans import Plan
from controller.sandbox.cloudflare.quirks import Quirks
from controller.sandbox.cloudflare.records import Fields, Record

Operation = Literal["create", "update", "delete"]


@dataclass(frozen=True, slots=True)
class Write:
    """One applied change, with the record objects before and after it, and the number of the request that did it."""

    operation: Operation
    before: Mapping[str, object] | None
    after: Mapping[str, object] | None
    request: int


def identifier(*parts: object) -> str:
    """Return 32 hexadecimal digits, the same for the same parts, so that a failing test shows the same ids again."""
    return blake2b(":".join(map(str, parts)).encode(), digest_size=16).hexdigest()


class Zone:
    """The records of one zone. Writes happen inside :meth:`transaction`: all of them apply, or none."""

    def __init__(self, name: str, plan: Plan, quota: int, quirks: Quirks, clock: Callable[[], datetime]) -> None:
        self.id = identifier("zone", name)
        self.shown_name = name  # by the zones API, in Unicode for an international name (cloudflare-go 690)
        self.name = punycode(name)
        self.plan = plan
        self.quota = quota
        self.quirks = quirks
        self.clock = clock
        self.created_on = clock()
        self.history: list[Write] = []
        self.listings = 0
        self._rules = Rules(self.name, plan, quirks)
        self._records: dict[str, Record] = {}
        self._by_name: dict[str, dict[str, Record]] = {}
        self._journal: list[tuple[Record | None, Record | None]] = []
        self._made = 0
        self._stale: list[Record] = []
        self._stale_listings: float = 0
        self._pages_of: list[Record] | None = None
        self._lock = RLock()

    def __len__(self) -> int:
        return len(self._records)

    def records(self) -> list[Record]:
        """Return all records, in the order of their creation."""
        with self._lock:
            return list(self._records.values())

    def at(self, name: str) -> list[Record]:
        """Return the records at exactly this name."""
        with self._lock:
            return list(self._by_name.get(name, {}).values())

    def listing(self, *, goes_on: bool = False) -> list[Record]:
        """Return the records as a listing shows them: the truth, or an older state if the quirk or :meth:`lag` says so.

        That is decided again for each listing, but not for each of its pages.
        """
        with self._lock:
            self.listings += 1
            if not goes_on:
                self._pages_of = self._stale if self._stale_listings else None
                self._stale_listings = max(0, self._stale_listings - 1)
            return list(self._records.values()) if self._pages_of is None else self._pages_of

    def lag(self, listings: float) -> None:
        """Let this number of listings show the records as they are now."""
        with self._lock:
            self._stale, self._stale_listings, self._pages_of = self.records(), listings, None

    def get(self, record_id: object) -> Record:
        """Return the record with this id. Raises 81044."""
        with self._lock:
            if isinstance(record_id, str) and record_id in self._records:
                return self._records[record_id]
            raise error(81044)

    @contextmanager
    def transaction(self, request: int | None) -> Iterator[None]:
        """Run the writes of one request: noted in the history if all succeeded, undone if one was refused.

        None is for a writer outside the API, which causes no entry in the history and no stale listing.
        """
        with self._lock:
            before = dict(self._records)
            self._journal = []
            try:
                yield
            except Exception:
                self._restore(before)
                raise
            if request is not None:
                self.history += [_write(old, new, request) for old, new in self._journal]
                self._go_stale(before)

    def create(self, body: object) -> Record:
        """Add a record. A second address for a name is a second record, never a replacement."""
        fields = self.checked(body)
        if len(self._records) >= self.quota:
            raise error(81045)
        return self.insert(fields)

    def checked(self, body: object) -> Fields:
        """Return the fields of a new record. Raises a refusal if they are invalid or conflict with another record."""
        fields = normalise(written(body), self._rules)
        self._check(fields)
        return fields

    def replace(self, record_id: object, body: object) -> Record:
        """Overwrite a record. Fields that the body leaves out get their defaults: not proxied, no comment."""
        return self._update(self.get(record_id), written(body))

    def change(self, record_id: object, body: object) -> Record:
        """Change only the given fields."""
        record = self.get(record_id)
        return self._update(record, {**record.fields.to_body(), **written(body)})

    def delete(self, record_id: object) -> Record:
        """Delete a record. Raises 81044 at the second time."""
        record = self.get(record_id)
        self._put(record, None)
        return record

    def insert(self, fields: Fields, created_on: datetime | None = None, modified_on: datetime | None = None) -> Record:
        """Add a record unchecked. By default it is last modified at its creation."""
        self._made += 1
        made = created_on or self.clock()
        record = Record(identifier(self.id, self._made), fields, made, modified_on or made, made, made)
        self._put(None, record)
        return record

    def _update(self, record: Record, given: Mapping[str, object]) -> Record:
        fields = normalise(given, self._rules)
        if fields.type != record.fields.type:
            raise error(self.quirks.type_change_code, "The type of a DNS record cannot be changed.", status=400)
        self._check(fields, record)
        if fields == record.fields and not self.quirks.noop_patch_touches:
            return record
        updated = _updated(record, fields, self.clock())
        self._put(record, updated)
        return updated

    def _check(self, fields: Fields, itself: Record | None = None) -> None:
        neighbours = self._by_name.get(fields.name, {})
        others = (other.fields for other in neighbours.values() if itself is None or other.id != itself.id)
        check_conflicts(fields, others, self.quirks)

    def _put(self, old: Record | None, new: Record | None) -> None:
        """Create, change or delete a record. No other method does."""
        self._journal.append((old, new))
        if old:
            del self._by_name[old.fields.name][old.id]
        if new:
            self._records[new.id] = new
            self._by_name.setdefault(new.fields.name, {})[new.id] = new
        elif old:
            del self._records[old.id]

    def _restore(self, records: dict[str, Record]) -> None:
        self._records = records
        self._by_name = {}
        for record in records.values():
            self._by_name.setdefault(record.fields.name, {})[record.id] = record

    def _go_stale(self, before: dict[str, Record]) -> None:
        if self._journal and self.quirks.stale_listings:
            self._stale = self._stale if self._stale_listings else list(before.values())
            self._stale_listings = max(self._stale_listings, self.quirks.stale_listings)


def _updated(record: Record, fields: Fields, now: datetime) -> Record:
    old = record.fields
    return replace(
        record,
        fields=fields,
        modified_on=now,
        comment_modified_on=record.comment_modified_on if fields.comment == old.comment else now,
        tags_modified_on=record.tags_modified_on if fields.tags == old.tags else now,
    )


def _write(old: Record | None, new: Record | None, request: int) -> Write:
    operation: Operation = "update" if old and new else "create" if new else "delete"
    return Write(operation, old.to_json() if old else None, new.to_json() if new else None, request)
