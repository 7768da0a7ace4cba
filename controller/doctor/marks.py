"""The zone's marked records that no pass from here looks after: other owners', and ours at other names.

What ``OWNER_ID`` or ``DOMAIN_ROOT`` no longer names is never deleted, so its names lead to strangers sooner or later.
Asked is one listing of the whole zone by comment (Cloudflare API reference: ``comment.startswith``, any case).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from controller.cloudflare.api import Api
from controller.cloudflare.records import PAGE_SIZE, is_last
from controller.cloudflare.reply import Answer
from controller.doctor.diagnosis import Check, fails_as, passed, skipped, warned
from controller.errors import CallError, TransientError
from controller.names import instance_of_name, is_instance_id
from controller.rules.ownership import is_marked
from controller.runtime.budget import Budget
from controller.settings import MARK_PREFIX, Settings

_OTHERS, _OUTSIDE = "other-owners", "marks-outside-domain"
#: Owners, or names, that one check lists.
SHOWN = 10


def mark_checks(api: Api, settings: Settings, owner: str | None, budget: Budget) -> Iterator[Check]:
    """Other owners' records, and ours outside ``DOMAIN_ROOT``; ``owner`` is None where nobody knows it."""
    if owner is None:
        yield from unchecked("the owner id is not known")
        return
    try:
        marked = list(_marked(api, settings, budget))
    except CallError as error:
        yield fails_as(_OTHERS, error)
        yield skipped(_OUTSIDE, "the zone's marked records cannot be listed")
        return
    mark = f"{MARK_PREFIX}{owner}"
    yield _others([record for record in marked if not is_marked(record.comment, mark)], owner)
    yield _outside([record for record in marked if is_marked(record.comment, mark)], settings)


def unchecked(because: str) -> Iterator[Check]:
    """Both checks, where the zone cannot be asked."""
    return (skipped(id, because) for id in (_OTHERS, _OUTSIDE))


@dataclass(frozen=True, slots=True)
class _Marked:
    name: str
    comment: str

    @property
    def owner(self) -> str:
        return self.comment.removeprefix(MARK_PREFIX).partition(" ")[0] or "(no owner)"


def _others(records: Iterable[_Marked], owner: str) -> Check:
    counts = Counter(record.owner for record in records)
    if not counts:
        return passed(_OTHERS, f"Every marked record in the zone carries the mark of {owner}.")
    fix = (
        "If each is a deployment that still runs, nothing is wrong. If OWNER_ID or the region was changed here, delete "
        "the old owner's records: run elephant-dns retire with that OWNER_ID."
    )
    return warned(_OTHERS, f"Records in the zone with other owners' marks: {_listed(counts)}.", fix)


def _outside(records: Iterable[_Marked], settings: Settings) -> Check:
    root = settings.domain_root
    counts = Counter(_place(record.name) for record in records if instance_of_name(record.name, root) is None)
    if not counts:
        return passed(_OUTSIDE, f"Every record with our mark is at a machine's name under {root}.")
    seen = f"Records with our mark at no machine's name under {root}: {_listed(counts)}. No pass deletes these."
    fix = "If DOMAIN_ROOT was changed, run elephant-dns retire with the old one; else delete them by hand."
    return warned(_OUTSIDE, seen, fix)


def _place(name: str) -> str:
    """The domain of a machine's name, or the whole of another name."""
    label, _, domain = name.partition(".")
    return f"under {domain}" if is_instance_id(label) else name


def _listed(counts: Mapping[str, int]) -> str:
    places = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    shown = ", ".join(f"{place} {count:,}" for place, count in places[:SHOWN])
    return shown + (f", and {len(places) - SHOWN:,} more" if len(places) > SHOWN else "")


def _marked(api: Api, settings: Settings, budget: Budget) -> Iterator[_Marked]:
    """Every record of the zone whose comment begins as a mark does. Raises CallError."""
    seen, number = set[str](), 1
    while True:
        params = [("comment.startswith", MARK_PREFIX), ("per_page", str(PAGE_SIZE)), ("page", str(number))]
        answer = api.read(f"/zones/{settings.zone_id}/dns_records", [*params, ("order", "name")], budget, _check)
        new = [raw for raw in answer.result if raw["id"] not in seen]
        seen.update(raw["id"] for raw in new)
        records = (_Marked(raw["name"].lower(), raw["comment"]) for raw in new)
        yield from (record for record in records if record.comment.startswith(MARK_PREFIX))
        if not new or is_last(answer, number):
            return
        number += 1


def _check(answer: Answer) -> None:
    """Raises TransientError where the answer is no listing of such records."""
    if not isinstance(answer.result, list) or not all(map(_is_marked_record, answer.result)):
        raise TransientError("Cloudflare's listing has something in it that is no marked record.", "Look again.")


def _is_marked_record(raw: Any) -> bool:
    return isinstance(raw, dict) and all(isinstance(raw.get(key), str) for key in ("id", "name", "comment"))
