"""One pass of the real controller over the model, and what came of it."""

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from controller.errors import PassError
from controller.model import Heard, Mode, Outcome, Request, Result
from controller.ports import Context
from controller.reconcile import reconcile
from controller.report.report import Report
from controller.runtime.budget import Budget
from tests.model.properties.clouds import Clouds
from tests.model.properties.faults import CALM, Script
from tests.model.properties.turns import taking_turns
from tests.support.build import TARGET
from tests.support.journal import Event
from tests.support.ports import readers_of, writers_of
from tests.support.state import Case, State

SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Ran:
    """How a pass ended."""

    report: Report | None
    error: PassError | None
    journal: tuple[Event, ...]
    calls: tuple[str, ...]
    state: State

    @property
    def results(self) -> tuple[Result, ...]:
        assert self.report is not None, self.error
        return self.report.results

    def ended(self, *outcomes: Outcome) -> list[Result]:
        return [result for result in self.results if result.outcome in outcomes]


def run(
    clouds: Clouds,
    scope: Collection[str] | None = None,
    *,
    force: bool = False,
    mode: Mode = Mode.APPLY,
    script: Script = CALM,
    seed: int = 0,
    heard: Mapping[str, Heard] | None = None,
) -> Ran:
    """One pass; chance (which thread's turn it is, and a back-off's jitter) follows the seed."""
    state_of_chance = random.getstate()
    random.seed(seed)
    try:
        with taking_turns(random.Random(seed)):
            return run_in_turns(clouds, scope, force=force, mode=mode, script=script, heard=heard)
    finally:
        random.setstate(state_of_chance)


def run_in_turns(
    clouds: Clouds,
    scope: Collection[str] | None = None,
    *,
    force: bool = False,
    mode: Mode = Mode.APPLY,
    script: Script = CALM,
    heard: Mapping[str, Heard] | None = None,
) -> Ran:
    """One pass, where threads take turns already. It is a bug if it raises anything except a PassError."""
    clouds.begin(script)
    settings = clouds.case.settings
    writers = writers_of(clouds) if mode is Mode.APPLY else None
    context = Context(settings, TARGET, readers_of(clouds), writers, Budget(clouds.clock, SECONDS))
    request = Request(mode, None if scope is None else frozenset(scope), force, heard=heard or {})
    report, error = None, None
    try:
        report = reconcile(request, context)
    except PassError as raised:
        error = raised
    return Ran(report, error, tuple(clouds.journal), tuple(clouds.calls), clouds.moment())


def planned(case: Case, scope: Collection[str] | None = None, *, force: bool = False) -> Ran:
    """A dry run over a fresh copy of the world."""
    return run(Clouds(case), scope, force=force, mode=Mode.PLAN)


def applied(case: Case, scope: Collection[str] | None = None, *, force: bool = False, script: Script = CALM) -> Ran:
    """A pass over a fresh copy of the world."""
    return run(Clouds(case), scope, force=force, script=script)
