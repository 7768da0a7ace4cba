"""Where the workload is run again and again, and compared with the run that nothing disturbs."""

from dataclasses import dataclass, field
from functools import cached_property, partial

from controller.sandbox.cloudflare import Reply
from tests.support.clock import FastClock
from tests.system.faults.calls import Call, Rule, Scene
from tests.system.faults.trial import End, Workshop
from tests.system.perturb.earlier_answers import STALE
from tests.system.perturb.kinds import KINDS, Kind
from tests.system.perturb.recorder import Journals
from tests.system.perturb.stage import Stage
from tests.system.perturb.workload import VISITS, WORKLOAD, Step

Happening = tuple[Call, Kind]


@dataclass(frozen=True, slots=True)
class Reference:
    """The run that nothing disturbs."""

    calls: list[list[Call]]  # of each visit
    with_past: set[Call]  # the same question was answered otherwise before
    end: End


@dataclass
class Theatre:
    """Sets the stage, run after run."""

    workshop: Workshop
    clock: FastClock
    journals: Journals
    happened: int = field(default=0, init=False)  # how many perturbations of the latest run took effect

    def possible(self, visit: int) -> list[Happening]:
        """What can happen in this visit of the workload, and changes something there."""
        known = self._reference
        return [(c, kind) for c in known.calls[visit] for kind in KINDS if not kind.needs_past or c in known.with_past]

    def possible_anywhere(self) -> list[Happening]:
        """The same in all of the workload's visits."""
        return [happening for visit in range(len(VISITS)) for happening in self.possible(visit)]

    def play(self, *happenings: Happening, steps: tuple[Step, ...] = WORKLOAD) -> list[str]:
        """What was wrong when this happened, and how the end differs from the one when nothing happens."""
        end = self._reference.end
        stage = self._stage()
        found = stage.run(steps, [kind.rule(stage, call) for call, kind in happenings])
        self.happened = stage.happened
        if happenings and not stage.happened:
            found.append("nothing happened")
        return found if found or stage.end() == end else [f"the world ended as {stage.end()}, not as {end}"]

    @cached_property
    def _reference(self) -> Reference:
        stage, with_past = self._stage(), set[Call]()
        found = stage.run(WORKLOAD, [Rule(Call(op), partial(_look_back, stage, with_past), None) for op in STALE])
        assert not found, found
        return Reference(stage.calls, with_past, stage.end())

    def _stage(self) -> Stage:
        return Stage(self.workshop, self.clock, self.journals)


def _look_back(stage: Stage, with_past: set[Call], scene: Scene) -> Reply:
    """The truth, and a note where there was another one before."""
    reply = scene.proceed()
    if stage.memory.before(scene, reply):
        with_past.add(Call(scene.operation, scene.place))
    return reply
