"""The families of small worlds: up to two machines of one meeting, and a third of another. Rare ones are elsewhere."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import combinations_with_replacement, product

from controller.settings import Settings
from tests.model.proof.machines import BODIES, CLASSES, LOST, A, B, Body, C
from tests.model.proof.names import NAMES, STANDINGS, Kind, Name
from tests.model.proof.product_of_factors import SETTINGS, Family, Place, world
from tests.model.proof.rare_worlds import RARE_FAMILIES
from tests.model.proof.rows import LONG_PAST, SOON, STATUSES, STRANGE, Shape, Status
from tests.support.state import Case

#: A healthy meeting of more than a day ago may be ended by absence.
LAUNCHED, HEALTHY = ("LAUNCHED", None), ("HEALTHY", LONG_PAST)
LATER: tuple[Status, ...] = ((None, None), LAUNCHED, ("DNS_WRITTEN", SOON), HEALTHY, ("CANCELLED", None))

# One machine: every body, every constellation of records, every row that names it, another or none.


def _one(body: Body | None, name: Name, shape: Shape | None, settings: Settings = SETTINGS) -> Case | None:
    return None if name.is_doubled(body) else world([Place(A, body, name)], {"m": shape}, settings)


def _rows_of_one() -> Iterator[Shape | None]:
    yield None
    for status, named, linked in product(STATUSES, (None, A, LOST, "i-XYZ"), (None, A, LOST, STRANGE)):
        yield Shape(status, {"teacher": named}, {"teacher": linked})


ONE = Family("one machine", (BODIES, NAMES, tuple(_rows_of_one())), _one)

# The same under other settings, with the rows to which those make a difference.

OTHER_SETTINGS = (
    replace(SETTINGS, adopt_unmarked=True),
    replace(SETTINGS, status_index="by-status"),
    replace(SETTINGS, grace_seconds=0),
)
ROWS_IN_SHORT = (
    None,
    *(Shape(status, {"teacher": A}, {"teacher": linked}) for status, linked in product(STATUSES, (None, A))),
)
SETTLED = Family("one machine, other settings", (BODIES, NAMES, ROWS_IN_SHORT, OTHER_SETTINGS), _one)

# Two machines of one meeting, one for each role. Which of them is the teacher's makes no difference to any rule.


@dataclass(frozen=True, slots=True)
class Side:
    """One role's part: its machine, the machine's name, and the role's fields in the row."""

    number: int
    body: Body | None
    name: Name
    is_named: bool
    leads: str | None  # where the link leads: to this machine, to the other one, nowhere

    def link(self, here: str, across: str) -> str | None:
        """Where the link leads."""
        return {"here": here, "across": across}.get(self.leads or "")


_SIDES = product(CLASSES, STANDINGS, (False, True), (None, "here", "across"))
SIDES = tuple(Side(number, *chosen) for number, chosen in enumerate(_SIDES))


def _two_roles(teacher: Side, student: Side, status: Status) -> Case | None:
    if student.number < teacher.number:
        return None
    named = {"teacher": A if teacher.is_named else None, "student": B if student.is_named else None}
    linked = {"teacher": teacher.link(A, B), "student": student.link(B, A)}
    places = [Place(A, teacher.body, teacher.name), Place(B, student.body, student.name, role="student")]
    return world(places, {"m": Shape(status, named, linked)})


TWO_ROLES = Family("two roles", (SIDES, SIDES, LATER), _two_roles)

# Any two machines of one meeting. Elsewhere one machine stands for all of its class; here each is what EC2 says of it.

Bodies = tuple[Body | None, Body | None, str]


def _any_two(bodies: Bodies, name: Name, other: Name, status: Status, has_links: bool) -> Case | None:
    first, second, role = bodies
    if name.is_doubled(first) or other.is_doubled(second):
        return None
    both = {"teacher": A, role: B}
    places = [Place(A, first, name), Place(B, second, other, role=role)]
    return world(places, {"m": Shape(status, both, both if has_links else {})})


