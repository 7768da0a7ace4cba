"""The specification's vocabulary, sections 1 to 4 of the rules: what things are.

Written from the rules alone. Nothing here may call the planner or its helpers; the only things shared with the
controller are the values of ``controller.model`` and what the settings say.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from controller.model import DnsRecord, Instance, Value
from controller.settings import Settings
from tests.properties import owners
from tests.properties.state import Row, State
from tests.properties.zone import is_routable

EARLY = (None, "PENDING", "SCHEDULED", "LAUNCHED")
LIVE = ("LAUNCHED", "DNS_WRITTEN", "HEALTHY", "IN_PROGRESS")
SEEN_ALIVE = ("DNS_WRITTEN", "HEALTHY", "IN_PROGRESS")
#: Classes of instances that are known to be, or to have been, there.
GONE, ABSENT, STOPPED, UNTAGGED, UNCLAIMED, STARTING, SERVING = (
    "gone", "absent", "stopped", "untagged", "unclaimed", "starting", "serving"
)  # fmt: skip
#: Nobody looked, or EC2 tells of a state that the rules do not name: nothing may be concluded.
UNKNOWN = "unknown"
#: What rests on absence or on a lost tag.
GUARDED = (ABSENT, UNTAGGED, UNCLAIMED)

_ID = re.compile(r"i-([0-9a-f]{8}|[0-9a-f]{17})\Z")
_DAY = re.compile(r"\d{4}-\d\d-\d\d(\Z|[T ])")


def is_id(value: object) -> bool:
    """``i-`` and 8 or 17 lower-case hex digits."""
    return isinstance(value, str) and _ID.match(value) is not None


@dataclass(frozen=True, slots=True)
class Sight:
    """What is known: the truth, or what a pass has seen. An instance that is None is absent: looked up, not found."""

    settings: Settings
    now: datetime
    instances: Mapping[str, Instance | None]
    records: tuple[DnsRecord, ...]
    rows: Mapping[str, Row]
    knows_all: bool = True  # what is not here does not exist
    names_read: frozenset[str] | None = None  # whose record names were read; None: all
    buried: tuple[DnsRecord, ...] = ()  # records seen in this pass and gone since: they still prove that one was there

    @classmethod
    def of(cls, state: State, settings: Settings) -> "Sight":
        """All that is true, and within the index's sight."""
        named = {i.meeting for i in state.instances.values() if i.tagged}
        rows = {
            key: row
            for key, row in state.rows.items()
            if row.get("status") != "TERMINATED"
            and (settings.status_index is None or row.get("status") in LIVE or key in named)
        }
        inside = tuple(r for r in state.records.values() if is_at_a_name_of_ours(r, settings))
        return cls(settings, state.now, state.instances, inside, rows)

    def at(self, instance: str) -> list[DnsRecord]:
        """The records at the instance's name."""
        return [record for record in self.records if record.instance == instance]

    def has_read_name_of(self, instance: str) -> bool:
        return self.names_read is None or instance in self.names_read


def is_at_a_name_of_ours(record: DnsRecord, settings: Settings) -> bool:
    label, _, rest = record.name.partition(".")
    return is_id(label) and rest == settings.domain_root


# Section 2: classes of instances


def class_of(sight: Sight, instance: str) -> str:
    """The first class that fits."""
    machine = sight.instances.get(instance)
    if machine is None:
        return ABSENT if sight.knows_all or instance in sight.instances else UNKNOWN
    if machine.state in ("shutting-down", "terminated"):
        return GONE
    if machine.state in ("stopping", "stopped"):
        return STOPPED
    return _class_of_living(machine, sight.settings) if machine.state in ("pending", "running") else UNKNOWN


def _class_of_living(machine: Instance, settings: Settings) -> str:
    if not machine.tagged:
        return UNTAGGED
    if not (machine.meeting or "").strip() or machine.role not in settings.roles:
        return UNCLAIMED
    return SERVING if machine.state == "running" and machine.public_ip else STARTING


def is_of(sight: Sight, instance: str, meeting: str, role: str) -> bool:
    """Whether the instance carries this meeting and this role."""
    machine = sight.instances.get(instance)
    return machine is not None and machine.tagged and machine.meeting == meeting and machine.role == role


def is_old(record: DnsRecord, sight: Sight) -> bool:
    """Older than the grace period, for all that is known."""
    grace = timedelta(seconds=sight.settings.grace_seconds)
    return record.created_on is not None and sight.now - record.created_on > grace


def is_gone_for_row(sight: Sight, instance: str, meeting: str, row: Row) -> bool:
    """Whether the instance counts as gone for this row: seen gone, or absent with something that proves it."""
    match class_of(sight, instance):
        case "gone":
            return True
        case "absent":
            there = [*sight.at(instance), *(r for r in sight.buried if r.instance == instance)]
            ours = [r for r in there if owners.is_ours(r, sight.settings)]
            if not all(is_old(record, sight) for record in ours) or not sight.has_read_name_of(instance):
                return False
            return bool(ours) or _proves_that_it_was_there(sight, instance, row)
        case _:
            return False


def _proves_that_it_was_there(sight: Sight, instance: str, row: Row) -> bool:
    is_linked = any(linked(row, role, sight.settings) == instance for role in sight.settings.roles)
    return is_linked or row.get("status") in SEEN_ALIVE or is_a_day_past(row.get("meet_time"), sight.now)


