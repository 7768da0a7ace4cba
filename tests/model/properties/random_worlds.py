"""Random worlds, dense in corner cases. The same generator serves seeds (random.Random) and Hypothesis.

Whatever is chosen first or comes out of ``chance`` as False is the plain case, so that Hypothesis shrinks towards it.
"""

import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from hypothesis import strategies as st

from controller.errors import RefusedError
from controller.model import DnsRecord, Instance, NonString, Value
from controller.settings import Settings
from tests.support import zone as cloudflare
from tests.support.build import MARK, OWNER, PLACE, settings
from tests.support.clock import START
from tests.support.state import Case, Row, State, Zone

T = TypeVar("T")

#: Owner ids that name the place that is looked at with a name behind it, are of another style, or only begin alike.
OWNERS = (f"{PLACE}/production", "elephant-production", "us-west-2/schools", f"{PLACE}b")
#: Both lengths, and one that begins with another.
IDS = ("i-0a1b2c3d", "i-0a1b2c3d4e5f60718", "i-00000000000000002", "i-00000003", "i-ffffffffffffffff4", "i-00000005")
LOST_IDS = ("i-dead0001", "i-dead0000000000002")
MEETINGS = ("m1", "m2", "m3 ünïcode")
ROUTABLE = ("203.0.113.1", "203.0.113.2", "198.51.100.3", "192.0.2.4", "52.10.20.30", "52.10.20.31")
UNROUTABLE = ("10.0.0.5", "100.64.0.1", "169.254.1.1", "192.168.1.1", "127.0.0.1")
ODD, NULL = NonString("N", '{"N": "7"}'), NonString("NULL", '{"NULL": true}')
STATES = ("running", "pending", "terminated", "stopped", "shutting-down", "stopping")
NEW_STATE = "hibernating"  # which EC2 did not have when the rules were written
STATUSES: tuple[Value, ...] = (
    "LAUNCHED", "HEALTHY", "DNS_WRITTEN", "IN_PROGRESS", "SCHEDULED", "TERMINATED", None, "PENDING", "CANCELLED", "",
    ODD, NULL, "healthy",
)  # fmt: skip
MEET_TIMES: tuple[Value, ...] = (
    None, "2026-01-31T12:05:00Z", "2026-01-30T11:00:00Z", "2026-01-30T11:00:00", "2026-01-30T13:00:00",
    "2026-01-30T13:30:00+02:00", "yesterday", "", ODD, "2026-01-30", "9999-12-31T23:59:59Z",
    "2026-01-29", "2026-01-28", "2026-01-30 11:00", "2026-01-29T23:59:59-14:00",
    " 2026-01-30T11:00:00Z", "2026-01-30T11:00:00Z\n", "20260129", "2026-W04-1", "2026-01-29_11:00:00", "1712011200000",
)  # fmt: skip
FOREIGN = (f"{MARK}b created by staging", f"{MARK[:-2]} hint", "elephant-dns:", f"{MARK}/x")
#: Another deployment's, in another domain or at another port, or no link to a machine at all.
STRANGE = (
    "https://meet.example.org/x",
    "https://i-00000003.desks.example.org:8443",
    "https://i-00000003.example.com:443",
)
UNMARKED = ("", "created by hand", f" {MARK}", "Elephant-DNS:1 x", MARK.upper(), f"Elephant-DNS:{OWNER}")
AGES = (timedelta(days=3), timedelta(minutes=10), timedelta(seconds=61), timedelta(seconds=10), None)
LAUNCHED = (timedelta(hours=1), timedelta(minutes=4), timedelta(seconds=30), timedelta(hours=30), timedelta(minutes=20))


