"""All that is true of the three clouds at one moment, as a value."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from controller.model import DnsRecord, Instance, Value
from controller.settings import Settings

#: A row's attributes, its key aside.
Row = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class State:
    """The truth. What is not in here is not there."""

    now: datetime
    instances: Mapping[str, Instance]
    records: Mapping[str, DnsRecord]  # the whole zone by record id, other people's names included
    rows: Mapping[str, Row]


@dataclass(frozen=True, slots=True)
class Zone:
    """What does not change of the zone."""

    name: str = "example.com"
    is_readable: bool = True
    quota: int = 1000
    batch_limit: int = 200


@dataclass(frozen=True, slots=True)
class Case:
    """A world to begin with, and the settings of the deployment that looks after it."""

    state: State
    settings: Settings
    zone: Zone = Zone()
