"""One world of one family, from a seed to a verdict.

Hours of lessons go by, in which people, EC2 and the real controller's passes get into each other's way. Then nobody
lies any more, a day goes by, and a pass must find nothing left to do.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from tests.model.properties.turns import taking_turns
from tests.model.simulations.controllers import SCHEDULED, Controller, what_is_open
from tests.model.simulations.families import FAMILIES, Scene
from tests.model.simulations.lessons import Lesson, hold
from tests.model.simulations.world import PERIOD, Process, World
from tests.support.clock import START
from tests.support.history import Deployment, Look, Truth
from tests.support.truth import Verdict, judge, unended
from tests.support.views import ALWAYS_THERE, HONEST

#: How long all is left alone in the end: until every meeting is more than a day past.
A_DAY_LATER = timedelta(hours=32)
#: How many calm passes may find something to do: one removes links, the next one ends.
CALM_PASSES = 2


@dataclass(frozen=True, slots=True)
class Played:
    """How a world ended."""

    verdict: Verdict
    never_ended: tuple[str, ...]
    still_open: tuple[str, ...]  # what a pass would still do when all has come to rest
    passes: int
    calls: Counter[str]
    errors: Counter[str]

    @property
    def wrong(self) -> list[str]:
        """Everything that was wrong, as sentences."""
        rest = [f"when all has come to rest, a pass still does: {each}" for each in self.still_open]
        return [*map(str, self.verdict.violations), *rest]


def play(family: str, seed: int) -> Played:
    """The world of this family and seed, which is the same for every controller that is tried in it."""
    chance = random.getstate()
    random.seed(seed)  # a back-off's jitter
    try:
        with taking_turns(random.Random(seed)):
            return _play(family, seed)
    finally:
        random.setstate(chance)


def _play(family: str, seed: int) -> Played:
    world = World(seed)
    scene = FAMILIES[family](world.rng(family))
    world.truth = Truth({}, {each.root: {} for each in scene.deployments}, {})
    world.change("nobody", world.truth)
    controllers = list(_controllers(world, scene))
    for lesson in _lessons(world, scene):
        world.spawn(hold(world, lesson))
    for meddler in scene.meddlers:
        world.spawn(meddler(world, world.rng(meddler.__qualname__)))
    world.spawn(_looks(world))
    world.run(START + timedelta(hours=scene.hours))
    still_open = _come_to_rest(world, controllers)
    return Played(
        verdict=judge(world.history, scene.deployments, world.owners),
        never_ended=tuple(unended(world.truth, world.owners)),
        still_open=tuple(still_open),
        passes=sum(controller.passes for controller in controllers),
        calls=sum((controller.clouds.calls for controller in controllers), Counter[str]()),
        errors=sum((controller.errors for controller in controllers), Counter[str]()),
    )


def _controllers(world: World, scene: Scene) -> Iterator[Controller]:
    for number, each in enumerate(scene.deployments):
        lies = replace(scene.lies, seed=scene.lies.seed + number)
        controller = Controller(world, each, lies, scene.deliveries, scene.outages, scene.scan_takes)
        world.listeners.append(controller.hear)
        world.spawn(controller.follow_schedule(), after=world.rng("phase").uniform(0, PERIOD) if number else 0.0)
        world.spawn(controller.announce_outages())
        yield controller
    if scene.laptop:
        laptop = Controller(world, scene.laptop)
        world.spawn(_try_now_and_then(world, laptop))


def _try_now_and_then(world: World, laptop: Controller) -> Process:
    rng = world.rng("laptop")
    for _ in range(4):
        yield rng.uniform(1200, 3000)
        laptop.begin(SCHEDULED)


def _lessons(world: World, scene: Scene) -> Iterator[Lesson]:
    for number in range(scene.lessons):
        rng = world.rng("lesson", number)
        us: Deployment = scene.deployments[number % len(scene.deployments)]
        yield Lesson(
            meeting=f"m{number}",
            deployment=us,
            begins=_round(rng, rng.uniform(620, scene.hours * 3600 - 4500)),
            lasts=rng.uniform(1500, 4000),
            incident=rng.choice(scene.incidents),
            is_ended=rng.random() < scene.says_so,
            launches_late=scene.launches_late,
            tags_late=scene.tags_late,
            is_forgotten=rng.random() < 0.15,
            is_reused=scene.is_reused,
        )


def _round(rng: random.Random, seconds: float) -> float:
    """Many lessons begin at a round time, so that they are launched when a scheduled pass begins."""
    return seconds // PERIOD * PERIOD if rng.random() < 0.5 else seconds


def _looks(world: World) -> Process:
    while True:
        yield 30.0
        world.history.append(Look(world.now))


def _come_to_rest(world: World, controllers: list[Controller]) -> list[str]:
    """Nobody lies any more, a day goes by, and after a calm pass or two there is nothing to do."""
    for controller in controllers:
        controller.is_retired = True
    world.stop()
    for controller in controllers:
        controller.view.lies, controller.outages = HONEST, ALWAYS_THERE
    world.clock.sleep(A_DAY_LATER.total_seconds())
    found: list[str] = []
    for number in range(CALM_PASSES + 1):
        for controller in controllers:
            ended = controller.begin(SCHEDULED)
            world.run(world.now + timedelta(seconds=PERIOD))
            found += what_is_open(ended.report) if number == CALM_PASSES else []
    return found
