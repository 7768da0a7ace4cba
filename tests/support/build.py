"""Small worlds for tests: values with everything that does not matter filled in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from controller.model import (
    Change,
    CreateRecord,
    DeleteRecord,
    DnsRecord,
    Instance,
    Meeting,
    Plan,
    RecordChange,
    Result,
    RowChange,
    RowWrite,
    UpdateRecord,
    Value,
    World,
    Zone,
)
from controller.ports import Context, Listener, Readers
from controller.report.report import Report, Target
from controller.rules.guards import guard
from controller.rules.plan import plan
from controller.runtime.budget import Budget
from controller.settings import Settings, read_settings
from tests.support.clock import START

NOW = START
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
TARGET = Target("123456789012", "us-west-2", ENVIRONMENT["ZONE_ID"], "example.com", "elephant-meetings", OWNER)


def settings(place: str = PLACE, **environment: str) -> Settings:
    """Settings of a plain deployment that looks at this place and owns by it, with these variables changed."""
    return replace(read_settings({**ENVIRONMENT, "OWNER_ID": place, **environment}), place=place)


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
    """A machine that serves the teacher of meeting m1, unless said otherwise."""
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
    """An old own record at the teacher's name, with the right address."""
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
    """Return a meeting's row as the adapter hands it on: live, and without machines, links and time by default."""
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


def create(instance: str = TEACHER, content: str = ADDRESS, **others: Any) -> CreateRecord:
    """A change that creates an own record at the instance's name."""
    return CreateRecord(name=name(instance), content=content, **{**_about(instance), "comment": MARK, **others})


def update(instance: str = TEACHER, content: str = ADDRESS, *, id: str = "r1", **others: Any) -> UpdateRecord:
    """A change that gives the record with this id an address, and keeps its comment."""
    return UpdateRecord(name=name(instance), id=id, content=content, **{**_about(instance), "comment": None, **others})


def delete(instance: str = TEACHER, *, id: str = "r1", **others: Any) -> DeleteRecord:
    """A change that deletes the record with this id at the instance's name."""
    return DeleteRecord(name=name(instance), id=id, **{**_about(instance), **others})


def answer_to(change: RecordChange, **others: Any) -> DnsRecord:
    """The record as Cloudflare answers it to this change."""
    told: dict[str, Any] = {"id": id_of(change) or change.name}
    if isinstance(change, (CreateRecord, UpdateRecord)):
        told |= {"content": change.content, "comment": change.comment or MARK}
    return record(str(change.instance), **{**told, **others})


def of_row(kind: type[RowChange], instance: str = TEACHER, **others: Any) -> RowChange:
    """A change of this kind to the row of meeting m1."""
    return kind(write=RowWrite(()), **{**_about(instance), **others})


def _about(instance: str) -> dict[str, Any]:
    about = {"instance": instance, "meeting": "m1", "role": "teacher", "before": (), "after": ()}
    return {**about, "reason": "because", "rule": "rule"}


def id_of(change: Change) -> str | None:
    """The id of the record that is changed; None where there is none yet, or none at all."""
    return change.id if isinstance(change, (UpdateRecord, DeleteRecord)) else None


def of_records(changes: Plan | Iterable[Change]) -> list[RecordChange]:
    """The changes of records among these."""
    changes = changes.changes if isinstance(changes, Plan) else changes
    return [change for change in changes if isinstance(change, RecordChange)]


def context(readers: Readers, budget: Budget, using: Settings | None = None) -> Context:
    """What a pass stands on, without writers."""
    return Context(using or settings(), TARGET, readers, None, budget)


@dataclass
class Told(Listener):
    """Keeps every plan and result that it hears of."""

    plans: list[Report] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)

    def on_plan(self, report: Report) -> None:
        self.plans.append(report)

    def on_result(self, result: Result) -> None:
        self.results.append(result)


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
