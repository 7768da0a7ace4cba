"""The values that all modules share: the request, the observed world, the plan, and the outcomes.

All of them are frozen. The adapters normalise what they read, so that ``==`` is the test for drift. What the rules
decide is data, which can be printed, signed and refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

TERMINATED = "TERMINATED"
DNS_WRITTEN = "DNS_WRITTEN"

#: Statuses that become ``DNS_WRITTEN`` when a link is written. ``None`` is a row without a status.
EARLY_STATUSES: tuple[str | None, ...] = (None, "PENDING", "SCHEDULED", "LAUNCHED")
#: Statuses that show that the machines exist or existed.
SEEN_STATUSES = frozenset({DNS_WRITTEN, "HEALTHY", "IN_PROGRESS"})
#: Statuses of a meeting that has machines, and so can lose them.
LIVE_STATUSES = frozenset({"LAUNCHED", *SEEN_STATUSES})
KNOWN_STATUSES = frozenset({*(s for s in EARLY_STATUSES if s), *LIVE_STATUSES, TERMINATED})


@dataclass(frozen=True, slots=True)
class NonString:
    """A row's attribute that should be a string and is not. Kept, so that a condition can name it."""

    kind: str  # DynamoDB's type letter: "N", "M", "NULL", …
    json: str  # the attribute in the form that the adapter sends back

    def __str__(self) -> str:
        return f"(DynamoDB type {self.kind})"


#: A row's attribute: a string, absent, or another type.
Value = str | NonString | None


@dataclass(frozen=True, slots=True)
class Instance:
    """An EC2 instance as one reading saw it, with tags as they are."""

    id: str
    state: str
    public_ip: str | None
    tagged: bool  # carries the project's tag
    meeting: str | None
    role: str | None
    launched_at: datetime | None
    cell: str | None = None  # <account>/<region>, where a deployment has several
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
        """Return when the record was last written, or None if Cloudflare's answer does not say."""
        return self.modified_on or self.created_on


@dataclass(frozen=True, slots=True)
class Meeting:
    """A row of the meetings table, without the attributes about people."""

    id: str
    status: Value
    instance_ids: Mapping[str, Value]  # role → {role}_ec2_id
    links: Mapping[str, Value]  # role → {role}_ec2_link
    meet_time: Value = None
    termination_reason: Value = None


