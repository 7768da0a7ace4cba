"""Seed a fleet with every kind of drift, the same for the same seed, and compare its end with the expected one.

All names are under ``example.com``. The addresses are documentation's own as far as these suffice. Nothing connects to
them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Network
from itertools import chain, count
from random import Random
from typing import Any

from controller.sandbox.aws import AwsServer
from controller.sandbox.cloudflare import CloudflareServer
from controller.sandbox.drifts import DRIFTS, Drift, End, Scene, Shown
from controller.sandbox.edge import Kind
from controller.settings import MARK_PREFIX

DEFAULT_INSTANCES = 48
#: The documentation prefixes (RFC 5737), then a part of EC2's addresses in us-west-2.
NETWORKS = tuple(map(IPv4Network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "44.224.0.0/14")))
#: Other records in the zone, which must never change: names that look like ours, even one with our mark.
BYSTANDERS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("@", "192.0.2.200", {}),
    ("www", "example.com", {"type": "CNAME"}),
    ("@", "mail.example.com", {"type": "MX", "proxied": False, "priority": 10}),
    ("@", '"v=spf1 -all"', {"type": "TXT", "proxied": False}),
    ("*", "192.0.2.201", {}),
    ("i-123", "192.0.2.202", {}),
    ("i-0123456789abcdef0-old", "192.0.2.203", {}),
    ("vpn.i-0123456789abcdef0", "192.0.2.204", {}),
    ("marked", "192.0.2.205", {"comment": "elephant-dns:123456789012/us-west-2"}),
)


@dataclass(frozen=True, slots=True)
class Played:
    """A drift that was played in a fleet, and its expected end."""

    drift: Drift
    end: End


@dataclass(frozen=True, slots=True)
class Fleet:
    """The seeded fleet, and how it differs from its expected end."""

    aws: AwsServer
    cloudflare: CloudflareServer
    drifts: tuple[Played, ...]
    healthy: End
    bystanders: tuple[dict[str, Any], ...]
    mark: str
    others: tuple["Fleet", ...] = ()  # in further cells

    @property
    def cell(self) -> str:
        """Return the account and region of the machines."""
        return self.mark.removeprefix(MARK_PREFIX)

    def ends(self) -> list[End]:
        """Return the expected ends of everything that was seeded here, and in the other cells."""
        others = (end for other in self.others for end in other.ends())
        return [self.healthy, *(played.end for played in self.drifts), *others]

    def desktops(self) -> dict[str, Kind]:
        """Return what stands at the machines' addresses, for an edge; at any other is a desktop that is up."""
        return {address: kind for played in self.drifts for address, kind in played.end.desktops.items()}

    def differences(self, end: End) -> list[str]:
        """Return how the servers differ from this end, a sentence for each difference."""
        names, rows = self._names(), self.aws.rows.all()
        wrong_names = (
            f"{name} has {sorted(names.get(name, ()))}, not {sorted(wanted)}"
            for name, wanted in end.records.items()
            if names.get(name, []) != sorted(wanted)
        )
        wrong_rows = (
            f"row {meeting} is {rows.get(meeting)}, not {wanted}"
            for meeting, wanted in end.rows.items()
            if rows.get(meeting) != wanted
        )
        return [*wrong_names, *wrong_rows]

    def touched(self) -> list[str]:
        """Return what changed among records and rows that a pass must not touch, a sentence for each."""
        ends = self.ends()
        names, meetings = (set(chain(*part)) for part in ([e.records for e in ends], [e.rows for e in ends]))
        others = [record for record in self.cloudflare.records() if record["name"] not in names]
        lost = [f"{record['name']} is not as it was" for record in self.bystanders if record not in others]
        new = [f"{record['name']} was not there" for record in others if record not in self.bystanders]
        return [*lost, *new, *(f"row {meeting} was not there" for meeting in self.aws.rows.all().keys() - meetings)]

    def _names(self) -> dict[str, list[Shown]]:
        found: dict[str, list[Shown]] = {}
        for record in self.cloudflare.records():
            found.setdefault(str(record["name"]), []).append(Shown.of(record, self.mark))
        return {name: sorted(records) for name, records in found.items()}


def seed(
    aws: AwsServer,
    cloudflare: CloudflareServer,
    instances: int = DEFAULT_INSTANCES,
    *,
    number: int = 1,
    now: datetime | None = None,
) -> Fleet:
    """Fill both servers, which must be empty except for the table and the secret.

    Every drift is played once. The rest of ``instances`` serves healthy lessons, in pairs. ``number`` is the seed of
    everything random. The zone's plan must allow that many records.
    """
    for name, content, fields in BYSTANDERS:
        cloudflare.seed(name, content, **fields)
    bystanders = tuple(cloudflare.records())
    shared = (aws, cloudflare, ids_of(number), map(str, _addresses()), count(1), now or datetime.now(UTC))
    drifts, launched = [], 0
    for drift in DRIFTS:
        scene = Scene(*shared)
        drift.play(scene)
        drifts.append(Played(drift, scene.end))
        launched += scene.launched
    healthy = Scene(*shared)
    _fill(healthy, instances - launched)
    return Fleet(aws, cloudflare, tuple(drifts), healthy.end, bystanders, healthy.mark)


def _fill(scene: Scene, instances: int) -> None:
    """Add healthy lessons, a scheduled one and one of yesterday."""
    scene.row(scene.meeting(), status="SCHEDULED")
    scene.row(scene.meeting(), status="TERMINATED", termination_reason="TIME_OVER", teacher_ec2_id=next(scene.ids))
    for _ in range(instances // 2):
        scene.lesson()
    if instances > 0 and instances % 2:
        scene.solo()


def ids_of(number: int) -> Iterator[str]:
    """Yield instance ids, the same for the same seed."""
    random = Random(number)
    while True:
        yield f"i-{random.getrandbits(68):017x}"


def _addresses() -> Iterator[object]:
    return chain.from_iterable(network.hosts() for network in NETWORKS)
