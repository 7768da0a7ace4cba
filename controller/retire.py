"""Take a deployment down: delete every record with its mark, in whatever state the machine is.

A record without this deployment's mark stays, also with ``ADOPT_UNMARKED``: nothing shows who created it.
"""

from collections import Counter
from collections.abc import Iterable

from controller.errors import MismatchError
from controller.model import DeleteRecord, DnsRecord, Instance, Plan, Request, Result, World
from controller.observe import Observer
from controller.ports import Context, Fleet
from controller.reconcile import check_place
from controller.rules.ownership import has_our_mark
from controller.rules.records import shown
from controller.settings import MARK_PREFIX, Settings


def decide(_: Request, context: Context) -> tuple[World, Plan]:
    """Return the records at machines' names, and a plan that deletes all own ones. Rows are not read.

    Raises ObservationError if the listing is not complete. Raises MismatchError if OWNER_ID names another place, or if
    there are only records of other owners: then OWNER_ID may be wrong.
    """
    check_place(context.settings)
    world = Observer(context.readers, context.settings, context.budget).names()
    ours = [record for record in world.records if record.type == "A" and has_our_mark(record, context.settings)]
    if not ours:
        _check_others(world.records, context.settings)
    deletable = sorted(ours, key=lambda record: (record.name, record.id))
    return world, Plan(tuple(_delete(record) for record in deletable), world.findings)


def _check_others(records: Iterable[DnsRecord], settings: Settings) -> None:
    marks = (r.comment.removeprefix(MARK_PREFIX) for r in records if r.comment.startswith(MARK_PREFIX))
    counts = Counter(mark.partition(" ")[0] or "(no owner)" for mark in marks)
    if counts:
        owners = (f"  {owner}: {count:,}" for owner, count in sorted(counts.items()))
        own = owner_to_type(settings)
        first = f"No record under {settings.domain_root} carries the mark of {own}. Records of other owners:"
        raise MismatchError(
            "\n".join([first, *owners]),
            f"To retire one of these, set {'CELLS to it' if settings.cells else 'its OWNER_ID and region'}. "
            "Nothing was deleted.",
        )


def owner_to_type(settings: Settings) -> str:
    """Return the owners in the marks of the records that are deleted: the owner id, or the cells as in CELLS."""
    return ",".join(settings.cells) or settings.owner_id or ""


def lead_to_machines_that_are_up(deletes: Iterable[Result], fleet: Fleet) -> Counter[str | None]:
    """Count by cell the records in the plan that lead to a machine that is up, because users may be on it.

    Raises CallError.
    """
    changes = [result.change for result in deletes]
    ids = {change.instance for change in changes if change.instance}
    machines = {machine.id: machine for machine in fleet.by_id(ids)} if ids else {}
    there = ((machines.get(change.instance or ""), dict(change.before)["content"]) for change in changes)
    return Counter(machine.cell for machine, content in there if machine and _leads_there(machine, content))


def _leads_there(machine: Instance, content: object) -> bool:
    """Return whether the machine is up and has this address, or an address that EC2 does not show yet."""
    return machine.state in ("pending", "running") and machine.public_ip in (None, content)


def _delete(record: DnsRecord) -> DeleteRecord:
    return DeleteRecord(
        id=record.id,
        name=record.name,
        instance=record.instance,
        meeting=None,
        role=None,
        before=shown(record),
        after=(),
        reason="the deployment is taken down",
        rule="retire",
    )
