"""The specification's vocabulary, sections 1 to 7 of the rules: what things are, and what they are evidence for.

Written from the rules alone. Nothing here may call the planner or its helpers; the only things shared with the
controller are the values of ``controller.model`` and what the settings say.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from controller.model import DnsRecord, Instance, NonString, Value
from controller.settings import Settings
from tests.support.spec import owners
from tests.support.state import Row, State
from tests.support.zone import is_routable

EARLY = (None, "PENDING", "SCHEDULED", "LAUNCHED")
LIVE = ("LAUNCHED", "DNS_WRITTEN", "HEALTHY", "IN_PROGRESS")
#: Statuses of a live meeting that say that its machines were seen.
SEEN_ALIVE = ("DNS_WRITTEN", "HEALTHY", "IN_PROGRESS")
#: Classes of instances that are known to be, or to have been, there.
GONE, ABSENT, STOPPED, UNTAGGED, UNCLAIMED, STARTING, SERVING = (
    "gone", "absent", "stopped", "untagged", "unclaimed", "starting", "serving"
)  # fmt: skip
#: Nobody looked, or EC2 tells of a state that the rules do not name: nothing may be concluded.
UNKNOWN = "unknown"
#: A machine that is up, or will be.
ALIVE = (UNTAGGED, UNCLAIMED, STARTING, SERVING)

_ID = re.compile(r"i-([0-9a-f]{8}|[0-9a-f]{17})\Z")
_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]")
#: From a date's midnight until its day has ended everywhere.
_DAY_EVERYWHERE = timedelta(hours=36)


def is_id(value: object) -> bool:
    """``i-`` and 8 or 17 lower-case hex digits."""
    return isinstance(value, str) and _ID.match(value) is not None


# What is observed


@dataclass(frozen=True, slots=True)
class Sight:
    """What is known: the truth, or what a pass has seen."""

    settings: Settings
    now: datetime
    instances: Mapping[str, Instance | None]  # that were looked at; None: asked for by id, and EC2 has none
    records: tuple[DnsRecord, ...]
    rows: Mapping[str, Row]  # history as well, as far as it was read
    is_full: bool = True  # a scoped pass concludes nothing from absence
    buried: tuple[DnsRecord, ...] = ()  # records seen in this pass and gone since

    @classmethod
    def of(cls, state: State, settings: Settings) -> "Sight":
        """All that a full pass would look at, as it is: before an end also what carries the meeting without our tag."""
        tagged = {i: machine for i, machine in state.instances.items() if machine.tagged}
        inside = tuple(r for r in state.records.values() if is_at_a_name_of_ours(r, settings))
        rows = _rows_read(state, settings, tagged.values())
        asked = {r.instance for r in inside if owners.is_ours(r, settings)}
        asked = asked.union(*(names_of(row, settings) for row in rows.values() if row.get("status") in LIVE))
        while True:
            seen = {**{i: state.instances.get(i) for i in asked}, **tagged}
            rows |= _rows_read(state, settings, [machine for machine in seen.values() if machine])
            sight = cls(settings, state.now, seen, inside, rows)
            ends = {meeting for meeting, row in rows.items() if is_over(sight, meeting, row)}
            carriers = {machine.id for machine in state.instances.values() if machine.meeting in ends}
            if carriers <= seen.keys():
                return sight
            asked |= carriers

    def at(self, instance: str) -> list[DnsRecord]:
        """The records at the instance's name."""
        return [record for record in self.records if record.instance == instance]

    def ours_at(self, instance: str) -> list[DnsRecord]:
        return [record for record in self.at(instance) if owners.is_ours(record, self.settings)]


def _rows_read(state: State, settings: Settings, machines: Iterable[Instance]) -> dict[str, Row]:
    """Every row that is not history, and that of every machine alive; with an index only those in its sight."""
    has_index = settings.status_index is not None
    carried = {m.meeting for m in machines if has_index or m.state in ("pending", "running", "stopping", "stopped")}
    is_listed = (lambda status: status in LIVE) if has_index else (lambda status: status != "TERMINATED")
    return {key: row for key, row in state.rows.items() if is_listed(row.get("status")) or key in carried}


def names_of(row: Row, settings: Settings) -> set[str]:
    """The instances that the row names or links."""
    ids = (each for role in settings.roles for each in (named(row, role), linked(row, role, settings)))
    return {instance for instance in ids if instance}


def is_at_a_name_of_ours(record: DnsRecord, settings: Settings) -> bool:
    label, _, rest = record.name.partition(".")
    return is_id(label) and rest == settings.domain_root


# Classes of instances


def class_of(sight: Sight, instance: str) -> str:
    """The first class that fits."""
    machine = sight.instances.get(instance)
    if machine is None:
        return ABSENT if sight.is_full and instance in sight.instances else UNKNOWN
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
    """Whether the instance carries this meeting and this role, be it with the project's tag or without."""
    machine = sight.instances.get(instance)
    return machine is not None and machine.meeting == meeting and machine.role == role