def is_a_day_past(meet_time: Value, now: datetime) -> bool:
    """An unreadable time proves nothing; one without an offset is UTC.

    Only what begins with YYYY-MM-DD is read. Python's reader takes a day without hyphens too, and so an epoch in
    milliseconds, such as 1712011200000, for a day of the year 1712: the meeting would be long past.
    """
    if not isinstance(meet_time, str) or not _DAY.match(meet_time):
        return False
    try:
        moment = datetime.fromisoformat(meet_time)
    except ValueError:
        return False
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return now - moment > timedelta(hours=24)


# Section 3: records


def address_of(sight: Sight, instance: str) -> str | None:
    machine = sight.instances.get(instance)
    return machine.public_ip if machine else None


def is_routable_machine(sight: Sight, instance: str) -> bool:
    """Whether a proxied record can lead to it."""
    address = address_of(sight, instance)
    return address is not None and is_routable(address)


def is_blocked(sight: Sight, instance: str) -> bool:
    """Whether something that is not ours forbids a record and a link at this name."""
    there = sight.at(instance)
    return any(owners.is_foreign(r, sight.settings) or r.type in ("CNAME", "NS") for r in there)


def is_right(record: DnsRecord, sight: Sight, instance: str) -> bool:
    """What is wanted at a serving instance's name."""
    is_complete = record.type == "A" and record.proxied and owners.is_marked(record, sight.settings)
    return is_complete and owners.same_address(record.content, address_of(sight, instance))


def has_its_record(sight: Sight, instance: str) -> bool:
    """Whether the instance's record is in place."""
    return not is_blocked(sight, instance) and any(is_right(r, sight, instance) for r in sight.at(instance))


# Section 4: meetings


def named(row: Row, role: str) -> str | None:
    """The well-formed id in ``{role}_ec2_id``."""
    value = row.get(f"{role}_ec2_id")
    return value if isinstance(value, str) and is_id(value) else None


def link_to(instance: str, settings: Settings) -> str:
    return f"https://{instance}.{settings.domain_root}:{settings.dcv_port}"


def linked(row: Row, role: str, settings: Settings) -> str | None:
    """The instance in a link of our shape. Names are the same in upper and in lower case."""
    link = row.get(f"{role}_ec2_link")
    text = link.lower() if isinstance(link, str) else ""
    instance = text.removeprefix("https://").partition(".")[0]
    return instance if is_id(instance) and text == link_to(instance, settings) else None


def members(sight: Sight, meeting: str, row: Row) -> set[str]:
    """The instances tagged with the meeting's id, of whatever role, and those that the row's ids name."""
    tagged = {i for i, machine in sight.instances.items() if machine and machine.tagged and machine.meeting == meeting}
    return tagged | {instance for role in sight.settings.roles if (instance := named(row, role))}


def current(sight: Sight, meeting: str, row: Row, role: str) -> str | None:
    """The instance that the role's link should name."""
    serving = [
        i for i in sight.instances if class_of(sight, i) == SERVING and is_of(sight, i, meeting, role)
    ]  # fmt: skip
    if named(row, role) in serving:
        return named(row, role)
    return max(serving, key=lambda i: (_launched(sight, i), i), default=None)


def _launched(sight: Sight, instance: str) -> datetime:
    machine = sight.instances.get(instance)
    return (machine.launched_at if machine else None) or datetime.min.replace(tzinfo=UTC)


def is_dead_for(sight: Sight, instance: str, meeting: str, role: str, row: Row) -> bool:
    """Whether a link of this role to this instance leads nowhere, or to a stranger."""
    match class_of(sight, instance):
        case "stopped" | "untagged" | "unclaimed":
            return True
        case "gone" | "absent":
            return is_gone_for_row(sight, instance, meeting, row)
        case "starting" | "serving":
            return not is_of(sight, instance, meeting, role)
        case _:
            return False


def dead_ends(sight: Sight, meeting: str, row: Row) -> set[str]:
    """The machines that the row's dead links lead to."""
    links = {role: linked(row, role, sight.settings) for role in sight.settings.roles}
    return {there for role, there in links.items() if there and is_dead_for(sight, there, meeting, role, row)}


def is_over(sight: Sight, meeting: str, row: Row) -> bool:
    """Whether the meeting has had machines and all are gone, and its links lead to none that EC2 may not know yet."""
    everyone = members(sight, meeting, row)
    if row.get("status") not in LIVE or not everyone:
        return False
    linked_to = {there for role in sight.settings.roles if (there := linked(row, role, sight.settings))}
    unseen = {there for there in linked_to if class_of(sight, there) in (ABSENT, UNKNOWN)}
    if not all(is_gone_for_row(sight, i, meeting, row) for i in everyone | unseen):
        return False
    return not _someone_may_follow(sight, meeting, row, everyone)


def _someone_may_follow(sight: Sight, meeting: str, row: Row, everyone: Iterable[str]) -> bool:
    """One was launched within the grace period, and not every role has had one."""
    grace = timedelta(seconds=sight.settings.grace_seconds)
    is_recent = any(sight.now - _launched(sight, i) <= grace for i in everyone)
    return is_recent and not all(_has_had_one(sight, meeting, row, role, everyone) for role in sight.settings.roles)


def _has_had_one(sight: Sight, meeting: str, row: Row, role: str, everyone: Iterable[str]) -> bool:
    return named(row, role) is not None or any(is_of(sight, i, meeting, role) for i in everyone)
