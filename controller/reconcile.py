"""One pass: look at the world, decide, and only then act. The page to read first.

An event narrows what is looked at (``request.scope``); nothing in the decision depends on what woke the controller.
"""

from collections.abc import Callable
from dataclasses import dataclass

from controller.apply import apply
from controller.budget import Budget
from controller.errors import PlanChangedError
from controller.model import Action, Applied, Plan, Result, World
from controller.observe import Observer
from controller.ports import Readers, Writers
from controller.report.report import Report, Target, digest_of, ends
from controller.request import Mode, Request
from controller.rules import guard, plan
from controller.settings import Settings


@dataclass(frozen=True, slots=True)
class Pass:
    """Everything that one pass stands on. Without writers it can only plan."""

    settings: Settings
    target: Target
    readers: Readers
    writers: Writers | None
    budget: Budget


Decide = Callable[[Request, Pass], tuple[World, Plan]]


def decide(request: Request, this: Pass) -> tuple[World, Plan]:
    """Observe, plan and guard. Raises ObservationError or MisfitError where no plan can be made."""
    observer = Observer(this.readers, this.settings, this.budget)

    def judge(world: World) -> tuple[World, Plan]:
        return world, guard(plan(world, this.settings), world, this.settings, force=request.force)

    if request.scope is None:
        return judge(observer.everything())
    world, wanted = judge(observer.scoped(request.scope))
    confirmed = frozenset[str]()
    while doomed := _doomed(wanted) - confirmed:
        world, wanted = judge(observer.confirm(world, doomed))
        confirmed |= doomed
    return world, wanted


def reconcile(
    request: Request,
    this: Pass,
    on_plan: Callable[[Report], None] = lambda _: None,
    on_result: Callable[[Result], None] = lambda _: None,
    decide: Decide = decide,
) -> Report:
    """Decide, and apply when asked.

    ``on_plan`` sees the plan before anything is done; ``on_result`` sees each change's end as it comes.

    Raises ObservationError or MisfitError before a plan is made, and PlanChangedError where the plan is no longer the
    one that ``request.expect`` names. How single changes ended is in the report.
    """
    started_at = this.budget.clock.now()
    world, wanted = decide(request, this)
    scope = None if request.scope is None else tuple(sorted(request.scope))
    digest = digest_of(wanted, this.target, scope)

    def report(mode: Mode, applied: Applied) -> Report:
        return Report(
            mode=mode,
            scope=scope,
            target=this.target,
            started_at=started_at,
            duration_ms=round(this.budget.elapsed() * 1000),
            observed=(len(world.instances), len(world.records), len(world.meetings)),
            digest=digest,
            results=applied.results,
            findings=(*request.findings, *wanted.findings, *applied.findings),
            guard=wanted.guard,
            calls=this.budget.calls(),
        )

    if request.expect not in (None, digest):
        raise PlanChangedError(
            f"The plan is no longer the one that was reviewed ({request.expect}); it is now {digest}.",
            "Nothing was done. Look at the new plan (elephant-dns plan), and apply that.",
        )
    preview = report(Mode.PLAN, Applied(ends(wanted)))
    if request.mode is Mode.PLAN or this.writers is None:
        return preview
    on_plan(preview)
    applied = apply(wanted, world, this.settings, this.readers, this.writers, this.budget, on_result)
    return report(Mode.APPLY, applied)


_DESTRUCTIVE = frozenset({Action.DELETE_RECORD, Action.CLEAR_LINK})


def _doomed(wanted: Plan) -> frozenset[str]:
    """The machines by whose state or absence a scoped pass destroys: it must be read after what it destroys."""
    doing = [change for change in wanted.changes if not change.held]
    seen = {change.instance for change in doing if change.action in _DESTRUCTIVE and change.instance}
    return frozenset(seen.union(*(change.concluded for change in doing)))
