"""Taking a deployment down: every record with its mark goes, whatever its machine does.

What is not marked by this very deployment stays, also with ``ADOPT_UNMARKED``: nothing shows that it was made here.
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
    """The zone's records at machines' names, and the deletion of all that are ours. Rows are not even read.

    Raises ObservationError where the listing is not whole, MismatchError where OWNER_ID names another place, or where
    nothing is ours and other owners' records are there: then OWNER_ID may be the wrong one.
    """
    check_place(context.settings)
    world = Observer(context.readers, context.settings, context.budget).names()
    ours = [record for record in world.records if record.type == "A" and has_our_mark(record, context.settings)]
    if not ours:
        _check_others(world.records, context.settings)
    doomed = sorted(ours, key=lambda record: (record.name, record.id))
    return world, Plan(tuple(_delete(record) for record in doomed), world.findings)


def _check_others(records: Iterable[DnsRecord], settings: Settings) -> None:
    marks = (r.comment.removeprefix(MARK_PREFIX) for r in records if r.comment.startswith(MARK_PREFIX))
    counts = Counter(mark.partition(" ")[0] or "(no owner)" for mark in marks)
    if counts:
        owners = (f"  {owner}: {count:,}" for owner, count in sorted(counts.items()))
        first = (
            f"No record under {settings.domain_root} carries the mark of {settings.owner_id}. Other owners' records:"
        )
        raise MismatchError(
            "\n".join([first, *owners]),
            "If one of these is meant, run it with that OWNER_ID (and its region). Nothing was deleted.",
        )


def lead_to_machines_that_are_up(doomed: Iterable[Result], fleet: Fleet) -> int:
    """How many of the records that go lead to a machine that is up: somebody may be using it. Raises CallError."""
    changes = [result.change for result in doomed]
    ids = {change.instance for change in changes if change.instance}
    machines = {machine.id: machine for machine in fleet.by_id(ids)} if ids else {}
    return sum(_leads_there(machines.get(change.instance or ""), dict(change.before)["content"]) for change in changes)


def _leads_there(machine: Instance | None, content: object) -> bool:
    """Whether the machine is up and has this address, or none that EC2 shows: then it may be the one."""
    is_up = machine is not None and machine.state in ("pending", "running")
    return machine is not None and is_up and machine.public_ip in (None, content)


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
