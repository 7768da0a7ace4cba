"""Build lessons that are right in every respect, and spoil them.

A scene puts what it creates into the servers and into the expected end. A drift then changes one of the two: only the
servers if the controller has to restore what was, only the expectation if something new has to come.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol, Self

from controller.sandbox.aws_machines import Machines
from controller.sandbox.aws_rows import Rows
from controller.sandbox.cloudflare import CloudflareServer
from controller.sandbox.edge.desktops import Kind

#: How long ago machines were launched and records created: no longer young, and meetings not overdue.
LAUNCHED_AGO, RECORDED_AGO = timedelta(minutes=25), timedelta(minutes=23)
#: How long ago a machine was started again, if it was: its record is older.
RESTARTED_AGO = timedelta(minutes=20)
BOTH = ("teacher", "student")
STRANGER = "elephant-dns:999999999999/eu-west-1"

Owner = Literal["ours", "foreign", "unmarked"]


@dataclass(frozen=True, slots=True)
class Machine:
    """An instance that was launched for a role of a meeting."""

    id: str
    meeting: str
    role: str
    address: str
    domain_root: str

    @property
    def name(self) -> str:
        """Return the name of the machine's record."""
        return f"{self.id}.{self.domain_root}"

    @property
    def link(self) -> str:
        """Return the machine's join link."""
        return f"https://{self.name}:8443"


@dataclass(frozen=True, slots=True)
class Lesson:
    """A meeting with its machines."""

    id: str
    machines: tuple[Machine, ...]

    def __iter__(self) -> Iterator[Machine]:
        return iter(self.machines)

    @property
    def teacher(self) -> Machine:
        """Return the teacher's machine. Every lesson has one."""
        return self.machines[0]

    @property
    def student(self) -> Machine:
        """Return the student's machine."""
        return self.machines[1]


@dataclass(frozen=True, slots=True, order=True)
class Shown:
    """The visible fields of a record at a machine's name."""

    content: str
    owner: Owner = "ours"
    type: str = "A"
    proxied: bool = True

    @classmethod
    def of(cls, record: dict[str, Any], mark: str) -> Self:
        """Return the fields of a record as the API shows it."""
        comment = record["comment"] or ""
        owner: Owner = "unmarked"
        if comment.startswith("elephant-dns:"):
            owner = "ours" if comment == mark or comment.startswith(f"{mark} ") else "foreign"
        return cls(record["content"], owner, record["type"], record["proxied"])


@dataclass(slots=True)
class End:
    """The expected end after one pass: whole rows, whole names, and the findings."""

    rows: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    records: dict[str, set[Shown]] = field(default_factory=dict)
    findings: set[tuple[str, str]] = field(default_factory=set)  # finding id, key
    probed: set[tuple[str, str]] = field(default_factory=set)  # findings that only a probe of the links can make
    desktops: dict[str, Kind] = field(default_factory=dict)  # what stands at an address, where it is not up


class Place(Protocol):
    """A place with machines, and the table."""

    @property
    def account(self) -> str:
        """Return the account of the machines."""

    @property
    def region(self) -> str:
        """Return their region."""

    @property
    def machines(self) -> Machines:
        """Return the machines."""

    @property
    def rows(self) -> Rows:
        """Return the rows of the table, which may be in another place."""


