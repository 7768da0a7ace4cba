"""Answer requests below ``/zones/{zone_id}/dns_records`` (Cloudflare API reference: DNS Records)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from controller.sandbox.cloudflare.batch import lists_of, run_batch, shown, size_of
from controller.sandbox.cloudflare.budget import Budget
from controller.sandbox.cloudflare.envelope import body_of, success
from controller.sandbox.cloudflare.errors import error
from controller.sandbox.cloudflare.exchange import Reply, Request
from controller.sandbox.cloudflare.export import bind_file
from controller.sandbox.cloudflare.listing import page_of
from controller.sandbox.cloudflare.tokens import Permission
from controller.sandbox.cloudflare.zone import Zone


@dataclass(frozen=True, slots=True)
class Call:
    """One authorised request to the records of a zone; ``record_id`` is empty for the collection."""

    request: Request
    zone: Zone
    budget: Budget
    record_id: str = ""

    def done(self, result: object) -> Reply:
        """Answer a call that succeeded."""
        return success(result, self.zone.quirks)


def list_records(call: Call) -> Reply:
    """Return one page of the records that fit the filters."""
    query = call.request.query
    records = call.zone.listing(goes_on=query.get("page") not in ("", "0", "1"))
    page = page_of(records, query, call.zone.quirks, call.zone.listings)
    shown = [record.to_json() for record in page.records]
    return success(shown or (None if call.zone.quirks.null_for_empty else []), call.zone.quirks, page.info)


def create(call: Call) -> Reply:
    """Add a record. Cloudflare answers 200, not 201."""
    body = body_of(call.request)
    with call.zone.transaction(call.request.number):
        return call.done(call.zone.create(body).to_json())


def run(call: Call) -> Reply:
    """Apply all changes of a batch, or none."""
    lists = lists_of(body_of(call.request))
    if call.zone.quirks.batch_costs_each:
        call.budget.spend(max(0, size_of(lists) - 1))
    with call.zone.transaction(call.request.number):
        results = run_batch(call.zone, lists)
    return call.done(shown(results, call.zone))


def usage(call: Call) -> Reply:
    """Return how many records there are and how many are allowed."""
    quota = None if call.zone.quirks.account_wide_quota else call.zone.quota
    return call.done({"record_quota": quota, "record_usage": len(call.zone)})


def export(call: Call) -> Reply:
    """Return the zone as text."""
    return Reply.text(200, bind_file(call.zone.name, call.zone.records()))


def refuse_import(_: Call) -> Reply:
    """Refuse to import: it only adds records, so no reconciling client needs it."""
    raise error(7000, "The sandbox does not import zone files.", status=501)


def get(call: Call) -> Reply:
    """Return one record."""
    return call.done(call.zone.get(call.record_id).to_json())


def replace(call: Call) -> Reply:
    """Overwrite a record."""
    body = body_of(call.request)
    with call.zone.transaction(call.request.number):
        return call.done(call.zone.replace(call.record_id, body).to_json())


def change(call: Call) -> Reply:
    """Change some fields of a record."""
    body = body_of(call.request)
    with call.zone.transaction(call.request.number):
        return call.done(call.zone.change(call.record_id, body).to_json())


def delete(call: Call) -> Reply:
    """Delete a record. A body is ignored: the SDK sends none, the schema of 2024 asks for one."""
    with call.zone.transaction(call.request.number):
        return call.done({"id": call.zone.delete(call.record_id).id})


Route = tuple[Permission, Callable[[Call], Reply]]
COLLECTION: Mapping[tuple[str, str], Route] = {
    ("GET", ""): (Permission.DNS_READ, list_records),
    ("POST", ""): (Permission.DNS_WRITE, create),
    ("POST", "batch"): (Permission.DNS_WRITE, run),
    ("GET", "usage"): (Permission.DNS_READ, usage),
    ("GET", "export"): (Permission.DNS_READ, export),
    ("POST", "import"): (Permission.DNS_WRITE, refuse_import),
}
ITEM: Mapping[str, Route] = {
    "GET": (Permission.DNS_READ, get),
    "PUT": (Permission.DNS_WRITE, replace),
    "PATCH": (Permission.DNS_WRITE, change),
    "DELETE": (Permission.DNS_WRITE, delete),
}