# Evidence, and what it is enough for


def written_on(record: DnsRecord) -> datetime | None:
    """When it was last written, as far as that can be read."""
    return record.created_on if record.modified_on is None else record.modified_on


def is_within_grace(moment: datetime | None, sight: Sight) -> bool:
    """Not longer ago than the grace period, for all that is known."""
    return moment is None or sight.now - moment <= timedelta(seconds=sight.settings.grace_seconds)


def record_goes(sight: Sight, record: DnsRecord) -> bool:
    """Whether this own record goes: the table's first column. At a serving machine's name it may be updated."""
    machine, cls = sight.instances.get(record.instance), class_of(sight, record.instance)
    if cls == ABSENT:
        return not is_within_grace(written_on(record), sight)
    if machine is None or cls == UNKNOWN:
        return False
    if cls in (GONE, STOPPED):
        return True
    if machine.public_ip:
        return not owners.same_address(record.content, machine.public_ip)
    written, launched = written_on(record), machine.launched_at
    return written is not None and launched is not None and written < launched


def link_goes(sight: Sight, there: str, meeting: str, role: str) -> bool:
    """Whether a link of this role that leads there goes: the table's second column."""
    cls = class_of(sight, there)
    has_address = cls in (SERVING, UNTAGGED, UNCLAIMED) and address_of(sight, there) is not None
    return cls in (GONE, STOPPED) or (has_address and _is_a_strangers_desktop(sight, there, meeting, role))


def _is_a_strangers_desktop(sight: Sight, there: str, meeting: str, role: str) -> bool:
    """Its tags name another role, or another meeting that has a row, for which only a full pass has looked."""
    machine = sight.instances[there]
    assert machine is not None
    is_of_another_role = machine.role in sight.settings.roles and machine.role != role
    is_of_another_meeting = machine.meeting != meeting and sight.is_full and machine.meeting in sight.rows
    return is_of_another_role or is_of_another_meeting


def counts(sight: Sight, instance: str, row: Row) -> bool:
    """Whether the instance counts towards its meeting's end: the table's third column."""
    match class_of(sight, instance):
        case "gone":
            return True
        case "absent":
            return row.get("status") in SEEN_ALIVE and is_a_day_past(row.get("meet_time"), sight.now)
        case _:
            return False


def is_a_day_past(meet_time: Value, now: datetime) -> bool:
    """An unreadable time proves nothing; one without an offset is UTC; a date counts from its end everywhere.

    Only what begins with YYYY-MM-DD is read. Python's reader takes a day without hyphens too, and so an epoch in
    milliseconds, such as 1712011200000, for a day of the year 1712: the meeting would be long past.
    """
    if not isinstance(meet_time, str) or not (_DAY.match(meet_time) or _MOMENT.match(meet_time)):
        return False
    try:
        moment = datetime.fromisoformat(meet_time)
    except ValueError:
        return False
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = now - moment - (_DAY_EVERYWHERE if _DAY.match(meet_time) else timedelta(0))
    return since > timedelta(hours=24)


# Records


def address_of(sight: Sight, instance: str) -> str | None:
    machine = sight.instances.get(instance)
    return machine.public_ip if machine else None


def has_its_address(sight: Sight, record: DnsRecord) -> bool:
    """Whether the record leads to its own machine."""
    return record.type == "A" and owners.same_address(record.content, address_of(sight, record.instance))


def is_routable_machine(sight: Sight, instance: str) -> bool:
    """Whether a proxied record can lead to it."""
    address = address_of(sight, instance)
    return address is not None and is_routable(address)


def forbids_a_record(sight: Sight, instance: str) -> bool:
    """Whether something stands at this name beside which nothing is created."""
    there = sight.at(instance)
    return any(owners.is_foreign(r, sight.settings) or r.type in ("CNAME", "NS") for r in there)


def is_right(record: DnsRecord, sight: Sight) -> bool:
    """What is wanted at a serving instance's name."""
    return record.proxied and owners.is_marked(record, sight.settings) and has_its_address(sight, record)


def leads_to_it_alone(sight: Sight, instance: str) -> bool:
    """The name's standing: whether it leads to the machine and nowhere else, whoever owns the record."""
    there = sight.at(instance)
    answers = [r for r in there if r.type == "A"]
    is_excluded = any(r.type in ("CNAME", "NS") for r in there)
    is_clean = bool(answers) and all(r.proxied and has_its_address(sight, r) for r in answers)
    return is_clean and not is_excluded and is_routable_machine(sight, instance)


# Meetings


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


def links_of(row: Row, settings: Settings) -> dict[str, str]:
    """Role → where its link leads, links of our shape only."""
    return {role: there for role in settings.roles if (there := linked(row, role, settings))}


