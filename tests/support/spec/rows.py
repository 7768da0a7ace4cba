"""Was each write to a row allowed? By sections 3, 5 and 9 of the rules. One function a promise.

A row's write is conditional, so that its status, id and links are judged by what was true at that very moment; the
machines and records by what the pass saw.
"""

from collections.abc import Iterator

from controller.model import Value
from tests.support.journal import Write
from tests.support.spec import sight as spec
from tests.support.spec.sight import Sight
from tests.support.state import Row


def judge_row_write(event: Write, sight: Sight) -> Iterator[str]:
    """Everything that was wrong with this update."""
    meeting = event.key
    before, after = event.before.rows.get(meeting), event.after.rows.get(meeting)
    if before is None or after is None:
        yield f"{meeting}: {'a phantom row' if after else 'the row was removed'}"
        return
    for promise in (history_is_never_written, status_is_monotonic, only_our_attributes_are_written):
        yield from (f"{meeting}: {wrong}" for wrong in promise(sight, before, after))
    for role in sight.settings.roles:
        yield from (f"{meeting}: {wrong}" for wrong in _link_of(role, sight, meeting, before, after))
    if before.get("status") != "TERMINATED" and after.get("status") == "TERMINATED":
        yield from (f"{meeting}: {wrong}" for wrong in _terminated(sight, meeting, before, after))
    if before.get("status") != "DNS_WRITTEN" and after.get("status") == "DNS_WRITTEN":
        yield from (f"{meeting}: {wrong}" for wrong in _moved_on(sight, meeting, after))


def history_is_never_written(sight: Sight, before: Row, after: Row) -> Iterator[str]:
    if before.get("status") == "TERMINATED":
        yield "TERMINATED is history, and it was written"


def status_is_monotonic(sight: Sight, before: Row, after: Row) -> Iterator[str]:
    """Early statuses become DNS_WRITTEN, live ones TERMINATED; nothing else ever changes."""
    old, new = before.get("status"), after.get("status")
    if old == new:
        return
    if not ((old in spec.EARLY and new == "DNS_WRITTEN") or (old in spec.LIVE and new == "TERMINATED")):
        yield f"status {old} became {new}"


def only_our_attributes_are_written(sight: Sight, before: Row, after: Row) -> Iterator[str]:
    ours = {"status", "termination_reason", *(f"{role}_ec2_link" for role in sight.settings.roles)}
    for name in before.keys() | after.keys():
        if before.get(name) != after.get(name) and name not in ours:
            yield f"{name} is not ours to write"
    if before.get("termination_reason") != after.get("termination_reason") and after.get("status") != "TERMINATED":
        yield "a termination_reason without a termination"


def _link_of(role: str, sight: Sight, meeting: str, before: Row, after: Row) -> Iterator[str]:
    link = f"{role}_ec2_link"
    old, new = before.get(link), after.get(link)
    if new is None and old is not None:
        yield from _removed(role, sight, meeting, before, after)
    elif new != old:
        yield from _written(role, sight, meeting, before, new)
        if before.get("status") in spec.EARLY and after.get("status") != "DNS_WRITTEN":
            yield f"the link of {role} was written, and the status stayed {after.get('status')}"


def _written(role: str, sight: Sight, meeting: str, before: Row, new: Value) -> Iterator[str]:
    """A link is right, leads to this role's current machine, and its name leads there and nowhere else.

    The write's condition names the role's id and not its link, which may be another hand's since it was read.
    """
    attribute = f"{role}_ec2_link"
    as_read = {**before, attribute: sight.rows.get(meeting, before).get(attribute)}
    target = next((i for i in sight.instances if new == spec.link_to(i, sight.settings)), None)
    if target is None:
        yield f"the link of {role} became {new}"
    elif target not in (wanted := {spec.current(sight, meeting, row, role) for row in (before, as_read)}):
        yield f"the link of {role} leads to {target}, and current is {wanted}"
    elif not spec.leads_to_it_alone(sight, target):
        yield f"the link of {role} was written, and its name does not lead there alone: {sight.at(target)}"


def _removed(role: str, sight: Sight, meeting: str, before: Row, after: Row) -> Iterator[str]:
    """Only a link of our shape that goes is removed, or that of a meeting that is over."""
    there = spec.linked(before, role, sight.settings)
    if there is None:
        yield f"a link of another shape was removed: {before.get(f'{role}_ec2_link')}"
    elif after.get("status") != "TERMINATED" and not spec.link_goes(sight, there, meeting, role):
        yield f"the link of {role} to {there} was removed, which is {spec.class_of(sight, there)}"


def _terminated(sight: Sight, meeting: str, before: Row, after: Row) -> Iterator[str]:
    """Every member is gone, as far as this pass has seen; links go and a reason stays, in one write."""
    if not spec.is_over(sight, meeting, before):
        classes = {i: spec.class_of(sight, i) for i in sorted(spec.members(sight, meeting, before))}
        yield f"terminated, and it was not over: {classes}"
    if spec.waits_for_dead_links(sight, meeting, before):
        yield "terminated on absence before its dead links were removed"
    if spec.links_of(after, sight.settings):
        yield "terminated with a link left"
    if after.get("termination_reason") != before.get("termination_reason", "INSTANCES_GONE"):
        yield f"terminated with the reason {after.get('termination_reason')}"


def _moved_on(sight: Sight, meeting: str, row: Row) -> Iterator[str]:
    """DNS_WRITTEN says that some role's link leads to its current machine."""
    for role in sight.settings.roles:
        wanted = spec.current(sight, meeting, row, role)
        is_linked = wanted and row.get(f"{role}_ec2_link") == spec.link_to(wanted, sight.settings)
        if wanted and is_linked and spec.leads_to_it_alone(sight, wanted):
            return
    yield "DNS_WRITTEN, and no role's link leads to its machine"