class Chooser:
    """Choices, by a source of chance."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def chance(self, probability: float) -> bool:
        return self.rng.random() > 1 - probability

    def one(self, values: Sequence[T]) -> T:
        return values[self.rng.randrange(len(values))]

    def mostly(self, plain: T, odd: Sequence[T], probability: float) -> T:
        return self.one(odd) if self.chance(probability) else plain


def settings_with(**changes: object) -> Settings:
    """Settings as they come from an environment, with these changes."""
    return replace(settings(GRACE_SECONDS="300"), **changes)  # type: ignore[arg-type]  # a mapping of several types


def random_settings(choose: Chooser) -> Settings:
    return settings_with(
        domain_root=choose.mostly("example.com", ["desks.example.com"], 0.2),
        roles=choose.mostly(("teacher", "student"), [("teacher",), ("a", "a_b", "observer")], 0.15),
        dcv_port=choose.mostly(8443, [443], 0.05),
        adopt_unmarked=choose.chance(0.15),
        grace_seconds=choose.mostly(300, [0, 60], 0.2),
        owner_id=choose.mostly(OWNER, OWNERS, 0.3),
        status_index=choose.mostly(None, ["by-status"], 0.25),
    )


def random_case(rng: random.Random, *, size: int = 6) -> Case:
    """A world of up to this many instances, and the settings of its deployment."""
    choose = Chooser(rng)
    settings = random_settings(choose)
    machines = {i: _instance(choose, i, n, settings) for n, i in enumerate(IDS[: rng.randrange(size + 1)])}
    records = _records(choose, machines, settings)
    rows = {m: _row(choose, m, machines, settings) for m in MEETINGS if not choose.chance(0.15)}
    return Case(State(START, machines, records, rows), settings, Zone(is_readable=not choose.chance(0.2)))


def cases(size: int = 6) -> st.SearchStrategy[Case]:
    """The same worlds for Hypothesis, which can shrink them."""
    return st.randoms(use_true_random=False).map(lambda rng: random_case(rng, size=size))


def _instance(choose: Chooser, instance: str, number: int, settings: Settings) -> Instance:
    state = choose.mostly("running", (*STATES, NEW_STATE), 0.38)
    has_address = choose.chance(0.12) if state not in ("running", "stopping") else not choose.chance(0.12)
    address = choose.mostly(ROUTABLE[number], [choose.one(UNROUTABLE), choose.one(ROUTABLE)], 0.15)
    meeting = choose.mostly(choose.one(MEETINGS[:2]), [None, "", "  ", "ghost", MEETINGS[2], "x" * 256], 0.2)
    role = choose.mostly(choose.one(settings.roles), [None, "", "Teacher", "teacher; DROP", "observer"], 0.12)
    launched = START - choose.one(LAUNCHED) - timedelta(seconds=choose.rng.randrange(3))
    is_tagged = not choose.chance(0.12)
    return Instance(instance, state, address if has_address else None, is_tagged, meeting, role, launched)


def _records(choose: Chooser, machines: dict[str, Instance], settings: Settings) -> dict[str, DnsRecord]:
    """Records at the names of machines there and not there, and some that are none of our business."""
    zone: dict[str, DnsRecord] = {}
    number = 0
    for instance in (*machines, *LOST_IDS):
        machine = machines.get(instance)
        for _ in range(choose.one((1, 0, 0, 1, 2, 3) if machine else (0, 0, 1, 0, 2))):
            number += 1
            _put(zone, _record(choose, f"s{number}", instance, machine, settings))
    for name in ("www", "i-xyz", f"a.{IDS[0]}", f"{IDS[0]}.b", "i-0A1B2C3D4"):
        if choose.chance(0.1):
            number += 1
            record = _record(choose, f"s{number}", IDS[0], None, settings)
            full, born = f"{name}.{settings.domain_root}".lower(), START - AGES[0]  # old enough to be deleted
            zone[record.id] = DnsRecord(
                record.id, full, full.partition(".")[0], "A", "192.0.2.9", True, mark_of(settings), born
            )
    return zone


def _put(zone: dict[str, DnsRecord], record: DnsRecord) -> None:
    with suppress(RefusedError):  # what Cloudflare would not have, no world has
        cloudflare.put(zone, record)


def _record(
    choose: Chooser, record: str, instance: str, machine: Instance | None, settings: Settings
) -> DnsRecord:  # fmt: skip
    right = machine.public_ip if machine and machine.public_ip else "203.0.113.77"
    created, modified = choose.mostly(AGES[0], AGES, 0.4), choose.mostly(None, AGES, 0.5)
    kind = choose.mostly("A", ("AAAA", "CNAME", "NS", "TXT"), 0.08)
    address = choose.mostly(right, ["203.0.113.88", choose.one(ROUTABLE), "203.0.113.99"], 0.35)
    content = {"A": address, "AAAA": "2001:db8::1", "CNAME": "a.example.net", "NS": "ns.example.net"}.get(kind, "text")
    return DnsRecord(
        id=record,
        name=f"{instance}.{settings.domain_root}",
        instance=instance,
        type=kind,
        content=content,
        proxied=kind == "A" and not choose.chance(0.15) and cloudflare.is_routable(content),
        comment=_comment(choose, settings) if kind == "A" else choose.mostly("", [mark_of(settings), FOREIGN[0]], 0.3),
        created_on=_ago(choose, created),
        modified_on=_ago(choose, modified if modified and modified <= (created or AGES[0]) else None),
    )


def _ago(choose: Chooser, age: timedelta | None) -> datetime | None:
    """That long ago; None where Cloudflare does not say."""
    return None if age is None else START - age - timedelta(seconds=choose.rng.randrange(3))


def mark_of(settings: Settings) -> str:
    """What this deployment writes at the start of a comment."""
    return f"elephant-dns:{settings.owner_id}"


def _comment(choose: Chooser, settings: Settings) -> str:
    mark = mark_of(settings)
    ours = choose.mostly(f"{mark} m1 teacher", [mark, f"{mark} other hint"], 0.3)
    return choose.mostly(ours, [choose.one(UNMARKED), choose.one(FOREIGN)], 0.35)


def _row(choose: Chooser, meeting: str, machines: dict[str, Instance], settings: Settings) -> Row:
    reasons: tuple[Value, ...] = (None, "BY_HAND", ODD)
    odd: tuple[Value, ...] = ("i-XYZ", "", ODD, "i-0a1b2c3d ")
    row: dict[str, Value] = {
        "status": choose.mostly(choose.one(STATUSES[:5]), STATUSES, 0.3),
        "meet_time": choose.mostly(MEET_TIMES[1], MEET_TIMES, 0.5),
        "termination_reason": choose.mostly(reasons[0], reasons[1:], 0.1),
        "teacher_name": "Grace Hopper",
    }
    for role in settings.roles:
        named = _named(choose, meeting, role, machines)
        row[f"{role}_ec2_id"] = choose.one(odd) if choose.chance(0.06) else named
        row[f"{role}_ec2_link"] = _link(choose, named, machines, settings)
    return {name: value for name, value in row.items() if value is not None}


def _named(choose: Chooser, meeting: str, role: str, machines: dict[str, Instance]) -> str | None:
    own = [i for i, machine in machines.items() if machine.meeting == meeting and machine.role == role]
    plain = choose.one(own) if own else None
    return choose.mostly(plain, [*IDS[:3], choose.one(LOST_IDS), None, LOST_IDS[0]], 0.25)


def _link(choose: Chooser, named: str | None, machines: dict[str, Instance], settings: Settings) -> Value:
    target = choose.mostly(named, [*machines, *LOST_IDS, None], 0.3)
    if target is None:
        return None
    right = f"https://{target}.{settings.domain_root}:{settings.dcv_port}"
    strange: list[Value] = [
        ODD, NULL, "", *STRANGE, right + "/", right.replace("https", "http"), "x", right.upper()
    ]  # fmt: skip
    return choose.mostly(right, strange, 0.14) if not choose.chance(0.3) else None
