"""Find a zone with little room for more records, as far as a pass knows its limit and what it holds."""

from collections.abc import Iterable

from controller.model import Change, CreateRecord, DeleteRecord, Finding, World

#: Share of the zone's quota of records from which on somebody should look.
NEARLY_FULL = 0.8


def find_nearly_full(world: World, changes: Iterable[Change]) -> Iterable[Finding]:
    """Yield a finding if the zone is nearly full once these changes are applied.

    The zone may hold more than the pass sees, never less. Where its limit was not read, yield nothing.
    """
    quota = world.zone.quota
    if world.scope is not None or quota is None:
        return
    changes = list(changes)
    created = sum(isinstance(change, CreateRecord) for change in changes)
    deleted = sum(isinstance(change, DeleteRecord) for change in changes)
    needed = world.zone.records + created - deleted
    if needed >= NEARLY_FULL * quota:
        yield Finding(
            "zone-nearly-full",
            "zone",
            f"After this pass the zone has at least {needed:,} records, and its plan allows {quota:,}.",
            "Delete records that nobody needs, or take a larger Cloudflare plan: a full zone refuses new machines.",
        )