PAIRS: tuple[Bodies, ...] = (
    *((*pair, "student") for pair in combinations_with_replacement(BODIES, 2)),
    *((*pair, "teacher") for pair in product(BODIES, BODIES)),
)
ANY_TWO = Family(
    "any two machines",
    (PAIRS, STANDINGS[:3], STANDINGS[:3], (LAUNCHED, HEALTHY), (False, True)),
    _any_two,
    scopes=((A, B),),
)

# Two machines for one role: the first is the older, or both are as old. Their ages matter where both serve.

IN_SHORT = (*STANDINGS[:3], Name(Kind.FOREIGN))
SERVES = Body("running")


def _one_role(
    first: Body | None, name: Name, second: Body | None, other: Name, shape: Shape, earlier: timedelta
) -> Case | None:
    if not earlier and (first, second) != (SERVES, SERVES):
        return None
    return world([Place(A, first, name, earlier=earlier), Place(B, second, other)], {"m": shape})


ROWS_OF_A_ROLE = tuple(
    Shape(status, {"teacher": named}, {"teacher": linked})
    for status, named, linked in product((LATER[0], *LATER[2:]), (None, A, B, LOST), (None, A, B, STRANGE))
)
AGES = (timedelta(minutes=20), timedelta(0))
ONE_ROLE = Family("one role twice", (CLASSES, IN_SHORT, CLASSES, IN_SHORT, ROWS_OF_A_ROLE, AGES), _one_role)

# A machine of one meeting and a machine of another; the rows may name each other's machines.

BRIEF = (Name(), Name(Kind.OURS), Name(Kind.FOREIGN))


def _two_meetings(
    first: Body | None, name: Name, third: Body | None, other: Name, shape: Shape, elsewhere: Shape | None
) -> Case | None:
    places = [Place(A, first, name), Place(C, third, other, meeting="other")]
    return world(places, {"m": shape, "other": elsewhere})


ROWS_HERE = tuple(
    Shape(status, {"teacher": named}, {"teacher": linked})
    for status, named, linked in product(LATER[:-1], (A, C), (None, A, C))
)
ROWS_ELSEWHERE = (
    None,
    Shape(LAUNCHED, {"teacher": C}),
    Shape(HEALTHY, {"teacher": C}, {"teacher": C}),
    Shape(HEALTHY, {"teacher": A}, {"teacher": A}),
    Shape(("TERMINATED", None), {"teacher": C}),
)
TWO_MEETINGS = Family("two meetings", (CLASSES, BRIEF, CLASSES, BRIEF, ROWS_HERE, ROWS_ELSEWHERE), _two_meetings)

# Two machines of one meeting, and a third of another.

FEW = (CLASSES[0], CLASSES[1], CLASSES[2], CLASSES[6], CLASSES[8])
CELLS = tuple(product(FEW, BRIEF[:2]))


def _three(
    first: tuple[Body | None, Name],
    second: tuple[Body | None, Name],
    third: tuple[Body | None, Name],
    shape: Shape,
    elsewhere: Shape | None,
) -> Case | None:
    places = [Place(A, *first), Place(B, *second, role="student"), Place(C, *third, meeting="other")]
    return world(places, {"m": shape, "other": elsewhere})


ROWS_OF_TWO_ROLES = tuple(
    Shape(status, {"teacher": named[0], "student": named[1]}, {"teacher": linked[0], "student": linked[1]})
    for status, named, linked in product((LAUNCHED, HEALTHY), ((A, B), (A, None), (None, C)), ((A, B), (C, A)))
)
THREE = Family(
    "a third machine",
    (CELLS, CELLS, CELLS, ROWS_OF_TWO_ROLES, (None, ROWS_ELSEWHERE[2])),
    _three,
    scopes=((A, B), (A, C)),
)

FAMILIES = (ONE, SETTLED, TWO_ROLES, ANY_TWO, ONE_ROLE, TWO_MEETINGS, THREE, *RARE_FAMILIES)