@dataclass(frozen=True, slots=True)
class Zone:
    """What is known about the Cloudflare zone."""

    name: str | None  # None: not read, or not readable
    batch_limit: int = 200  # changes; the limit of Cloudflare's free plan, which every plan accepts
    holds_domain: bool = False  # proven: a record created under DOMAIN_ROOT gets its name under DOMAIN_ROOT
    quota: int | None = None  # records of any name that its plan allows; None: not known
    records: int = 0  # of any name; the zone holds at least so many


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a pass sees and must not fix."""

    id: str
    key: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class World:
    """One observation. What was not read is unknown: neither there nor absent."""

    now: datetime
    instances: Mapping[str, Instance]
    absent: frozenset[str]  # in a full pass: asked for by id, and not known to EC2
    records: tuple[DnsRecord, ...]
    meetings: Mapping[str, Meeting]
    rowless: frozenset[str]  # meeting ids asked for, and not in the table
    zone: Zone
    scope: frozenset[str] | None = None  # None: everything
    findings: tuple[Finding, ...] = ()
    #: Cells that could not be read: neither empty nor absent. What was seen of them before is left out again.
    unread: frozenset[str] = frozenset()


class Action(StrEnum):
    """What a change does, in the order in which an apply does it."""

    DELETE_RECORD = "delete-record"
    UPDATE_RECORD = "update-record"
    CREATE_RECORD = "create-record"
    CLEAR_LINK = "clear-link"
    WRITE_LINK = "write-link"
    TERMINATE_MEETING = "terminate-meeting"


#: Names and values in the order in which a report shows them.
Fields = tuple[tuple[str, str | bool | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference between the desired and the actual world, and the write that removes it. One type for each kind.

    ::

        Change
        ├── RecordChange   CreateRecord, UpdateRecord, DeleteRecord
        └── RowChange      WriteLink, ClearLink, EndMeeting
    """

    action: ClassVar[Action]

    instance: str | None  # the machine that the change is about; None: a whole meeting
    meeting: str | None
    role: str | None
    before: Fields
    after: Fields
    reason: str
    rule: str
    evidence: tuple[str, ...] = ()  # machines; their state, address or absence is why the change removes something
    guarded: bool = False  # held by the guard

    @property
    def key(self) -> str:
        """Return the record name or the meeting id."""
        raise NotImplementedError

    @property
    def ident(self) -> tuple[str, str, str, str]:
        """Return the identity of the change, which does not depend on its values."""
        return (self.action, self.key, self.role or "", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordChange(Change):
    """One write to one record. It carries the whole desired state, so that it may be sent twice."""

    name: str

    @property
    def key(self) -> str:
        """Return the record name."""
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRecord(RecordChange):
    """Create a record. Records of older machines are created first."""

    action: ClassVar[Action] = Action.CREATE_RECORD

    content: str
    comment: str
    launched: float = 0.0  # epoch seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRecord(RecordChange):
    """Update a record."""

    action: ClassVar[Action] = Action.UPDATE_RECORD

    id: str
    content: str
    comment: str | None  # None: keep the present one

    @property
    def ident(self) -> tuple[str, str, str, str]:
        """Return the identity with the record's id, because one name can have several records."""
        return (self.action, self.key, self.role or "", self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteRecord(RecordChange):
    """Delete a record."""

    action: ClassVar[Action] = Action.DELETE_RECORD

    id: str

    @property
    def ident(self) -> tuple[str, str, str, str]:
        """Return the identity with the record's id, because one name can have several records."""
        return (self.action, self.key, self.role or "", self.id)


@dataclass(frozen=True, slots=True)
class Condition:
    """A write needs a row's attribute to be one of these values (``None``: absent)."""

    attribute: str
    values: tuple[Value, ...]
    negated: bool = False  # the attribute must be none of these values


@dataclass(frozen=True, slots=True)
class RowWrite:
    """One conditional write to one meeting's row. It never creates a row."""

    conditions: tuple[Condition, ...]
    sets: tuple[tuple[str, str], ...] = ()
    defaults: tuple[tuple[str, str], ...] = ()  # set only where the row has none
    removes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange(Change):
    """A change to one meeting's row."""

    meeting: str
    write: RowWrite

    @property
    def key(self) -> str:
        """Return the meeting id."""
        return self.meeting


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearLink(RowChange):
    """Remove a link. ``instance`` is the machine that it leads to."""

    action: ClassVar[Action] = Action.CLEAR_LINK

    instance: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteLink(RowChange):
    """Write the link to ``instance``. An early status becomes DNS_WRITTEN with it."""

    action: ClassVar[Action] = Action.WRITE_LINK

    instance: str
    role: str
    launched_at: datetime | None = None  # the machine's, to tell how long its user waited
    begins: datetime | None = None  # the meeting's time, where it can be read


@dataclass(frozen=True, slots=True, kw_only=True)
class EndMeeting(RowChange):
    """End a meeting, because its machines are gone."""

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
    """What a pass would do: sorted, deterministic, and independent of the order in which the world was read."""

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
    """A change, with what was really written, and how it ended."""

    change: Change
    outcome: Outcome
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """The results of an apply, and its findings."""

    results: tuple[Result, ...]
    findings: tuple[Finding, ...] = ()


class Mode(StrEnum):
    """Whether a pass only plans, and writes nothing anywhere, or also applies."""

    PLAN = "plan"
    APPLY = "apply"


@dataclass(frozen=True, slots=True)
class Heard:
    """What events say about an instance. It decides nothing, but shows whether EC2's answer is behind."""

    state: str  # the latest one
    at: datetime  # when AWS saw it
    since: datetime  # when AWS saw the first change in this request, for a metric


@dataclass(frozen=True, slots=True)
class Request:
    """A request for one pass: over everything (``scope`` None), or over these instances.

    With ``cells`` the pass observes everything, and does only what is about the machines of these cells.
    """

    mode: Mode
    scope: frozenset[str] | None = None
    force: bool = False  # release guarded changes, once
    is_scheduled: bool = False  # from the schedule, which the alarms watch
    expect: str | None = None  # the digest of the plan that was reviewed
    cells: frozenset[str] | None = None  # None: all; a pass over single instances has none
    findings: tuple[Finding, ...] = ()  # about the request itself
    heard: Mapping[str, Heard] = field(default_factory=dict, compare=False)  # by instance, from the events
    homes: Mapping[str, str] = field(default_factory=dict, compare=False)  # by instance, the cell its event names
    #: The queue's message ids by instance, where the request is a batch from a queue: one that failed goes back alone.
    messages: Mapping[str, tuple[str, ...]] | None = field(default=None, compare=False)
