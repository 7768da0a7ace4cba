"""Values that differ between rules version 1 and version 2, made for whichever controller is there.

A simulation that compares the two runs with the same seeds on both. All that has to know which one it drives is here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from controller import rules
from controller.model import DnsRecord, Mode, Request
from controller.settings import Settings, read_settings


def _names(kind: type[Any]) -> frozenset[str]:
    return frozenset(field.name for field in fields(kind))


#: Whether a record says when it was last written, a pass where it looks, and a request what its events said.
KNOWS_WRITES = "modified_on" in _names(DnsRecord)
KNOWS_PLACE = "place" in _names(Settings)
HEARS = "heard" in _names(Request)
#: Whether the machines of a meeting are asked for by its tag alone, also where the project's is lost.
ASKS_BY_MEETING = hasattr(rules, "ending")


@dataclass(frozen=True, slots=True)
class Heard:
    """What an event said: the instance's state, and when it came to be."""

    instance: str
    state: str
    at: datetime

    @property
    def since(self) -> datetime:
        """When the first of the events came to be, for a metric that nobody here looks at."""
        return self.at


def settings(place: str, **environment: str) -> Settings:
    """Settings as an environment gives them, with this version's defaults, for a controller that looks at this place.

    Without an ``OWNER_ID`` the owner is the place, as ``bootstrap`` has it.
    """
    plain = {"DOMAIN_ROOT": "example.com", "ZONE_ID": "0" * 32, "CLOUDFLARE_API_TOKEN": "t", **environment}
    read = read_settings(plain)
    there: dict[str, Any] = {"place": place} if KNOWS_PLACE else {}
    return replace(read, owner_id=read.owner_id or place, **there)


def written(record: DnsRecord, at: datetime) -> DnsRecord:
    """The record as Cloudflare shows it after it was written at this time."""
    now: dict[str, Any] = {"modified_on": at} if KNOWS_WRITES else {}
    return replace(record, **now)


def request(heard: Iterable[Heard] = (), *, scheduled: bool = False) -> Request:
    """The request of these events, or of the schedule; of several events of one instance the last one counts."""
    latest = {event.instance: event for event in sorted(heard, key=lambda event: event.at)}
    said: Mapping[str, Any] = latest if HEARS else {i: event.at for i, event in latest.items()}
    scope = None if scheduled else frozenset(latest)
    values: dict[str, Any] = {"heard" if HEARS else "seen_at": said}
    return Request(Mode.APPLY, scope, is_scheduled=scheduled, **values)
