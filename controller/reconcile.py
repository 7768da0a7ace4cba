"""One pass: look at the world, decide, and only then act. The page to read first.

An event narrows what is looked at (``request.scope``); nothing in the decision depends on what woke the controller.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from controller.apply import apply
from controller.budget import Budget
from controller.errors import MisfitError, PlanChangedError, WatchdogError
from controller.model import Applied, Plan, Result, World
from controller.observe import Observer
from controller.ports import Readers, Writers
from controller.report.report import Report, Target, digest_of, ends
from controller.request import Mode, Request
from controller.rules import at_stake, ending, guard, plan
from controller.rules.scope import behind
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
    """Observe, plan and guard; what the plan takes something away for is looked at twice.

    Raises ObservationError or MisfitError where no plan can be made.
    """
    check_place(this.settings)
    observer = Observer(this.readers, this.settings, this.budget)
    if request.scope is None:
        world = observer.everything()
    else:
        world = observer.scoped(request.scope, observer.described(request.scope))
    looked_at = world.instances.keys() | world.absent | (world.scope or frozenset())
    seen_twice, asked_for = frozenset[str](), frozenset[str]()
    while True:
        wanted = guard(plan(world, this.settings), world, this.settings, force=request.force)
        machines, meetings = at_stake(wanted) - seen_twice, ending(wanted) - asked_for
        if not (machines or meetings):
            return world, wanted
        world = observer.again(world, machines, meetings)
        seen_twice, looked_at = seen_twice | (machines & looked_at), looked_at | machines
        asked_for |= meetings


def check_place(settings: Settings) -> None:
    """Raises MisfitError where OWNER_ID names another account or region than those that are looked at."""
    if settings.names_another_place:
        raise MisfitError(
            f"OWNER_ID {settings.owner_id} names another account or region than {settings.place}, which is looked at.",
            "Correct AWS_REGION, AWS_PROFILE or OWNER_ID; nothing was planned.",
        )


def reconcile(
    request: Request,
    this: Pass,
    on_plan: Callable[[Report], None] = lambda _: None,
    on_result: Callable[[Result], None] = lambda _: None,
    decide: Decide = decide,
) -> Report:
    """Decide, and apply when asked; machines whose events are ahead of EC2's answers get a pass of their own, later.

    ``on_plan`` sees the plan before anything is done; ``on_result`` sees each change's end as it comes.

    Raises ObservationError or MisfitError before a plan is made (then with the report of what an earlier one has
    done), and PlanChangedError where the plan is no longer the one that ``request.expect`` names. How single changes
    ended is in the report.
    """
    report, ahead = _one_pass(request, this, on_plan, on_result, decide)
    observer = Observer(this.readers, this.settings, this.budget)
    try:
        for scope in observer.catching_up(ahead, request.heard) if request.mode is Mode.APPLY else ():
            rest = replace(request, scope=scope, heard={}, findings=())
            later, _ = _one_pass(rest, this, lambda _: None, on_result, decide)
            report = report.joined(later)
    except WatchdogError as error:
        error.report = report.shortened()
        raise
    return report.shortened()


def _one_pass(
    request: Request,
    this: Pass,
    on_plan: Callable[[Report], None],
    on_result: Callable[[Result], None],
    decide: Decide,
) -> tuple[Report, frozenset[str]]:
    """The pass, and the machines that it has left out since EC2 does not show yet what their events say."""
    started_at = this.budget.clock.now()
    world, wanted = decide(request, this)
    ahead = behind(world, request.heard)
    wanted = replace(wanted, changes=tuple(change for change in wanted.changes if change.instance not in ahead))
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
        return preview, ahead
    on_plan(preview.shortened())
    applied = apply(wanted, world, this.settings, this.readers, this.writers, this.budget, on_result)
    return report(Mode.APPLY, applied), ahead
