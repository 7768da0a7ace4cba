"""Families of small worlds that hold what is rare: beside few others of each factor, so that they stay small."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations_with_replacement, product

from controller.model import Value
from controller.settings import Settings
from tests.model.proof.machines import BODIES, CLASSES, LOST, A, B, Body
from tests.model.proof.names import RARE, STANDINGS, Name
from tests.model.proof.product_of_factors import SETTINGS, Family, Place, world
from tests.model.proof.rows import LONG_PAST, STATUSES, Shape, Status, in_upper_case
from tests.model.properties.random_worlds import NULL, ODD
from tests.support.spec.sight import SEEN_ALIVE
from tests.support.state import Case

BY_HAND = "BY_HAND"
WITHOUT_OFFSET = LONG_PAST.removesuffix("Z")
#: Times of a meeting that was healthy: long past or not by their offset, of no offset, dates alone, no time at all.
TIMES: tuple[Value, ...] = (
    None, WITHOUT_OFFSET, "2026-01-30T13:30:00+02:00", "2026-01-30T11:30:00-02:00", "2026-01-28", "2026-01-29",
    "yesterday", "1712011200000", "20260129", f" {LONG_PAST}", ODD,
)  # fmt: skip
REASONS: tuple[Value, ...] = (BY_HAND, ODD)
ENDING: tuple[Status, ...] = (("LAUNCHED", LONG_PAST), ("DNS_WRITTEN", None), *((s, LONG_PAST) for s in SEEN_ALIVE))
NAMED: tuple[Value, ...] = (None, A, LOST, ODD)
LINKED: tuple[Value, ...] = (in_upper_case(A), in_upper_case(LOST), ODD, NULL)


def _one(body: Body | None, name: Name, shape: Shape | None, settings: Settings = SETTINGS) -> Case | None:
    return None if name.is_doubled(body) else world([Place(A, body, name)], {"m": shape}, settings)


# One machine: every body, with what is rare at its name.

ROWS = (None, *(Shape(status, {"teacher": A}, {"teacher": link}) for status, link in product(STATUSES, (None, A))))
RARE_NAMES = Family("rare names", (BODIES, RARE, ROWS, (SETTINGS, replace(SETTINGS, adopt_unmarked=True))), _one)

# One machine: every body, with what is rare in its row; the row may name a machine that nothing else tells of.


def _rare_rows() -> Iterator[Shape]:
    for time, named, linked in product(TIMES, (A, LOST), (None, A)):
        yield Shape(("HEALTHY", time), {"teacher": named}, {"teacher": linked})
    for status, reason, named, linked in product(ENDING, REASONS, (A, LOST), (None, A)):
        yield Shape(status, {"teacher": named}, {"teacher": linked}, reason)
    for status, name, link in product((*STATUSES, (ODD, None)), NAMED, LINKED):
        yield Shape(status, {"teacher": name}, {"teacher": link})


RARE_ROWS = Family("rare rows", (BODIES, STANDINGS, tuple(_rare_rows())), _one, scopes=((LOST,), (A, LOST)))

# Two machines of one meeting, one of each class, for each role or both for one, with the rows they have elsewhere not.

Pair = tuple[Body | None, Body | None, str]
PAIRS: tuple[Pair, ...] = (
    *((*pair, "student") for pair in combinations_with_replacement(CLASSES, 2)),
    *((*pair, "teacher") for pair in product(CLASSES, CLASSES)),
)
TOLD: tuple[tuple[Status, str | None], ...] = (
    (("PENDING", None), None),
    (("SCHEDULED", None), None),
    (("LAUNCHED", LONG_PAST), None),
    (("LAUNCHED", WITHOUT_OFFSET), BY_HAND),
    (("HEALTHY", LONG_PAST), BY_HAND),
    (("IN_PROGRESS", LONG_PAST), None),
    (("TERMINATED", None), BY_HAND),
)
#: Where the links of two roles lead, or both of a role with two machines: nowhere, to their own, in upper case, across.
LINKS = (None, (A, B), (in_upper_case(A), in_upper_case(B)), (B, A))


def _rare_two(
    pair: Pair, name: Name, other: Name, told: tuple[Status, str | None], links: tuple[str, str] | None
) -> Case | None:
    first, second, role = pair
    if name.is_doubled(first) or other.is_doubled(second):
        return None
    places = [Place(A, first, name), Place(B, second, other, role=role)]
    status, reason = told
    leads = {"teacher": links[0], role: links[1]} if links else {}
    return world(places, {"m": Shape(status, {"teacher": A, role: B}, leads, reason)})


RARE_ROWS_OF_TWO = Family(
    "rare rows of two", (PAIRS, STANDINGS[:3], STANDINGS[:3], TOLD, LINKS), _rare_two, scopes=((A, B),)
)

RARE_FAMILIES = (RARE_NAMES, RARE_ROWS, RARE_ROWS_OF_TWO)
