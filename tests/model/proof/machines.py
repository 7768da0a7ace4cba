"""A factor of the small worlds: what one machine may be, as far as the rules can tell machines apart.

Left out because no rule reads them: which address it is (one for each machine, all different), the machine's name
beyond its order, and the launch time beyond "within the grace period" and "before it"; an old record (names.py) was
last written before either, a young one after both.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from controller.model import Instance
from tests.model.properties.random_worlds import IDS, LOST_IDS, NEW_STATE, STATES, UNROUTABLE
from tests.support.clock import START

A, B, C = IDS[:3]
LOST = LOST_IDS[0]
NUMBER = {A: 0, B: 1, C: 2}
HOUR, YOUNG = timedelta(hours=1), timedelta(seconds=30)


class Address(Enum):
    """What public IPv4 address EC2 tells of a machine."""

    PUBLIC = "public"
    PRIVATE = "not-routable"
    NONE = "no-address"


@dataclass(frozen=True, slots=True)
class Body:
    """What EC2 says of a machine, but for its id."""

    state: str
    address: Address = Address.PUBLIC
    age: timedelta = HOUR
    tagged: bool = True
    carries: str = (
        "its own"  # tags: "no meeting", "no known role", "another role", "another meeting", "another of both"
    )

    def __str__(self) -> str:
        parts = [self.state, self.address.value]
        parts += ["young"] * (self.age == YOUNG) + ["untagged"] * (not self.tagged)
        return "-".join([*parts, *([self.carries.replace(" ", "-")] if self.carries != "its own" else [])])

    def at(self, instance: str, meeting: str, role: str) -> Instance:
        """The machine itself, launched for this meeting and role."""
        return Instance(
            instance,
            self.state,
            address_of(self, instance),
            self.tagged,
            {"no meeting": None, **dict.fromkeys(("another meeting", "another of both"), "ghost")}.get(
                self.carries, meeting
            ),
            {"no known role": "observer", **dict.fromkeys(("another role", "another of both"), "student")}.get(
                self.carries, role
            ),
            START - self.age,
        )


def address_of(body: Body, instance: str) -> str | None:
    """Its address, one for each machine."""
    number = NUMBER[instance]
    return {Address.PUBLIC: f"52.0.0.{number}", Address.PRIVATE: UNROUTABLE[number], Address.NONE: None}[body.address]


#: A machine that EC2 does not know is None.
BODIES: tuple[Body | None, ...] = (
    None,
    *(Body(state, address) for state in STATES for address in (Address.PUBLIC, Address.NONE)),
    Body(NEW_STATE),
    Body("running", Address.PRIVATE),
    Body("pending", Address.NONE, age=YOUNG),
    Body("terminated", Address.NONE, age=YOUNG),
    Body("running", tagged=False),
    Body("running", Address.NONE, tagged=False),
    Body("running", tagged=False, carries="another role"),
    Body("stopped", Address.NONE, tagged=False),
    Body("terminated", Address.NONE, tagged=False),
    Body("running", carries="no meeting"),
    Body("running", Address.NONE, carries="no meeting"),
    Body("running", carries="no known role"),
    Body("running", carries="another role"),
    Body("running", carries="another meeting"),
    Body("running", carries="another of both"),
    Body("terminated", Address.NONE, carries="another role"),
)
#: One of each class, and a young one that has ended: where two or three machines meet.
CLASSES: tuple[Body | None, ...] = (
    None,
    Body("running"),
    Body("running", Address.NONE),
    Body("pending", Address.NONE, age=YOUNG),
    Body("running", Address.PRIVATE),
    Body("stopped", Address.NONE),
    Body("terminated", Address.NONE),
    Body("terminated", Address.NONE, age=YOUNG),
    Body("running", tagged=False),
    Body("running", carries="no meeting"),
)


def name_of(body: Body | None) -> str:
    """For a test's id."""
    return "absent" if body is None else str(body)