def members(sight: Sight, meeting: str, row: Row) -> set[str]:
    """The instances that carry the meeting, of whatever role and tag, and those that its ids name."""
    carriers = {i for i, machine in sight.instances.items() if machine and machine.meeting == meeting}
    return carriers | {instance for role in sight.settings.roles if (instance := named(row, role))}


def current(sight: Sight, meeting: str, row: Row, role: str) -> str | None:
    """The instance that the role's link should name: of those that serve, the named, the linked, or the newest."""
    serving = [i for i in sight.instances if class_of(sight, i) == SERVING and is_of(sight, i, meeting, role)]
    for preferred in (named(row, role), linked(row, role, sight.settings)):
        if preferred in serving:
            return preferred
    return max(serving, key=lambda i: (_launched(sight, i), i), default=None)


def _launched(sight: Sight, instance: str) -> datetime:
    machine = sight.instances.get(instance)
    return (machine.launched_at if machine else None) or datetime.min.replace(tzinfo=UTC)


def dead_links(sight: Sight, meeting: str, row: Row) -> dict[str, str]:
    """Role → where its link leads, links that go."""
    links = links_of(row, sight.settings)
    return {role: there for role, there in links.items() if link_goes(sight, there, meeting, role)}


def is_over(sight: Sight, meeting: str, row: Row) -> bool:
    """Whether a full pass ends the meeting: the row of the table in docs/how-it-works.md, condition by condition."""
    everyone, links = members(sight, meeting, row), links_of(row, sight.settings)
    if not sight.is_full or row.get("status") not in LIVE or not everyone:
        return False
    if not all(counts(sight, i, row) for i in everyone):
        return False
    if not all(counts(sight, i, row) or link_goes(sight, i, meeting, role) for role, i in links.items()):
        return False
    if _names_anothers(sight, meeting, row) or _someone_may_follow(sight, meeting, row, everyone):
        return False
    return not (absent_of(sight, meeting, row) and _may_be_served_elsewhere(sight, meeting, row))


def rests_on(sight: Sight, meeting: str, row: Row) -> set[str]:
    """The machines on which the end of this meeting rests."""
    return members(sight, meeting, row) | set(links_of(row, sight.settings).values())


def absent_of(sight: Sight, meeting: str, row: Row) -> set[str]:
    """Those of them that nobody has seen end."""
    return {i for i in rests_on(sight, meeting, row) if class_of(sight, i) == ABSENT}


def waits_for_dead_links(sight: Sight, meeting: str, row: Row) -> bool:
    """Whether it is ended in the next pass only: the end rests on absence, and dead links go first."""
    return bool(absent_of(sight, meeting, row)) and bool(dead_links(sight, meeting, row))


def _names_anothers(sight: Sight, meeting: str, row: Row) -> bool:
    """Whether the row names a machine that was seen with another meeting's tags."""
    machines = [sight.instances.get(named(row, role) or "") for role in sight.settings.roles]
    return any(m and (m.meeting or "").strip() and m.meeting != meeting for m in machines)


def _someone_may_follow(sight: Sight, meeting: str, row: Row, everyone: Iterable[str]) -> bool:
    """One was launched within the grace period, and not every role ever got one."""
    machines = [m for i in everyone if (m := sight.instances.get(i))]
    is_recent = any(is_within_grace(machine.launched_at, sight) for machine in machines)
    return is_recent and not all(_has_had_one(sight, meeting, row, role, everyone) for role in sight.settings.roles)


def _has_had_one(sight: Sight, meeting: str, row: Row, role: str, everyone: Iterable[str]) -> bool:
    return named(row, role) is not None or any(is_of(sight, i, meeting, role) for i in everyone)


def _may_be_served_elsewhere(sight: Sight, meeting: str, row: Row) -> bool:
    """Another deployment's mark at a machine's name, or a link of another shape: that one may be serving it."""
    values = [(role, row.get(f"{role}_ec2_link")) for role in sight.settings.roles]
    has_strange_link = any(_is_link(value) and not linked(row, role, sight.settings) for role, value in values)
    machines = members(sight, meeting, row) | absent_of(sight, meeting, row)
    return has_strange_link or any(owners.is_foreign(r, sight.settings) for i in machines for r in sight.at(i))


def _is_link(value: Value) -> bool:
    """Whether somebody has put something there; DynamoDB's NULL is nothing."""
    return value not in (None, "") and not (isinstance(value, NonString) and value.kind == "NULL")


# The guard


def believes_absence(sight: Sight) -> bool:
    """The owner id begins with this account and region, or EC2 shows a machine that an own record names."""
    settings, ours = sight.settings, [*sight.records, *sight.buried]
    begins_with_place = settings.place and f"{settings.owner_id}/".startswith(f"{settings.place}/")
    return bool(begins_with_place) or any(sight.instances.get(r.instance) for r in ours if owners.is_ours(r, settings))
