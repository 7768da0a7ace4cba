"""Is the world right? What must be true after a clean pass, by sections 2 to 5 of the rules. One function a promise."""

from collections.abc import Iterator

from controller.settings import Settings
from tests.support.spec import sight as spec
from tests.support.spec.sight import Sight
from tests.support.state import Row, State


def wrongs(state: State, settings: Settings) -> list[str]:
    """Everything that is not as the rules want it, as sentences."""
    sight = Sight.of(state, settings)
    found = [sentence for instance in _names(sight) for sentence in _at_name(sight, instance)]
    for meeting, row in live_rows(sight):
        for judge in (link_leads_to_current, status_follows_the_link, no_link_is_dead, an_ended_meeting_is_terminated):
            found += judge(sight, meeting, row)
    return found


def live_rows(sight: Sight) -> list[tuple[str, Row]]:
    """All but history."""
    return [(meeting, row) for meeting, row in sight.rows.items() if row.get("status") != "TERMINATED"]


def takes_two_passes(state: State, settings: Settings) -> bool:
    """Whether one pass cannot make it right.

    Dead links go before an end by absence, and what a row names is looked at only from when the row is live.
    """
    sight = Sight.of(state, settings)
    rows = live_rows(sight)
    is_late = any(spec.is_over(sight, m, row) and spec.waits_for_dead_links(sight, m, row) for m, row in rows)
    begun = [row for m, row in rows if _is_to_be_live(sight, m, row)]
    return is_late or any(not spec.names_of(row, settings) <= sight.instances.keys() for row in begun)


def _is_to_be_live(sight: Sight, meeting: str, row: Row) -> bool:
    """Whether its status is one of a row that has not begun, and a machine serves it."""
    currents = (spec.current(sight, meeting, row, role) for role in sight.settings.roles)
    return row.get("status") in spec.EARLY and row.get("status") not in spec.LIVE and any(currents)


def _names(sight: Sight) -> list[str]:
    return sorted({record.instance for record in sight.records} | set(sight.instances))


def _at_name(sight: Sight, instance: str) -> Iterator[str]:
    cls = spec.class_of(sight, instance)
    judge = serving_has_one_right_record if cls == spec.SERVING else no_record_of_ours_outlives_its_evidence
    yield from (f"{instance} is {cls}: {sentence}" for sentence in judge(sight, instance))


def serving_has_one_right_record(sight: Sight, instance: str) -> Iterator[str]:
    """Exactly one A record: content = public IPv4, proxied, our owner mark; no own record beside another's twin."""
    ours = sight.ours_at(instance)
    right = [record for record in ours if spec.is_right(record, sight)]
    others = [record for record in sight.at(instance) if record not in ours]
    if not spec.is_routable_machine(sight, instance):
        yield from no_record_of_ours_outlives_its_evidence(sight, instance)
    elif spec.forbids_a_record(sight, instance):
        if ours != right or len(right) > 1:
            yield f"beside a record that is not ours, ours is not fixed: {ours}"
    elif len(right) != 1 or ours != right or any(spec.has_its_address(sight, record) for record in others):
        yield f"not exactly one right record: {sight.at(instance)}"


def no_record_of_ours_outlives_its_evidence(sight: Sight, instance: str) -> Iterator[str]:
    """What goes by the table of evidence has gone."""
    for record in sight.ours_at(instance):
        if spec.record_goes(sight, record):
            yield f"a record that should go: {record}"


def link_leads_to_current(sight: Sight, meeting: str, row: Row) -> Iterator[str]:
    """The role's link names the current instance, once its name leads there and nowhere else."""
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
    return instance is not None and spec.leads_to_it_alone(sight, instance)


def no_link_is_dead(sight: Sight, meeting: str, row: Row) -> Iterator[str]:
    """No link of our shape names a machine that was seen stopped or gone, or a stranger's."""
    for role, there in spec.dead_links(sight, meeting, row).items():
        yield f"{meeting}: the link of {role} names {there}, which is {spec.class_of(sight, there)}"


def an_ended_meeting_is_terminated(sight: Sight, meeting: str, row: Row) -> Iterator[str]:
    """Every member is gone: the meeting is TERMINATED."""
    if spec.is_over(sight, meeting, row):
        yield f"{meeting}: every machine is gone, and the status is {row.get('status')}"
