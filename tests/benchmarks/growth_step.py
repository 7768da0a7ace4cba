"""The steps of a pass over a world in memory: the CPU time, the memory and the calls that each takes."""

import time
import tracemalloc
from collections.abc import Callable
from typing import Literal, get_args

from controller.apply.execute import apply
from controller.model import Applied, Mode, Plan, World
from controller.ports import Readers, Writers
from controller.reconcile import SILENT
from controller.report.as_json import as_dict
from controller.report.report import Report, Target, digest_of, planned_results
from controller.rules.guards import guard
from controller.rules.plan import plan
from controller.runtime.budget import Budget, SystemClock
from controller.settings import Settings
from tests.benchmarks.calls import calls
from tests.benchmarks.memory import MemoryFleet, MemoryTable, MemoryZone
from tests.benchmarks.scenes import Scene, observed
from tests.support.build import NOW, OWNER, context, settings

Step = Literal["plan", "apply", "report"]
STEPS: tuple[Step, ...] = get_args(Step)
#: A small world is measured more often: so many machines altogether, but not more than so many times.
MACHINES, TIMES = 100_000, 50


def prepare(count: int, scene: Scene) -> Callable[[], dict[str, dict[str, float]]]:
    """Every step over so many machines."""
    seen = observed(count, scene)
    times = min(TIMES, max(1, MACHINES // count))
    return lambda: {step: _cost(step_of(seen, step), times) for step in STEPS}


def step_of(world: World, step: Step) -> Callable[[], object]:
    """What the step does, without what comes before it."""
    using = settings()
    decided = _decided(world, using)
    steps: dict[Step, Callable[[], object]] = {
        "plan": lambda: _decided(world, using),
        "apply": lambda: _applied(decided, world, using),
        "report": lambda: as_dict(_report(decided, using)),
    }
    return steps[step]


def _decided(world: World, using: Settings) -> Plan:
    return guard(plan(world, using), world, using, force=False)


def _applied(decided: Plan, world: World, using: Settings) -> Applied:
    fleet, table, zone = MemoryFleet(()), MemoryTable(()), MemoryZone()
    readers, budget = Readers(fleet, table, zone), Budget(SystemClock(), 600)
    return apply(decided, world, context(readers, budget, using), Writers(table, zone), SILENT)


def _report(decided: Plan, using: Settings) -> Report:
    target = Target("123456789012", "us-west-2", using.zone_id, using.domain_root, using.table_name, OWNER)
    return Report(
        mode=Mode.PLAN,
        scope=None,
        target=target,
        started_at=NOW,
        duration_ms=0,
        observed=(0, 0, 0),
        digest=digest_of(decided, target, None),
        results=planned_results(decided),
        findings=decided.findings,
        guard=decided.guard,
        calls={},
    )


def _cost(action: Callable[[], object], times: int) -> dict[str, float]:
    return {"cpu": _quickest(action, times), "bytes": _memory(action), "calls": calls(action)}


def _quickest(action: Callable[[], object], times: int) -> float:
    """CPU seconds: whatever disturbs can only add."""
    return min(_cpu(action) for _ in range(times))


def _cpu(action: Callable[[], object]) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


def _memory(action: Callable[[], object]) -> int:
    """Bytes at the peak, beyond what was there before."""
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