@dataclass(slots=True)
class Scene:
    """The place of one drift. All scenes of a fleet share ``ids``, ``addresses`` and ``numbers``."""

    aws: Place
    cloudflare: CloudflareServer
    ids: Iterator[str]
    addresses: Iterator[str]
    numbers: Iterator[int]
    now: datetime
    end: End = field(default_factory=End)
    launched: int = 0

    @property
    def mark(self) -> str:
        """Return the text at the start of an own record's comment."""
        return f"elephant-dns:{self.aws.account}/{self.aws.region}"

    def meeting(self) -> str:
        """Return the id of another meeting."""
        return f"lesson-{next(self.numbers):04}"

    def lesson(self, status: str = "HEALTHY", roles: tuple[str, ...] = BOTH) -> Lesson:
        """Add a meeting that is right: machines, records, and a row with links."""
        meeting = self.meeting()
        lesson = Lesson(meeting, tuple(self.machine(meeting, role) for role in roles))
        for machine in lesson:
            self.record(machine)
        ids = {f"{machine.role}_ec2_id": machine.id for machine in lesson}
        links = {f"{machine.role}_ec2_link": machine.link for machine in lesson}
        self.row(meeting, status=status, **ids, **links)
        return lesson

    def solo(self, status: str = "HEALTHY") -> Machine:
        """Add a meeting that is right, in which only the teacher has a machine."""
        return self.lesson(status, BOTH[:1]).teacher

    def machine(
        self, meeting: str, role: str, *, address: str | None = None, tags: Mapping[str, str] | None = None
    ) -> Machine:
        """Add a machine without record and row."""
        address = address or next(self.addresses)
        made = self.aws.machines.launch(
            meeting, role, id=next(self.ids), address=address, launched_at=self.now - LAUNCHED_AGO, tags=tags
        )
        self.launched += 1
        self.end.records.setdefault(f"{made}.{self.cloudflare.zone_name}", set())
        return Machine(made, meeting, role, address, self.cloudflare.zone_name)

    def record(self, machine: Machine) -> None:
        """Add an own record at the machine's name, expected to stay."""
        self.stray_record(machine)
        self.end.records[machine.name].add(Shown(machine.address))

    def stray_record(self, machine: Machine, content: str | None = None, **otherwise: Any) -> str:
        """Add a record at the machine's name without expecting it to stay. By default it is a right, own one."""
        fields = {
            "comment": f"{self.mark} {machine.role} of {machine.meeting}",
            "created_on": self.now - RECORDED_AGO,
            "strict": False,
            **otherwise,
        }
        return self.cloudflare.seed(machine.name, content or machine.address, **fields)

    def take_records(self, machine: Machine) -> None:
        """Delete the records at the machine's name. The expected end does not change."""
        for record in self.cloudflare.records():
            if record["name"] == machine.name:
                self.cloudflare.remove(str(record["id"]))

    def row(self, meeting: str, **attributes: Any) -> None:
        """Add a row as scheduler and launcher write it, expected to stay."""
        row = {
            "meet_time": _iso(self.now + timedelta(minutes=5)),
            "created_at": _iso(self.now - timedelta(days=2)),
            "teacher_name": "Tabitha Teacher",
            "student_name": "Stanislaus Student",
            "jitsi_url": f"https://jitsi.invalid/{meeting}",
            **attributes,
        }
        self.aws.rows.put(meeting, **row)
        self.end.rows[meeting] = {"id": meeting, **row}

    def spoil(self, meeting: str, **attributes: Any) -> None:
        """Change the row (``...`` removes an attribute). The expected end does not change."""
        self.aws.rows.edit(meeting, **attributes)

    def expect(self, meeting: str, **attributes: Any) -> None:
        """Expect another row (``...``: without this attribute). The row itself does not change."""
        row = {**(self.end.rows[meeting] or {}), **attributes}
        self.end.rows[meeting] = {name: value for name, value in row.items() if value is not ...}

    def settle(self, meeting: str, **attributes: Any) -> None:
        """Change the row, and expect it to stay so."""
        self.spoil(meeting, **attributes)
        self.expect(meeting, **attributes)

    def expect_records(self, machine: Machine, *shown: Shown) -> None:
        """Expect these records at the machine's name."""
        self.end.records[machine.name] = set(shown)

    def expect_finding(self, finding: str, key: str) -> None:
        """Expect this finding in every pass."""
        self.end.findings.add((finding, key))


@dataclass(frozen=True, slots=True)
class Drift:
    """One way in which the world can drift: what happened, and what one pass does about it."""

    name: str
    story: str
    ending: str
    play: Callable[[Scene], None]


def drift(story: str, ending: str) -> Callable[[Callable[[Scene], None]], Drift]:
    """Return a decorator that turns a function into the drift that it plays, with the function's name."""

    def made(play: Callable[[Scene], None]) -> Drift:
        return Drift(play.__name__.strip("_").replace("_", "-"), story, ending, play)

    return made


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
