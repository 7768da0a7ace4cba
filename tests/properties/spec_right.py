"""Is the world right? What must be true after a clean pass, by sections 2 to 4 of the rules. One function a promise."""

from collections.abc import Callable, Iterator

from controller.settings import Settings
from tests.properties import owners, spec
from tests.properties.spec import Sight
from tests.properties.state import Row, State


def wrongs(state: State, settings: Settings) -> list[str]:
    """Everything that is not as the rules want it, as sentences."""
    sight = Sight.of(state, settings)
    found = [sentence for instance in _names(sight) for sentence in _at_name(sight, instance)]
    for meeting, row in sight.rows.items():
        for judge in (link_leads_to_current, status_follows_the_link, no_link_is_dead, an_ended_meeting_is_terminated):
            found += judge(sight, meeting, row)
    return found


def _names(sight: Sight) -> list[str]:
    return sorted({record.instance for record in sight.records} | set(sight.instances))


def _at_name(sight: Sight, instance: str) -> Iterator[str]:
    cls = spec.class_of(sight, instance)
    wanted = _WANTED[cls]
    yield from (f"{instance} is {cls}: {sentence}" for sentence in wanted(sight, instance))


def serving_has_one_right_record(sight: Sight, instance: str) -> Iterator[str]:
    """Exactly one A record: content = public IPv4, proxied, our owner mark."""
    ours = [r for r in sight.at(instance) if owners.is_ours(r, sight.settings)]
    right = [r for r in ours if spec.is_right(r, sight, instance)]
    if not spec.is_routable_machine(sight, instance):
        yield from no_other_address_is_ours(sight, instance)
    elif spec.is_blocked(sight, instance):
        if ours != right or len(right) > 1:
            yield f"beside a record that is not ours, ours is not mended: {ours}"
    elif len(right) != 1 or ours != right:
        yield f"not exactly one right record: {sight.at(instance)}"


def no_other_address_is_ours(sight: Sight, instance: str) -> Iterator[str]:
    """A record of ours whose address the instance does not have is deleted."""
    for record in sight.at(instance):
        if owners.is_ours(record, sight.settings) and not _has(sight, instance, record.content):
            yield f"an address that it does not have: {record}"


def _has(sight: Sight, instance: str, content: str) -> bool:
    return owners.same_address(content, spec.address_of(sight, instance))


def nothing_is_ours(sight: Sight, instance: str) -> Iterator[str]:
    """No A record of ours."""
    for record in sight.at(instance):
        if owners.is_ours(record, sight.settings):
            yield f"a record that outlives it: {record}"


def nothing_old_is_ours(sight: Sight, instance: str) -> Iterator[str]:
    """Absent counts as gone for a record only when the record is older than the grace period."""
    for record in sight.at(instance):
        if owners.is_ours(record, sight.settings) and spec.is_old(record, sight):
            yield f"an old record that outlives it: {record}"


def nothing_is_wanted(sight: Sight, instance: str) -> Iterator[str]:
    """What is not known to be alive or gone is left as it is."""
    yield from ()


_WANTED: dict[str, Callable[[Sight, str], Iterator[str]]] = {
    spec.SERVING: serving_has_one_right_record,
    spec.STARTING: no_other_address_is_ours,
    spec.STOPPED: nothing_is_ours,
    spec.GONE: nothing_is_ours,
    spec.ABSENT: nothing_old_is_ours,
    spec.UNTAGGED: nothing_is_ours,
    spec.UNCLAIMED: nothing_is_ours,
    spec.UNKNOWN: nothing_is_wanted,
}


def link_leads_to_current(sight: Sight, meeting: str, row: Row) -> Iterator[str]:
    """The role's link names the current instance, once its record is in place."""
    for role in sight.settings.roles:
        wanted = spec.current(sight, meeting, row, role)
        if wanted is None or not _is_to_be_linked(sight, wanted):
            continue
        if row.get(f"{role}_ec2_link") != spec.link_to(wanted, sight.settings):
            yield f"{meeting}: the link of {role} is {row.get(f'{role}_ec2_link')}, not to {wanted}"


def status_follows_the_link(sight: Sight, meeting: str, row: Row) -> Iterator[str]:
    """An early status is DNS_WRITTEN where a current instance's link is written."""
    if row.get("status") in spec.EARLY:
        for role in sight.settings.roles:
            if _is_to_be_linked(sight, spec.current(sight, meeting, row, role)):
                yield f"{meeting}: {role} is linked, and the status is still {row.get('status')}"


def _is_to_be_linked(sight: Sight, instance: str | None) -> bool:
    return instance is not None and spec.is_routable_machine(sight, instance) and not spec.is_blocked(sight, instance)


def no_link_is_dead(sight: Sight, meeting: str, row: Row) -> Iterator[str]:
    """No link of our shape names a machine that is gone, or a stranger's."""
    for role in sight.settings.roles:
        there = spec.linked(row, role, sight.settings)
        if there and spec.is_dead_for(sight, there, meeting, role, row):
            yield f"{meeting}: the link of {role} names {there}, which is {spec.class_of(sight, there)}"


def an_ended_meeting_is_terminated(sight: Sight, meeting: str, row: Row) -> Iterator[str]:
    """Every member is gone: the meeting is TERMINATED."""
    if spec.is_over(sight, meeting, row):
        yield f"{meeting}: every machine is gone, and the status is {row.get('status')}"
