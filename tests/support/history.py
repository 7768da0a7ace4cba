"""What was really true, and who changed it: the values that the judge in ``truth.py`` reads.

Any simulator can write such a history. Nothing in it is taken from what a controller believed; of what the clouds
showed it holds only which machines a reading has brought, and about which it lied.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from controller.model import DnsRecord, Instance, Value
from controller.settings import Settings

Row = Mapping[str, Value]

JOINABLE = ("HEALTHY", "IN_PROGRESS")


@dataclass(frozen=True, slots=True)
class Deployment:
    """A controller, its settings, and where it looks."""

    name: str
    settings: Settings
    place: str  # "account/region"

    @property
    def root(self) -> str:
        """The domain of its machines' names; each has a zone of its own."""
        return self.settings.domain_root

    def marks(self, record: DnsRecord) -> bool:
        """Whether the record carries this deployment's mark."""
        return f"{record.comment} ".startswith(f"{self.settings.mark} ")

    def link(self, instance: str) -> str:
        """The link that leads to this machine."""
        return f"https://{instance}.{self.root}:{self.settings.dcv_port}"


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine as it is, whatever EC2 shows of it."""

    instance: Instance  # its state, address and tags, as they are now
    place: str
    project: str  # the project's tag, or nothing where it was lost
    deployment: str
    meeting: str  # what it was launched for, whatever became of its tags
    role: str
    changed_at: datetime  # when its state, address or tags last changed
    is_warm: bool = False  # its desktop is ready

    @property
    def is_up(self) -> bool:
        """Whether it runs and can be reached at an address of its own."""
        return self.instance.state == "running" and self.instance.public_ip is not None

    @property
    def is_alive(self) -> bool:
        """Whether it is up or starting."""
        return self.instance.state in ("pending", "running")

    @property
    def is_over(self) -> bool:
        """Whether it has ended for good."""
        return self.instance.state in ("shutting-down", "terminated")


@dataclass(frozen=True, slots=True)
class Truth:
    """The whole world at one moment."""

    machines: Mapping[str, Machine]
    zones: Mapping[str, Mapping[str, DnsRecord]]  # by domain, by record id
    rows: Mapping[str, Row]

    def at(self, root: str, instance: str) -> Iterator[DnsRecord]:
        """The records at the machine's name."""
        name = f"{instance}.{root}"
        return (record for record in self.zones[root].values() if record.name == name)

    def address(self, instance: str) -> str | None:
        """The address that is really the machine's."""
        machine = self.machines.get(instance)
        return machine.instance.public_ip if machine else None

    def astray(self, root: str, instance: str) -> list[DnsRecord]:
        """The records by which a user of the machine's name may land anywhere but on the machine."""
        own = self.address(instance)
        there = self.at(root, instance)
        return [r for r in there if r.type in ("CNAME", "NS") or (r.type == "A" and (own is None or r.content != own))]

    def has_record(self, root: str, instance: str) -> bool:
        """Whether a proxied record leads to the machine."""
        own = self.address(instance)
        return any(r.type == "A" and r.proxied and r.content == own for r in self.at(root, instance))


@dataclass(frozen=True, slots=True)
class Step:
    """Somebody changed the world: a deployment's pass (it looked since ``began``), or others."""

    at: datetime
    by: str
    before: Truth
    after: Truth
    began: datetime | None = None
    is_scoped: bool = False  # the pass looked at some machines only


@dataclass(frozen=True, slots=True)
class Reading:
    """A deployment's reading brought these machines, and lied about these machines or their names."""

    at: datetime
    by: str
    brought: frozenset[str] = frozenset()
    lied: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Outage:
    """A deployment's controller does nothing until then."""

    at: datetime
    by: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """Time has passed, and all that must be so by now is looked at."""

    at: datetime
    minutes: float = 0.5  # since the last look


Event = Step | Reading | Outage | Look
