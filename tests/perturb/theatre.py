"""Where the workload is run again and again, and compared with the run that nothing disturbs."""

from dataclasses import dataclass
from functools import cached_property

from tests.faults.calls import Call
from tests.faults.clock import FastClock
from tests.faults.trial import End, Workshop
from tests.perturb.journal import Journals
from tests.perturb.kinds import Kind
from tests.perturb.stage import Stage
from tests.perturb.workload import DELIVERIES, WORKLOAD, Step

Happenings = tuple[tuple[Call, Kind], ...]


@dataclass
class Theatre:
    """Sets the stage, run after run."""

    workshop: Workshop
    clock: FastClock
    journals: Journals

    @cached_property
    def calls(self) -> list[list[Call]]:
        """The calls of each visit when nothing happens."""
        return self._reference[0]

    def play(self, happenings: Happenings, steps: tuple[Step, ...] = WORKLOAD) -> list[str]:
        """What was wrong when this happened, and how the end differs from the one when nothing happens."""
        _, end = self._reference
        stage = Stage(self.workshop, self.clock, self.journals)
        found = stage.run(steps, [kind.rule(stage, call) for call, kind in happenings])
        return found if found or stage.end() == end else [f"the world ended as {stage.end()}, not as {end}"]

    def deliver(self, how: str, place: int) -> list[str]:
        """The same when a visit is delivered otherwise."""
        return self.play((), DELIVERIES[how](place))

    @cached_property
    def _reference(self) -> tuple[list[list[Call]], End]:
        stage = Stage(self.workshop, self.clock, self.journals)
        assert stage.run(WORKLOAD) == []
        return stage.calls, stage.end()
