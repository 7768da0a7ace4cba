"""The values everything speaks in: what is asked for, observed, planned, and how it ended.

All of them are frozen. What the adapters read is normalised before it becomes one of these, so
that ``==`` is the drift test; what the rules decide is data that can be printed, signed and refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

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
class NonString:
    """A row's attribute that is not the string it should be: kept, so that a condition can name it."""

    kind: str  # DynamoDB's type letter: "N", "M", "NULL", …
    json: str  # the attribute as the adapter needs it back

    def __str__(self) -> str:
        return f"(DynamoDB type {self.kind})"


#: A row's attribute: a string, nothing, or something odd.
Value = str | NonString | None


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
    aside: str | None = None  # without a public_ip: a public address that another interface or private address has


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


#: Named values in a fixed order, as shown in a report.
Fields = tuple[tuple[str, str | bool | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference between the desired and the actual world, and what takes it away. Each kind is a type of its own.

    ::

        Change
        ├── RecordChange   CreateRecord, UpdateRecord, DeleteRecord
        └── RowChange      WriteLink, ClearLink, EndMeeting
    """

    action: ClassVar[Action]

    instance: str | None  # the machine that it is about; None: a whole meeting
    meeting: str | None
    role: str | None
    before: Fields
    after: Fields
    reason: str
    rule: str
    evidence: tuple[str, ...] = ()  # machines by whose state, address or absence this takes something away
    guarded: bool = False  # the guard lets it wait

    @property
    def key(self) -> str:
        """The record's name, or the meeting's id."""
        raise NotImplementedError

    @property
    def ident(self) -> tuple[str, str, str, str]:
        """What makes this change this change, whatever its values are."""
        return (self.action, self.key, self.role or "", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordChange(Change):
    """One write to one record: it carries all of the wanted state, so that it may be sent twice."""

    name: str

    @property
    def key(self) -> str:
        """The record's name."""
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRecord(RecordChange):
    """A record that is to be there. The oldest machine is served first."""

    action: ClassVar[Action] = Action.CREATE_RECORD

    content: str
    comment: str
    launched: float = 0.0  # epoch seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRecord(RecordChange):
    """A record that is to be as it should be."""

    action: ClassVar[Action] = Action.UPDATE_RECORD

    id: str
    content: str
    comment: str | None  # None: leave it as it is

    @property
    def ident(self) -> tuple[str, str, str, str]:
        """One name can have several records."""
        return (self.action, self.key, self.role or "", self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteRecord(RecordChange):
    """A record that is to go."""

    action: ClassVar[Action] = Action.DELETE_RECORD

    id: str

    @property
    def ident(self) -> tuple[str, str, str, str]:
        """One name can have several records."""
        return (self.action, self.key, self.role or "", self.id)


@dataclass(frozen=True, slots=True)
class Condition:
    """A row's attribute must be one of these values (``None``: absent) for a write to happen."""

    attribute: str
    values: tuple[Value, ...]
    negated: bool = False  # none of these values instead


@dataclass(frozen=True, slots=True)
class RowWrite:
    """One conditional write to one meeting's row; it never creates a row."""

    conditions: tuple[Condition, ...]
    sets: tuple[tuple[str, str], ...] = ()
    defaults: tuple[tuple[str, str], ...] = ()  # set only where the row has none
    removes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange(Change):
    """A change of one meeting's row."""

    meeting: str
    write: RowWrite

    @property
    def key(self) -> str:
        """The meeting's id."""
        return self.meeting


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearLink(RowChange):
    """A link that is to go; ``instance`` is the machine that it leads to."""

    action: ClassVar[Action] = Action.CLEAR_LINK

    instance: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteLink(RowChange):
    """A link that is to lead to ``instance``; an early status moves on with it."""

    action: ClassVar[Action] = Action.WRITE_LINK

    instance: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndMeeting(RowChange):
    """A meeting whose machines are gone."""

    action: ClassVar[Action] = Action.TERMINATE_MEETING

    instance: None = None
    role: None = None


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


class Mode(StrEnum):
    """A plan writes nothing, anywhere."""

    PLAN = "plan"
    APPLY = "apply"


@dataclass(frozen=True, slots=True)
class Heard:
    """What events say of an instance: it decides nothing, but shows whether EC2's answer is behind."""

    state: str  # the latest one
    at: datetime  # when AWS saw it
    since: datetime  # when AWS saw the first change that this request is about, for a metric


@dataclass(frozen=True, slots=True)
class Request:
    """One pass: over everything (``scope`` None), or over these instances."""

    mode: Mode
    scope: frozenset[str] | None = None
    force: bool = False  # let guarded changes through, once
    is_scheduled: bool = False  # nobody waits for it, and alarms count on it
    expect: str | None = None  # the digest of the plan that was reviewed
    findings: tuple[Finding, ...] = ()  # what was odd about the request itself
    heard: Mapping[str, Heard] = field(default_factory=dict, compare=False)  # by instance, from the events
    #: The queue's message ids by instance, where the request is a batch from a queue: one that failed goes back alone.
    messages: Mapping[str, tuple[str, ...]] | None = field(default=None, compare=False)
