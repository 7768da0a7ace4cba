"""The zone's marked records that no pass from here changes: other owners', and this owner's at other names.

What ``OWNER_ID`` or ``DOMAIN_ROOT`` no longer names is never deleted, so its names lead to strangers sooner or later.
It asks for one listing of the whole zone by comment (Cloudflare API reference: ``comment.startswith``, any case).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import filterfalse
from typing import Any

from controller.cloudflare.api import Api
from controller.cloudflare.records import PAGE_SIZE
from controller.cloudflare.reply import Answer
from controller.doctor.diagnosis import Check, SkipError, failed, fails_as, passed, skipped, warned
from controller.doctor.listing import listed
from controller.doctor.look import Look
from controller.errors import CallError, TransientError
from controller.names import instance_of_name, is_instance_id
from controller.rules.ownership import is_marked
from controller.runtime.budget import Budget
from controller.settings import MARK_PREFIX, Settings

_OTHERS, _OUTSIDE, _SHARED = "other-owners", "marks-outside-domain", "shared-machines"
#: Owners, or names, that one check lists.
SHOWN = 10


def mark_checks(look: Look, api: Api) -> Iterator[Check]:
    """Check other owners' records, this owner's outside ``DOMAIN_ROOT``, and others' at the meetings' machines."""
    settings = look.settings
    owners = settings.cells or ((look.owner,) if look.owner else ())
    if not owners:
        raise SkipError("the owner id is not known")
    try:
        marked = list(_marked(api, settings, look.budget))
    except CallError as error:
        yield fails_as(_OTHERS, error)
        raise SkipError("the zone's marked records cannot be listed") from error
    marks = [f"{MARK_PREFIX}{owner}" for owner in owners]

    def is_own(record: _Marked) -> bool:
        return any(is_marked(record.comment, mark) for mark in marks)

    own = list(filter(is_own, marked))
    others = list(filterfalse(is_own, marked))
    yield _others(others, owners, settings)
    yield _outside(own, settings)
    yield _at_machines(others, look)


@dataclass(frozen=True, slots=True)
class _Marked:
    name: str
    comment: str

    @property
    def owner(self) -> str:
        return self.comment.removeprefix(MARK_PREFIX).partition(" ")[0] or "(no owner)"


def _others(records: Iterable[_Marked], owners: Collection[str], settings: Settings) -> Check:
    counts = Counter(record.owner for record in records)
    if not counts:
        marked_by = " or ".join(owners) if len(owners) <= SHOWN else f"one of {len(owners)} cells"
        return passed(_OTHERS, f"Every marked record in the zone carries the mark of {marked_by}.")
    fix = f"If each is a deployment that still runs, nothing is wrong. {_old_owner(settings)}"
    return warned(_OTHERS, f"Records in the zone with other owners' marks: {_listed(counts)}.", fix)


def _outside(records: Iterable[_Marked], settings: Settings) -> Check:
    root = settings.domain_root
    counts = Counter(_place(record.name) for record in records if instance_of_name(record.name, root) is None)
    if not counts:
        return passed(_OUTSIDE, f"Every record with this owner's mark is at a machine's name under {root}.")
    seen = f"Records with this owner's mark outside the machines' names under {root}: {_listed(counts)}."
    fix = "No pass deletes these. If DOMAIN_ROOT was changed, run elephant-dns retire with the old one; else by hand."
    return warned(_OUTSIDE, seen, fix)


def _at_machines(others: Iterable[_Marked], look: Look) -> Check:
    """Check that no other owner has a record at a live meeting's machine: else both work on the same meetings."""
    root = look.settings.domain_root
    machines = {record: instance_of_name(record.name, root) for record in others}
    if not any(machines.values()):
        return passed(_SHARED, "No other owner has a record at a name of a machine.")
    try:
        named = look.named()
    except CallError:
        return skipped(_SHARED, "the rows cannot be read")
    shared = [record for record, machine in machines.items() if machine in named]
    if not shared:
        return passed(_SHARED, "No other owner has a record at a machine that a live meeting here names.")
    counts = Counter(record.owner for record in shared)
    seen = (
        f"Other owners have records at machines that live meetings here name: {_listed(counts)}, such as "
        f"{shared[0].name}. No pass from here changes these, and no link leads to such a machine."
    )
    table = f"If that deployment still runs, give it a table of its own in place of {look.settings.table_name}."
    return failed(_SHARED, seen, f"{table} {_old_owner(look.settings)}")


def _old_owner(settings: Settings) -> str:
    """Return what to do about the records that a former owner of this deployment has left."""
    if settings.cells:
        return (
            "If a cell was removed from CELLS, run elephant-dns retire with CELLS set to it alone. If OWNER_ID was set "
            "before, run it with that one and without CELLS."
        )
    return "If OWNER_ID or the region was changed here, run elephant-dns retire with the old OWNER_ID."


def _place(name: str) -> str:
    """Return the domain of a machine's name, or the whole of another name."""
    label, _, domain = name.partition(".")
    return f"under {domain}" if is_instance_id(label) else name


def _listed(counts: Mapping[str, int]) -> str:
    places = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    shown = ", ".join(f"{place} {count:,}" for place, count in places[:SHOWN])
    return shown + (f", and {len(places) - SHOWN:,} more" if len(places) > SHOWN else "")


def _marked(api: Api, settings: Settings, budget: Budget) -> Iterator[_Marked]:
    """Yield every record of the zone with a comment that begins as a mark does. Raises CallError."""
    params = [("comment.startswith", MARK_PREFIX), ("per_page", str(PAGE_SIZE)), ("order", "name")]
    for raw in listed(api, f"/zones/{settings.zone_id}/dns_records", params, budget, _check):
        record = _Marked(raw["name"].lower(), raw["comment"])
        if record.comment.startswith(MARK_PREFIX):
            yield record


def _check(answer: Answer) -> None:
    """Raise TransientError if the answer is not a listing of such records."""
    if not isinstance(answer.result, list) or not all(map(_is_marked_record, answer.result)):
        raise TransientError("Cloudflare's listing holds something that is not a marked record.", "Look again.")


def _is_marked_record(raw: Any) -> bool:
    return isinstance(raw, dict) and all(isinstance(raw.get(key), str) for key in ("id", "name", "comment"))
