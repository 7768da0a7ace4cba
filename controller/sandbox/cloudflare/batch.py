"""Apply many changes in one request (Cloudflare docs: batch-record-changes).

Whatever their order in the body, deletes run first, then patches, puts and posts. All of them apply or none. The
first refusal is the answer, and it does not say which change was refused.
"""

from collections.abc import Callable, Mapping

from controller.sandbox.cloudflare.errors import ApiError, body_error, error
from controller.sandbox.cloudflare.records import Record
from controller.sandbox.cloudflare.zone import Zone

Change = Mapping[str, object]
Lists = Mapping[str, list[Change]]

ORDER = ("deletes", "patches", "puts", "posts")


def lists_of(body: object) -> dict[str, list[Change]]:
    """Return the lists in the body, in the order in which they run."""
    if not isinstance(body, dict):
        raise body_error()
    sent = {name: body[name] for name in ORDER if body.get(name) is not None}
    for name, changes in sent.items():
        if not isinstance(changes, list) or not all(isinstance(change, dict) for change in changes):
            raise body_error(f"{name} must be an array of objects.")
    return sent


def size_of(lists: Lists) -> int:
    """Return the number of changes in all lists, which the limit counts."""
    return sum(len(changes) for changes in lists.values())


def run_batch(zone: Zone, lists: Lists) -> dict[str, list[Record]]:
    """Apply the changes inside the caller's transaction. Return complete records, deleted ones included."""
    _check_size(zone, size_of(lists))
    steps: Mapping[str, Callable[[Change], Record]] = {
        "deletes": lambda change: zone.delete(change.get("id")),
        "patches": lambda change: zone.change(change.get("id"), change),
        "puts": lambda change: zone.replace(change.get("id"), change),
        "posts": zone.create,
    }
    try:
        return {name: [steps[name](change) for change in changes] for name, changes in lists.items()}
    except ApiError as refusal:
        if refusal.code == 81044:
            refusal.status = zone.quirks.batch_unknown_id_status
        raise


def shown(results: Mapping[str, list[Record]], zone: Zone) -> dict[str, object]:
    """Return the ``result`` of the envelope. How Cloudflare shows a list that was not sent is uncertain."""
    sent: dict[str, object] = {name: [record.to_json() for record in done] for name, done in results.items()}
    match zone.quirks.batch_absent_list:
        case "missing":
            return sent
        case "empty":
            return {name: sent.get(name, []) for name in ORDER}
        case "null":
            return {name: sent.get(name) for name in ORDER}


def _check_size(zone: Zone, size: int) -> None:
    if not size and zone.quirks.batch_empty_refused:
        raise body_error("The batch has no changes.")
    if size > zone.plan.batch:
        text = f"The batch has {size} changes, exceeding the limit of {zone.plan.batch}."
        raise error(zone.quirks.batch_limit_code, text, status=400)
