"""The values everything speaks in: what was observed, what is planned, and how it ended.

All of them are frozen. What the adapters read is normalised before it becomes one of these, so
that ``==`` is the drift test; what the rules decide is data that can be printed, signed and refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

TERMINATED = "TERMINATED"
DNS_WRITTEN = "DNS_WRITTEN"

#: Statuses that a written link moves on to ``DNS_WRITTEN``; ``None`` is a row without a status.
EARLY_STATUSES: tuple[str | None, ...] = (None, "PENDING", "SCHEDULED", "LAUNCHED")
#: Statuses in which machines are, or were, really there.
SEEN_STATUSES = frozenset({DNS_WRITTEN, "HEALTHY", "IN_PROGRESS"})
#: Statuses of a meeting that has machines and can therefore lose them.
LIVE_STATUSES = frozenset({"LAUNCHED", *SEEN_STATUSES})
KNOWN_STATUSES = frozenset({*(s for s in EARLY_STATUSES if s), *LIVE_STATUSES, TERMINATED})


@dataclass(frozen=True, slots=True)
class Odd:
    """A row's attribute that is not the string it should be: kept, so that a condition can name it."""

    kind: str  # DynamoDB's type letter: "N", "M", "NULL", …
    json: str  # the attribute as the adapter needs it back

    def __str__(self) -> str:
        return f"(DynamoDB type {self.kind})"


#: A row's attribute: a string, nothing, or something odd.
Value = str | Odd | None


@dataclass(frozen=True, slots=True)
class Instance:
    """An EC2 instance as one reading saw it; tags are raw."""

    id: str
    state: str
    public_ip: str | None
    tagged: bool  # carries the project's tag
    meeting: str | None
    role: str | None
    launched_at: datetime | None


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """A DNS record at the name of an instance."""

    id: str
    name: str  # complete and in lower case
    instance: str  # the instance id that the name begins with
    type: str
    content: str  # an A record's address in canonical notation
    proxied: bool
    comment: str
    created_on: datetime | None
    modified_on: datetime | None = None

    @property
    def written_on(self) -> datetime | None:
        """When it was last written, as far as Cloudflare's answer can be read; None where it cannot."""
        return self.modified_on or self.created_on


@dataclass(frozen=True, slots=True)
class Meeting:
    """A row of the meetings table, without the people in it."""

    id: str
    status: Value
    instance_ids: Mapping[str, Value]  # role → {role}_ec2_id
    links: Mapping[str, Value]  # role → {role}_ec2_link
    meet_time: Value = None
    termination_reason: Value = None


@dataclass(frozen=True, slots=True)
class Zone:
    """What is known of the Cloudflare zone."""

    name: str | None  # None: not read, or not readable
    batch_limit: int = 200  # changes; Cloudflare's free plan, and every plan takes as many
    holds_domain: bool = False  # proven: a name under DOMAIN_ROOT really lands under DOMAIN_ROOT


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a pass can see but must not mend."""

    id: str
    key: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class World:
    """One observation. What was not looked at is neither there nor absent: it is unknown."""

    now: datetime
    instances: Mapping[str, Instance]
    absent: frozenset[str]  # in a full pass: asked for by id, and EC2 has none
    records: tuple[DnsRecord, ...]
    meetings: Mapping[str, Meeting]
    rowless: frozenset[str]  # meeting ids asked for, and the table has none
    zone: Zone
    scope: frozenset[str] | None = None  # None: everything
    findings: tuple[Finding, ...] = ()


class Action(StrEnum):
    """What a change does, in the order of doing."""

    DELETE_RECORD = "delete-record"
    UPDATE_RECORD = "update-record"
    CREATE_RECORD = "create-record"
    CLEAR_LINK = "clear-link"
    WRITE_LINK = "write-link"
    TERMINATE_MEETING = "terminate-meeting"


RECORD_ACTIONS = frozenset({Action.DELETE_RECORD, Action.UPDATE_RECORD, Action.CREATE_RECORD})

#: Named values in a fixed order, as shown in a report.
Fields = tuple[tuple[str, str | bool | None], ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """A row's attribute must be one of these values (``None``: absent) for a write to happen."""

    attribute: str
    values: tuple[Value, ...]
    negated: bool = False  # none of these values instead


@dataclass(frozen=True, slots=True)
class RecordWrite:
    """One write to one record: all of the wanted state, so that it may be sent twice."""

    id: str | None  # None: a record to create
    name: str
    content: str | None  # None: a record to delete
    comment: str | None  # None: leave the comment as it is


@dataclass(frozen=True, slots=True)
class RowWrite:
    """One conditional write to one meeting's row; it never creates a row."""

    conditions: tuple[Condition, ...]
    sets: tuple[tuple[str, str], ...] = ()
    defaults: tuple[tuple[str, str], ...] = ()  # set only where the row has none
    removes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between the desired and the actual world, and what takes it away."""

    action: Action
    key: str  # the record's name, or the meeting's id
    instance: str | None
    meeting: str | None
    role: str | None
    before: Fields
    after: Fields
    reason: str
    rule: str
    record: RecordWrite | None = None
    row: RowWrite | None = None
    order: float = 0.0  # creates: the launch (epoch seconds), so that the oldest machine is served first
    evidence: tuple[str, ...] = ()  # machines by whose state, address or absence this takes something away
    held: bool = False

    @property
    def ident(self) -> tuple[str, str, str, str]:
        """What makes this change this change, whatever its values are."""
        return (self.action, self.key, self.role or "", (self.record.id if self.record else None) or "")


@dataclass(frozen=True, slots=True)
class Guard:
    """Whether the guard holds changes that rest on absence, and why."""

    tripped: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a pass would do: sorted, deterministic, and without any memory of how it was read."""

    changes: tuple[Change, ...]
    findings: tuple[Finding, ...]
    guard: Guard = Guard()


class Outcome(StrEnum):
    """How a change ended: "the record … has been …"."""

    PLANNED = "planned"
    APPLIED = "applied"
    SUPERSEDED = "superseded"
    FAILED = "failed"
    GUARDED = "guarded"
    NOT_REACHED = "not-reached"


@dataclass(frozen=True, slots=True)
class Result:
    """A change and how it ended; ``after`` is what was really written."""

    change: Change
    outcome: Outcome
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """What an apply did, and what it found on the way."""

    results: tuple[Result, ...]
    findings: tuple[Finding, ...] = field(default=())
