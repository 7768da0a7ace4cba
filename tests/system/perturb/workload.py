"""The reference workload: three lessons from their schedule to their end, and whom each moment wakes.

A lesson that the terminator ends, one with machines that end by themselves (one is replaced before), and one that still
goes on: launch, health, join, stop, start, relaunch, termination. One machine is out of EC2's sight for a while;
one's name has a record created by hand, another's has one of another deployment.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support.events import SCHEDULED, batch, state_change
from tests.system.faults.scenarios import machine_id
from tests.system.perturb.cast import People

Deed = Callable[[People], None]


@dataclass(frozen=True, slots=True)
class Visit:
    """What wakes the function: state changes of these machines, one alone or as a batch, or the schedule (none)."""

    machines: tuple[int, ...] = ()

    @property
    def event(self) -> dict[str, Any]:
        """As AWS sends it."""
        events = [state_change(instance) for instance in sorted(self.scope or ())]
        if not events:
            return SCHEDULED
        return events[0] if len(events) == 1 else batch(*events)

    @property
    def scope(self) -> frozenset[str] | None:
        """The instances that it names."""
        return frozenset(map(machine_id, self.machines)) or None


Step = Deed | Visit

_STARTS: tuple[Step, ...] = (
    lambda people: people.schedule("ended", "lost", "going on"),
    lambda people: people.launch(1, "ended", "teacher", address=None),
    lambda people: people.launch(2, "ended", "student"),
    Visit((1, 2)),
    lambda people: people.get_address(1, "192.0.2.1"),
    Visit((1,)),
    lambda people: people.warm_up("ended"),
    lambda people: people.launch(3, "lost", "teacher"),
    lambda people: people.launch(4, "lost", "student"),
    lambda people: people.warm_up("lost"),
    lambda people: people.join("ended", "teacher", "student"),
    Visit((3, 4)),
    Visit(),
)
_CHANGES: tuple[Step, ...] = (
    lambda people: people.stop(1),
    Visit((1,)),
    lambda people: people.start(1),
    lambda people: people.write_record(5, comment=None),
    lambda people: people.launch(5, "going on", "teacher"),
    Visit((1, 5)),
    lambda people: people.get_address(1, "192.0.2.101"),
    lambda people: people.warm_up("going on"),
    lambda people: people.write_record(6, comment="elephant-dns:somebody/else"),
    lambda people: people.launch(6, "going on", "student"),
    lambda people: people.join("lost", "teacher", "student"),
    Visit((1, 6)),
    lambda people: people.warm_up("going on"),
    lambda people: people.end(3),
    lambda people: people.launch(7, "lost", "teacher"),
    lambda people: people.begin_again(4),
    Visit((3, 4, 7)),
    lambda people: people.lose_sight_of(2),
    Visit(),
    lambda people: people.see_again(2, "ended", "student"),
)
_ENDS: tuple[Step, ...] = (
    lambda people: people.join("going on", "teacher", "student"),
    lambda people: people.terminate("ended", 1, 2),
    lambda people: people.run_again(4),
    Visit((1, 2, 4)),
    lambda people: people.end(4),
    lambda people: people.end(7),
    Visit((4, 7)),
    Visit(),
)
WORKLOAD = (*_STARTS, *_CHANGES, *_ENDS)
VISITS = tuple(place for place, step in enumerate(WORKLOAD) if isinstance(step, Visit))
"""Where in the workload the visits stand."""


def without(place: int) -> tuple[Step, ...]:
    """The workload with an event that is never delivered, or a schedule that does not fire."""
    return (*WORKLOAD[:place], *WORKLOAD[place + 1 :])


def twice(place: int) -> tuple[Step, ...]:
    """Delivered twice in a row."""
    return (*WORKLOAD[: place + 1], *WORKLOAD[place:])


def once_more_at_the_end(place: int) -> tuple[Step, ...]:
    """Delivered, and again when nobody thinks of it any more."""
    return (*WORKLOAD, WORKLOAD[place])


def behind_the_next(place: int) -> tuple[Step, ...]:
    """Delivered after the visit that it should have come before."""
    following = next((other for other in VISITS if other > place), place)
    return (*WORKLOAD[:place], *WORKLOAD[place + 1 : following + 1], WORKLOAD[place], *WORKLOAD[following + 1 :])


_DELIVERIES: dict[str, Callable[[int], tuple[Step, ...]]] = {
    "dropped": without,
    "doubled": twice,
    "repeated": once_more_at_the_end,
    "reordered": behind_the_next,
}


def _deliveries() -> dict[tuple[str, int], tuple[Step, ...]]:
    """What is delivered otherwise, each once: the last visit has none behind it, and is doubled by a repetition."""
    found = dict[tuple[str, int], tuple[Step, ...]]()
    for how, deliver in _DELIVERIES.items():
        for place in VISITS:
            steps = deliver(place)
            if steps not in (WORKLOAD, *found.values()):
                found[how, place] = steps
    return found


DELIVERIES = _deliveries()
"""By what was done to which visit."""
