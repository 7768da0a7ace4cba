"""A fleet over a week of simulated time: lessons begin and end, machines restart and lose tags, rows come and go."""

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from tests.support.clock import FakeClock
from tests.support.events import state_change, tag_change
from tests.support.servers import Clouds
from tests.support.state import State

#: Lessons under way at one time.
LESSONS = 6
#: When EC2 has forgotten an ended machine, and the table an ended meeting.
FORGOTTEN, EXPIRED = timedelta(hours=1), timedelta(hours=6)
ROLES = ("teacher", "student")
BYSTANDERS = {"www": "192.0.2.200", "i-0123-old": "192.0.2.201"}


def bystanders(records: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The records that are not at an instance's name."""
    return [record for record in records if str(record["name"]).partition(".")[0] in BYSTANDERS]


@dataclass(frozen=True, slots=True)
class TimedClouds(Clouds):
    """The servers on the simulation's clock."""

    clock: FakeClock = field(default_factory=FakeClock)

    def state(self) -> State:
        """All that is true now."""
        return replace(Clouds.state(self), now=self.clock.now())


@dataclass(slots=True)
class World:
    """What everybody but the controller does. Each deed yields the events that AWS sends of it."""

    clouds: TimedClouds
    random: random.Random
    lessons: dict[str, list[str]] = field(default_factory=dict)  # by meeting: its machines
    gone: dict[str, datetime] = field(default_factory=dict)
    over: dict[str, datetime] = field(default_factory=dict)
    number: int = 0

    def __post_init__(self) -> None:
        for name, content in BYSTANDERS.items():
            self.clouds.cloudflare.seed(name, content, comment="elephant-dns:123456789012/us-west-2")

    @property
    def now(self) -> datetime:
        """The time in this world."""
        return self.clouds.clock.now()

    def pass_time(self, by: timedelta) -> None:
        """Let time pass; EC2 and the table forget what is long over."""
        self.clouds.clock.sleep(by.total_seconds())
        machines = [machine for machine, ended in self.gone.items() if self.now - ended > FORGOTTEN]
        self.clouds.aws.machines.purge(*machines)
        for machine in machines:
            del self.gone[machine]
        for meeting in [meeting for meeting, ended in self.over.items() if self.now - ended > EXPIRED]:
            self.clouds.aws.rows.remove(meeting)
            del self.over[meeting]

    def act(self) -> Iterator[dict[str, Any]]:
        """Something happens."""
        if len(self.lessons) < LESSONS:
            yield from self._begin()
            return
        deeds = (self._end, self._restart, self._stop_one, self._retag, self._progress, self._stranger)
        yield from self.random.choices(deeds, weights=(5, 3, 1, 1, 6, 1))[0]()

    def settle(self) -> None:
        """Nothing lies any more, and whatever was young has grown old."""
        self.clouds.aws.machines.show_truth()
        self.pass_time(timedelta(minutes=30))

    def end_all(self) -> None:
        """Nobody teaches any more."""
        while self.lessons:
            list(self._end())

    def _begin(self) -> Iterator[dict[str, Any]]:
        self.number += 1
        meeting = f"m{self.number}"
        row = {"status": "SCHEDULED", "meet_time": self.now.isoformat()}
        for role in ROLES:
            machine = self.clouds.aws.machines.launch(meeting, role, launched_at=self.now)
            self.lessons.setdefault(meeting, []).append(machine)
            row = {**row, "status": "LAUNCHED", f"{role}_ec2_id": machine}
            if self.random.random() < 0.1:
                self.clouds.aws.machines.strip_address(machine, readings=2)
            yield from self._events(machine, "pending", "running")
        self.clouds.aws.rows.put(meeting, **row)

    def _end(self) -> Iterator[dict[str, Any]]:
        meeting = next(iter(self.lessons))
        for machine in self.lessons.pop(meeting):
            self.clouds.aws.machines.terminate(machine)
            self.gone[machine] = self.now
            yield from self._events(machine, "shutting-down", "terminated")
        if self.random.random() < 0.5:  # the terminator; else the controller ends it
            self.clouds.aws.rows.edit(meeting, status="TERMINATED", termination_reason="TIME_OVER")
        self.over[meeting] = self.now

    def _restart(self) -> Iterator[dict[str, Any]]:
        machine = self._some_machine()
        self.clouds.aws.machines.stop(machine)
        self.clouds.aws.machines.start(machine, launched_at=self.now)
        yield from self._events(machine, "stopping", "stopped", "pending", "running")

    def _stop_one(self) -> Iterator[dict[str, Any]]:
        machine = self._some_machine()
        self.clouds.aws.machines.stop(machine)
        yield from self._events(machine, "stopping", "stopped")

    def _retag(self) -> Iterator[dict[str, Any]]:
        machine = self._some_machine()
        tags = self.clouds.aws.machines.all()[machine].tags
        project = "Other" if tags["Project"] == "Elephant" else "Elephant"
        self.clouds.aws.machines.set_tags(machine, {**tags, "Project": project})
        yield tag_change(machine)

    def _progress(self) -> Iterator[dict[str, Any]]:
        meeting = self.random.choice(list(self.lessons))
        row = self.clouds.aws.rows.get(meeting)
        if row["status"] == "DNS_WRITTEN":
            self.clouds.aws.rows.edit(meeting, status=self.random.choice(("HEALTHY", "IN_PROGRESS")))
        yield from ()

    def _stranger(self) -> Iterator[dict[str, Any]]:
        machine = self.clouds.aws.machines.launch(tags={"Name": "database"}, launched_at=self.now)
        self.gone[machine] = self.now
        yield from self._events(machine, "pending", "running")

    def _some_machine(self) -> str:
        return self.random.choice(self.lessons[self.random.choice(list(self.lessons))])

    def _events(self, machine: str, *states: str) -> Iterator[dict[str, Any]]:
        for state in states:
            yield {**state_change(machine, state), "time": self.now.isoformat()}
