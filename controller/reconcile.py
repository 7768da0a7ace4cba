"""Run one pass: observe the world, plan, guard, and only then apply. Read this module first.

An event narrows what the pass reads (``request.scope``). The decision does not depend on what woke the controller.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from controller.apply.execute import apply
from controller.errors import MismatchError, PlanChangedError, WatchdogError
from controller.model import Applied, Finding, Mode, Plan, Request, World
from controller.observe import Observer, homes_of
from controller.ports import Context, Listener
from controller.report.report import CellSeen, Report, digest_of, planned_results
from controller.rules.guards import guard
from controller.rules.plan import at_stake, ending, plan
from controller.rules.scope import behind, in_cells
from controller.rules.verify import agreeing, without
from controller.settings import Settings

Decide = Callable[[Request, Context], tuple[World, Plan]]
SILENT = Listener()
#: How often an instance is described again until two answers in a row agree.
LOOKS = 3


def decide(request: Request, context: Context) -> tuple[World, Plan]:
    """Observe, plan and guard. Take something away only on two answers of EC2 in a row that agree.

    If answers about an instance keep contradicting each other, the plan treats it as unknown.

    Raises ObservationError or MismatchError if nothing can be planned.
    """
    check_place(context.settings)
    observer = Observer(context.readers, context.settings, context.budget)
    if request.scope is None:
        world = observer.everything()
    else:
        scope = in_cells(request.scope, request.homes, context.settings)
        world = observer.scoped(scope, observer.described(scope, request.homes))
    looked_at = world.instances.keys() | world.absent | (world.scope or frozenset())
    settled, asked_for, looks = frozenset[str](), frozenset[str](), Counter[str]()
    while True:
        wanted = guard(plan(world, context.settings), world, context.settings, force=request.force)
        machines, meetings = at_stake(wanted) - settled, ending(wanted) - asked_for
        if not (machines or meetings):
            return world, wanted
        before, world = world, observer.again(world, machines, meetings)
        agreed = agreeing(before, world, settled | (machines & looked_at), context.settings)
        looks.update(machines)
        doubtful = frozenset(instance for instance in machines - agreed if looks[instance] == LOOKS)
        world, settled = without(world, doubtful), agreed | doubtful
        looked_at, asked_for = looked_at | machines, asked_for | meetings


def check_place(settings: Settings) -> None:
    """Raise MismatchError if OWNER_ID names another account or region than the pass reads."""
    if settings.names_another_place:
        raise MismatchError(
            f"OWNER_ID {settings.owner_id} names another account or region than {settings.place}, read by this pass.",
            "Correct AWS_REGION, AWS_PROFILE or OWNER_ID. Nothing was planned.",
        )


def reconcile(request: Request, context: Context, listener: Listener = SILENT, decide: Decide = decide) -> Report:
    """Run a pass and return its report. A later pass of its own covers machines with events ahead of EC2's answers.

    Raises ObservationError or MismatchError if nothing can be planned, with the report of an earlier pass if there was
    one. Raises PlanChangedError if the plan is no longer the one that ``request.expect`` names. The report says how
    each change ended.
    """
    report, ahead, world = _one_pass(request, context, listener, decide)
    observer = Observer(context.readers, context.settings, context.budget)
    try:
        for scope in observer.catching_up(ahead, request) if request.mode is Mode.APPLY else ():
            rest = replace(request, scope=scope, heard={}, findings=())
            later, *_ = _one_pass(rest, context, listener, decide)
            report = report.joined(later)
    except WatchdogError as error:
        error.report = report.shortened()
        raise
    is_counted = request.mode is Mode.APPLY or request.is_scheduled
    if context.probe and report.is_full and is_counted:
        report = context.probe.added(report, world, context.budget)
    return report.shortened()


def _one_pass(
    request: Request, context: Context, listener: Listener, decide: Decide
) -> tuple[Report, frozenset[str], World]:
    """Return the report, the machines left out because EC2 does not show yet what their events say, and the world."""
    started_at = context.budget.clock.now()
    world, wanted = decide(request, context)
    ahead = behind(world, request.heard, request.homes)
    wanted = replace(wanted, changes=tuple(change for change in wanted.changes if change.instance not in ahead))
    homes = homes_of(world, context.settings)
    if request.cells is not None:
        from controller.rules.cells import restrict_to  # the command line alone asks for it

        homes = homes or dict.fromkeys(world.instances, context.settings.place or "")
        wanted = restrict_to(request.cells, wanted, world, homes, context.settings)
    scope, only = _sorted(request.scope), _sorted(request.cells)
    digest = digest_of(wanted, context.target, scope, only)

    def report(mode: Mode, applied: Applied) -> Report:
        return Report(
            mode=mode,
            scope=scope,
            target=context.target,
            started_at=started_at,
            duration_ms=round(context.budget.elapsed() * 1000),
            observed=(len(world.instances), len(world.records), len(world.meetings)),
            digest=digest,
            results=applied.results,
            findings=(*request.findings, *_strangers(request, context), *wanted.findings, *applied.findings),
            guard=wanted.guard,
            calls=context.budget.calls(),
            cells=_cells(world, context),  # one may have failed while the changes were applied
            homes=homes,
            only_cells=only,
        )

    if request.expect not in (None, digest):
        raise PlanChangedError(
            f"The plan changed: reviewed was {request.expect}, now it is {digest}.",
            "Nothing was done. Review the new plan (elephant-dns plan) and apply it.",
        )
    preview = report(Mode.PLAN, Applied(planned_results(wanted)))
    if request.mode is Mode.PLAN or context.writers is None:
        return preview, ahead, world
    listener.on_plan(preview.shortened())
    applied = apply(wanted, world, context, context.writers, listener)
    return report(Mode.APPLY, applied), ahead, world


def _sorted(names: frozenset[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(sorted(names))


def _strangers(request: Request, context: Context) -> list[Finding]:
    """Return findings about events of a place that is not one of the cells: a rule that was left behind there.

    The hub's own rules hear its own machines, too, also where it is not a cell.
    """
    cells, hub = context.settings.cells, context.settings.place
    strange = sorted(home for home in set(request.homes.values()) if cells and home not in (*cells, hub))
    return [
        Finding(
            "event-of-unknown-cell",
            home,
            f"An event came from {home}, which is not one of CELLS. Nothing was done for it.",
            "Add the cell to CELLS, or delete the rule there that forwards its events.",
        )
        for home in strange
    ]


def _cells(world: World, context: Context) -> tuple[CellSeen, ...]:
    """Return the places with machines: all cells, or the deployment's own."""
    target, errors = context.target, context.readers.unread()
    if not context.settings.cells:
        return (CellSeen(target.account, target.region, len(world.instances)),)
    seen = Counter(machine.cell for machine in world.instances.values())
    places = ((cell, *cell.partition("/")[::2]) for cell in context.settings.cells)
    return tuple(
        CellSeen(account, region, seen[cell], errors[cell].message if cell in errors else None)
        for cell, account, region in places
    )
