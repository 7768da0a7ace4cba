"""Classify each instance of a world, and say what its class is evidence for.

=========  ==========================================================================================
class      the first one that fits
=========  ==========================================================================================
gone       seen ``shutting-down`` or ``terminated``
absent     in a full pass: asked for by id, and EC2 does not know it; weak evidence, because EC2 lags
stopped    ``stopping``, ``stopped``
untagged   alive, without the project's tag
unclaimed  alive and tagged, but without a meeting, or with a role that is not configured
starting   ``pending``, or ``running`` without a public IPv4 address
serving    ``running`` with a public IPv4 address
unknown    never read, or in a state that this project does not know: proves nothing
=========  ==========================================================================================
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from controller.model import SEEN_STATUSES, DnsRecord, Instance, Meeting, Value, World
from controller.names import instance_of_link, is_instance_id, link_to
from controller.rules.ownership import Owner, owner_of
from controller.settings import Settings

#: How long after its time a meeting may end because EC2 does not know its machines. An end is final.
OVERDUE = timedelta(hours=24)
#: From a date's midnight in UTC to the end of the day in the westernmost time zone (UTC-12).
DAY_EVERYWHERE = timedelta(hours=36)

_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]|$)")


class InstanceClass(StrEnum):
    """The classes that the rules distinguish."""

    GONE = "gone"
    ABSENT = "absent"
    STOPPED = "stopped"
    UNTAGGED = "untagged"
    UNCLAIMED = "unclaimed"
    STARTING = "starting"
    SERVING = "serving"
    UNKNOWN = "unknown"


_BY_STATE = {
    "shutting-down": InstanceClass.GONE,
    "terminated": InstanceClass.GONE,
    "stopping": InstanceClass.STOPPED,
    "stopped": InstanceClass.STOPPED,
}
_NOT_ALIVE = frozenset({InstanceClass.GONE, InstanceClass.ABSENT, InstanceClass.UNKNOWN})


def classify(instance: Instance, settings: Settings) -> InstanceClass:
    """Return the class of an instance that was seen."""
    if found := _BY_STATE.get(instance.state):
        return found
    if instance.state not in ("pending", "running"):
        return InstanceClass.UNKNOWN
    if not instance.tagged:
        return InstanceClass.UNTAGGED
    if not (instance.meeting or "").strip() or instance.role not in settings.roles:
        return InstanceClass.UNCLAIMED
    return InstanceClass.SERVING if instance.state == "running" and instance.public_ip else InstanceClass.STARTING


def named_ids(meeting: Meeting) -> dict[str, str]:
    """Return the instance that the row names for each role, well-formed ids only."""
    return {role: value for role, value in meeting.instance_ids.items() if is_instance_id(value)}


def linked_ids(meeting: Meeting, settings: Settings) -> set[str]:
    """Return the instances that the row's links lead to, of links in this deployment's form."""
    targets = (instance_of_link(link, settings.domain_root, settings.dcv_port) for link in meeting.links.values())
    return {target for target in targets if target}


def moment_of(meet_time: Value) -> datetime | None:
    """Return when a meeting begins, or None for a time that cannot be read. A time without an offset is UTC.

    A date without a time is its midnight.
    """
    if not isinstance(meet_time, str) or not _DATE.match(meet_time):
        return None  # an epoch in milliseconds would pass for a day of the year 1712
    try:
        moment = datetime.fromisoformat(meet_time)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def is_past(meet_time: Value, now: datetime, by: timedelta) -> bool:
    """Return whether a meeting's time is more than this long ago. A time that cannot be read proves nothing.

    A date without a time counts from the day's end in the westernmost time zone.
    """
    moment = moment_of(meet_time)
    is_date = isinstance(meet_time, str) and len(meet_time) == len("2026-01-31")
    return moment is not None and now - moment > (by + DAY_EVERYWHERE if is_date else by)


def is_a_day_past(meet_time: Value, now: datetime) -> bool:
    """Return whether a meeting's time is more than a day ago."""
    return is_past(meet_time, now, OVERDUE)


@dataclass(frozen=True, slots=True)
class Facts:
    """A world, indexed once for all rules."""

    world: World
    settings: Settings
    classes: Mapping[str, InstanceClass]  # of the instances seen
    records: Mapping[str, list[DnsRecord]]  # by instance id
    members: Mapping[str, list[Instance]]  # by their meeting's tag, also without the project's tag
    serving: Mapping[tuple[str | None, str | None], list[Instance]]  # by meeting id and role

    @classmethod
    def of(cls, world: World, settings: Settings) -> "Facts":
        """Index the world, in time linear in its size."""
        classes, records, members, serving = {}, defaultdict(list), defaultdict(list), defaultdict(list)
        for instance in world.instances.values():
            classes[instance.id] = kind = classify(instance, settings)
            if instance.meeting:
                members[instance.meeting].append(instance)
            if kind is InstanceClass.SERVING:
                serving[instance.meeting, instance.role].append(instance)
        for record in world.records:
            records[record.instance].append(record)
        return cls(world, settings, classes, records, members, serving)

    def class_of(self, instance: str) -> InstanceClass:
        """Return the class of an instance, seen or not."""
        found = self.classes.get(instance)
        return found or (InstanceClass.ABSENT if instance in self.world.absent else InstanceClass.UNKNOWN)

    def is_alive(self, instance: str) -> bool:
        """Return whether the instance was seen and is not gone: then it costs money."""
        return self.class_of(instance) not in _NOT_ALIVE

    def is_old(self, moment: datetime | None) -> bool:
        """Return whether the moment is before the grace period. An unknown moment is not."""
        return moment is not None and self.world.now - moment > timedelta(seconds=self.settings.grace_seconds)

    def ours(self, instance: str) -> list[DnsRecord]:
        """Return the own A records at the instance's name."""
        records = self.records.get(instance, ())
        return [r for r in records if r.type == "A" and owner_of(r, self.settings) is Owner.OURS]

    def foreign(self, instance: str) -> list[DnsRecord]:
        """Return the records at the instance's name with another deployment's mark."""
        return [r for r in self.records.get(instance, ()) if owner_of(r, self.settings) is Owner.FOREIGN]

    def link_of(self, machine: Instance) -> str:
        """Return the link that leads to the machine."""
        return link_to(machine.id, self.settings.domain_root, self.settings.dcv_port)

    def link_target(self, link: object) -> str | None:
        """Return the instance id in a link of this deployment's form, else None."""
        return instance_of_link(link, self.settings.domain_root, self.settings.dcv_port)

    def counts(self, meeting: Meeting, instance: str) -> bool:
        """Return whether the instance lets the meeting end: seen gone, or absent a day after the meeting."""
        match self.class_of(instance):
            case InstanceClass.GONE:
                return True
            case InstanceClass.ABSENT:
                return meeting.status in SEEN_STATUSES and is_a_day_past(meeting.meet_time, self.world.now)
            case _:
                return False
