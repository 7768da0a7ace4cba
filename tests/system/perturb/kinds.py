"""What can happen at a call of a pass."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from controller.sandbox.cloudflare import Reply
from tests.support.servers import refusal
from tests.system.faults.aws_kinds import failure
from tests.system.faults.calls import CLOUDFLARE, Call, Rule, Scene
from tests.system.faults.kinds import lost
from tests.system.perturb.stage import Stage


@dataclass(frozen=True, slots=True)
class Kind:
    """A perturbation of one call."""

    name: str
    play: Callable[[Stage, Scene], Reply]
    needs_past: bool = False  # the call must have been answered otherwise before

    def rule(self, stage: Stage, call: Call) -> Rule:
        """It happens to this call, on this stage."""
        return Rule(call, partial(self._happen, stage))

    def _happen(self, stage: Stage, scene: Scene) -> Reply:
        stage.happened += 1
        return self.play(stage, scene)


def _crash_before(stage: Stage, scene: Scene) -> Reply:
    stage.die()
    return Reply.nothing()


def _crash_after(stage: Stage, scene: Scene) -> Reply:
    scene.proceed()
    stage.die()
    return Reply.nothing()


def _error(stage: Stage, scene: Scene) -> Reply:
    if scene.operation in CLOUDFLARE:
        return refusal(400, 9999, "No.")
    return failure(400, "SomethingNobodyKnowsException")(scene)


def _lost(stage: Stage, scene: Scene) -> Reply:
    return lost(scene)


def _stale(stage: Stage, scene: Scene) -> Reply:
    reply = scene.proceed()
    kept = stage.memory.before(scene, reply)
    if kept is None:  # behind another perturbation the question can be another one than in the reference run
        stage.happened -= 1
        return reply
    reply, stage.believed = kept
    return reply


def _schedule_first(stage: Stage, scene: Scene) -> Reply:
    stage.let_another_pass(None)
    return scene.proceed()


def _event_first(stage: Stage, scene: Scene) -> Reply:
    """An event is met by its own double, the schedule by the latest event."""
    stage.let_another_pass(stage.latest.scope)
    return scene.proceed()


KINDS = (
    Kind("crash-before", _crash_before),
    Kind("crash-after", _crash_after),
    Kind("error", _error),
    Kind("lost-answer", _lost),
    Kind("stale-answer", _stale, needs_past=True),
    Kind("scheduled-pass-in-between", _schedule_first),
    Kind("event-in-between", _event_first),
)
