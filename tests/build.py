"""Small worlds for tests: values with everything that does not matter filled in."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from controller.model import Change, DnsRecord, Instance, Meeting, Plan, Value, World, Zone
from controller.rules import guard, plan
from controller.settings import Settings, read_settings

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
OLD, YOUNG = NOW - timedelta(hours=2), NOW - timedelta(minutes=1)
PLACE = OWNER = "123456789012/us-west-2"
MARK = f"elephant-dns:{OWNER}"
FOREIGN = "elephant-dns:210987654321/eu-west-1"
TEACHER, STUDENT, OTHER, STRANGER = (f"i-{number:017x}" for number in (0xA1, 0xB2, 0xC3, 0xD4))
ADDRESS = "192.0.2.7"
ELSEWHERE = "198.51.100.9"
ENVIRONMENT = {
    "DOMAIN_ROOT": "example.com",
    "ZONE_ID": "023e105f4ecef8ad9ca31a8372d0c353",
    "CLOUDFLARE_API_TOKEN": "token-of-a-test",
    "OWNER_ID": OWNER,
}


def settings(**environment: str) -> Settings:
    """Settings of a plain deployment that knows which place it looks at, with these variables changed."""
    return replace(read_settings({**ENVIRONMENT, **environment}), place=PLACE)


def name(instance: str) -> str:
    """The name of the instance's record."""
    return f"{instance}.example.com"


def link(instance: str) -> str:
    """The instance's join link."""
    return f"https://{instance}.example.com:8443"


def machine(
    id: str = TEACHER,  # what EC2 calls it
    state: str = "running",
    *,
    ip: str | None = ADDRESS,
    tagged: bool = True,
    meeting: str | None = "m1",
    role: str | None = "teacher",
    launched: datetime | None = OLD,
) -> Instance:
    """A machine that serves the teacher of meeting m1, unless told otherwise."""
    return Instance(id, state, ip, tagged, meeting, role, launched)


def record(
    instance: str = TEACHER,
    content: str = ADDRESS,
    *,
    id: str = "r1",  # what Cloudflare calls it
    type: str = "A",  # likewise
    proxied: bool = True,
    comment: str = MARK,
    created: datetime | None = OLD,
    modified: datetime | None = None,
) -> DnsRecord:
    """An old record of ours at the teacher's name, with the right address."""
    return DnsRecord(id, name(instance), instance, type, content, proxied, comment, created, modified)


def row(
    id: str = "m1",  # the table's key
    status: Value = "DNS_WRITTEN",
    *,
    ids: Mapping[str, Value] | None = None,
    links: Mapping[str, Value] | None = None,
    meet_time: Value = None,
    reason: Value = None,
) -> Meeting:
    """A meeting's row."""
    return Meeting(id, status, dict(ids or {}), dict(links or {}), meet_time, reason)


def world(
    machines: Iterable[Instance] = (),
    records: Iterable[DnsRecord] = (),
    rows: Iterable[Meeting] = (),
    *,
    absent: Iterable[str] = (),
    rowless: Iterable[str] = (),
    scope: Iterable[str] | None = None,
) -> World:
    """A whole world, or what was seen of it for these instances."""
    return World(
        now=NOW,
        instances={m.id: m for m in machines},
        absent=frozenset(absent),
        records=tuple(records),
        meetings={r.id: r for r in rows},
        rowless=frozenset(rowless),
        zone=Zone("example.com", holds_domain=True),
        scope=None if scope is None else frozenset(scope),
    )


def decided(seen: World, using: Settings | None = None, *, force: bool = False) -> Plan:
    """The guarded plan for the world."""
    using = using or settings()
    return guard(plan(seen, using), seen, using, force=force)


def shown(changes: Plan | Iterable[Change]) -> list[tuple[str, str]]:
    """Each change as its action and rule."""
    changes = changes.changes if isinstance(changes, Plan) else changes
    return [(str(change.action), change.rule) for change in changes]


def found(wanted: Plan) -> list[str]:
    """The ids of the findings."""
    return [finding.id for finding in wanted.findings]
