"""A factor of the small worlds: what may stand at one machine's name.

Up to three A records, each with another content, for Cloudflare refuses an identical one: the machine's own address
and two others. Which other is which matters to no rule, so that the two are an unordered pair. Where the machine has
no address no content is its own, and all three are unordered.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from itertools import combinations_with_replacement

from controller.model import DnsRecord
from tests.model.proof.machines import NUMBER, Address, Body, address_of
from tests.model.properties.random_worlds import FOREIGN
from tests.support.build import MARK
from tests.support.clock import START

OLD, NEW = START - timedelta(days=3), START - timedelta(seconds=10)


class Kind(Enum):
    """A record: its mark, when it was created and last written, and whether it is proxied (grey: it is not)."""

    OURS = (MARK, OLD, None, True)
    YOUNG = (f"{MARK} teacher of m", OLD, NEW, True)  # created long ago, and written a moment ago
    GREY = (MARK, OLD, OLD, False)
    UNMARKED = ("created by hand", OLD, None, True)
    FOREIGN = (FOREIGN[0], OLD, None, True)
    UNDATED = (MARK, None, None, True)  # Cloudflare does not say
    GREY_UNMARKED = ("created by hand", OLD, None, False)
    GREY_FOREIGN = (FOREIGN[0], OLD, None, False)


Slot = Kind | None
#: Beside the A records: what conflicts, what also answers, what does neither.
OTHERS = {"CNAME": "a.example.net", "NS": "ns.example.net", "AAAA": "2001:db8::1", "TXT": "text"}


@dataclass(frozen=True, slots=True)
class Name:
    """The records at one name."""

    right: Slot = None
    wrong: Slot = None
    other: Slot = None
    beside: str | None = None  # a record of another type
    comment: str = ""  # its comment, which may bear a mark

    def is_doubled(self, body: Body | None) -> bool:
        """Whether another name is this one with its contents exchanged, and none of them is the machine's."""
        has_address = body is not None and body.address is not Address.NONE
        return not has_address and _order(self.right) > _order(self.wrong)

    def records(self, instance: str, body: Body | None) -> Iterator[DnsRecord]:
        """The records themselves."""
        number = NUMBER[instance]
        own = (address_of(body, instance) if body else None) or f"52.0.0.{number}"
        contents = (own, f"52.0.1.{number}", f"52.0.2.{number}")
        for content, kind in zip(contents, (self.right, self.wrong, self.other), strict=True):
            if kind:
                comment, made, written, proxied = kind.value
                yield _record(instance, "A", content, comment, made, written, proxied=proxied)
        if self.beside:
            yield _record(instance, self.beside, OTHERS[self.beside], self.comment, OLD, None, proxied=False)


def _record(
    instance: str,
    kind: str,
    content: str,
    comment: str,
    made: datetime | None,
    written: datetime | None,
    *,
    proxied: bool,
) -> DnsRecord:
    key, name = f"{instance}-{content}", f"{instance}.example.com"
    return DnsRecord(key, name, instance, kind, content, proxied, comment, made, written)


def _order(slot: Slot) -> int:
    return 0 if slot is None else 1 + list(Kind).index(slot)


SLOTS: tuple[Slot, ...] = (None, Kind.OURS, Kind.YOUNG, Kind.GREY, Kind.UNMARKED, Kind.FOREIGN)
NAMES: tuple[Name, ...] = (
    *(Name(right, *pair) for right in SLOTS for pair in combinations_with_replacement(SLOTS, 2)),
    Name(Kind.UNDATED),
    Name(wrong=Kind.UNDATED),
    Name(Kind.OURS, Kind.UNDATED),
    Name(beside="CNAME"),
    Name(beside="NS"),
    *(Name(right, wrong, beside=kind) for kind in ("AAAA", "TXT") for right in SLOTS for wrong in (None, Kind.OURS)),
)
#: One of each standing and of each way out of it: where two machines meet.
STANDINGS: tuple[Name, ...] = (
    Name(),
    Name(Kind.OURS),
    Name(wrong=Kind.OURS),
    Name(Kind.YOUNG),
    Name(Kind.FOREIGN),
    Name(Kind.UNMARKED, Kind.OURS),
)
MARKS = (MARK, FOREIGN[0])


def _beside_ours(kind: Kind) -> Iterator[tuple[Slot, Slot]]:
    yield from ((kind, None), (None, kind), (kind, Kind.OURS), (Kind.OURS, kind))


#: What was created by hand without the proxy, and marks on records that no controller creates.
RARE: tuple[Name, ...] = (
    *(Name(right, wrong) for grey in (Kind.GREY_UNMARKED, Kind.GREY_FOREIGN) for right, wrong in _beside_ours(grey)),
    *(Name(right, beside=kind, comment=mark) for kind in ("AAAA", "TXT") for mark in MARKS for right in SLOTS[:2]),
    *(Name(beside=kind, comment=mark) for kind in ("CNAME", "NS") for mark in MARKS),
)
