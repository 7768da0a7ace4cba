"""Taking a deployment down: every record with its mark goes, whatever its machine does.

What is not marked by this very deployment stays, also with ``ADOPT_UNMARKED``: nothing shows that it was made here.
"""

from controller.model import Action, Change, DnsRecord, Plan, RecordWrite, World
from controller.observe import Observer
from controller.reconcile import Pass
from controller.request import Request
from controller.rules.ownership import is_marked


def decide(_: Request, this: Pass) -> tuple[World, Plan]:
    """The zone's records at machines' names, and the deletion of all that are ours. Rows are not even read.

    Raises ObservationError where the listing is not whole.
    """
    world = Observer(this.readers, this.settings, this.budget).names()
    ours = [record for record in world.records if record.type == "A" and is_marked(record.comment, this.settings.mark)]
    doomed = sorted(ours, key=lambda record: (record.name, record.id))
    return world, Plan(tuple(_delete(record) for record in doomed), world.findings)


def _delete(record: DnsRecord) -> Change:
    return Change(
        action=Action.DELETE_RECORD,
        key=record.name,
        instance=record.instance,
        meeting=None,
        role=None,
        before=(("content", record.content), ("proxied", record.proxied), ("comment", record.comment)),
        after=(),
        reason="the deployment is taken down",
        rule="retire",
        record=RecordWrite(record.id, record.name, None, None),
    )
