"""Random worlds, random passes that fail, are cut off and interfered with; then the world stops changing."""

import random
from collections.abc import Collection

from controller.model import Outcome, Result
from tests.model.actors import Meddle
from tests.model.properties.clouds import Clouds
from tests.model.properties.faults import CALM, Calls, Script
from tests.model.properties.passes import Ran, run
from tests.model.properties.random_worlds import IDS, LOST_IDS, Chooser, random_case
from tests.support.spec.allowed import misdeeds
from tests.support.spec.right import takes_two_passes, wrongs


def simulate(seed: int) -> list[str]:
    """Everything that was wrong in this seed's world, step by step, as sentences."""
    rng = random.Random(seed)
    choose = Chooser(rng)
    clouds = Clouds(random_case(rng, size=choose.mostly(4, [2, 6], 0.5)))
    found: list[str] = []
    for step in range(rng.randrange(4)):
        scope, force = random_scope(choose, clouds), choose.chance(0.3)
        script = random_script(choose)
        ran = run(clouds, scope, force=force, script=script, seed=seed + step)
        wrongs_of_step = [*_judged(ran, clouds, scope, force=force), *_of_the_others(script)]
        found += [f"step {step}: {wrong}" for wrong in wrongs_of_step]
        if choose.chance(0.3):
            Meddle(rng.randrange(1 << 30))(clouds)
    return found or what_a_calm_pass_leaves(clouds)


def _judged(ran: Ran, clouds: Clouds, scope: Collection[str] | None, *, force: bool) -> list[str]:
    found = misdeeds(ran.journal, clouds.case.settings, scope, force=force)
    if ran.error and any(call in ("rows.write", "records.write") for call in ran.calls):
        found.append(f"raised after its first write: {ran.error}")
    return found


def _of_the_others(script: Script) -> list[str]:
    others = [*script.calls.meddlers.values(), *script.writes.meddlers.values()]
    return [f"in between: {wrong}" for other in others if isinstance(other, AnotherPass) for wrong in other.misdeeds]


def what_a_calm_pass_leaves(clouds: Clouds) -> list[str]:
    """One clean forced pass makes the world right (two, in a few worlds), and the next plans nothing."""
    settings = clouds.case.settings
    found = [] if not takes_two_passes(clouds.moment(), settings) else _what_a_pass_does_wrong(clouds)
    found += _what_a_pass_does_wrong(clouds)
    found += wrongs(clouds.state, settings)
    again = run(clouds, force=True)
    if again.report is None or again.results:
        found.append(f"the next pass plans {[(r.change.action, r.change.key) for r in again.results]}")
    return found


def _what_a_pass_does_wrong(clouds: Clouds) -> list[str]:
    ran = run(clouds, force=True)
    if ran.report is None:
        return [f"the calm pass failed: {ran.error}"]
    found = misdeeds(ran.journal, clouds.case.settings, force=True)
    return found + [f"calm, and {r.change.action} {r.change.key}: {r.outcome} {r.error}" for r in _not_done(ran)]


def _not_done(ran: Ran) -> list[Result]:
    return [result for result in ran.results if result.outcome is not Outcome.APPLIED]


def random_scope(choose: Chooser, clouds: Clouds) -> frozenset[str] | None:
    """Everything, one instance, or several; also of instances that nobody has."""
    if choose.chance(0.5):
        return None
    there = sorted(clouds.state.instances) or IDS
    return frozenset(choose.mostly(choose.one(there), (*IDS, *LOST_IDS), 0.2) for _ in range(choose.one((1, 1, 2, 3))))


class AnotherPass:
    """Another Lambda of the same deployment does a whole pass in between."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.misdeeds: list[str] = []

    def __call__(self, clouds: Clouds) -> None:
        outer = clouds.journal, clouds.calls, clouds.script
        choose = Chooser(random.Random(self.seed))
        scope, force = random_scope(choose, clouds), choose.chance(0.3)
        ran = run(clouds, scope, force=force, seed=self.seed)
        self.misdeeds += misdeeds(ran.journal, clouds.case.settings, scope, force=force)
        clouds.journal, clouds.calls, clouds.script = outer


def random_meddler(choose: Chooser) -> Meddle | AnotherPass:
    seed = choose.rng.randrange(1 << 30)
    return AnotherPass(seed) if choose.chance(0.15) else Meddle(seed)


def random_script(choose: Chooser) -> Script:
    """What goes wrong, if anything: mostly with writes, since a reading that fails ends the pass."""
    if choose.chance(0.15):
        return CALM
    reads = _random_calls(choose, 9, 0.25) if choose.chance(0.2) else Calls()
    unlisted = frozenset([choose.one(IDS)] if choose.chance(0.15) else [])
    return Script(reads, _random_calls(choose, 6, 1.0), resends=choose.chance(0.15), unlisted=unlisted)


def _random_calls(choose: Chooser, count: int, often: float) -> Calls:
    calls = range(count)
    faults = {choose.one(calls): choose.rng.randrange(720) for _ in range(choose.one((0, 1, 1, 2, 3)))}
    meddlers = {choose.one(calls): random_meddler(choose) for _ in range(choose.one((0, 0, 1, 2)))}
    return Calls(faults, meddlers, choose.one(calls) if choose.chance(0.15 * often) else None)
