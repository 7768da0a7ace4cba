"""A factor of the small worlds: what a meeting's row may say."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from controller.model import Value
from tests.support.spec.sight import is_id
from tests.support.state import Row

STRANGE = "https://meet.example.org/x"  # a link of another shape
SOON = "2026-01-31T12:05:00Z"
LONG_PAST = "2026-01-30T11:00:00Z"  # more than 24 hours

#: A status, and a meeting's time where it matters.
Status = tuple[Value, Value]
STATUSES: tuple[Status, ...] = (
    (None, None),
    ("PENDING", None),
    ("SCHEDULED", None),
    ("LAUNCHED", SOON),
    ("LAUNCHED", LONG_PAST),
    ("DNS_WRITTEN", LONG_PAST),
    ("HEALTHY", SOON),
    ("IN_PROGRESS", LONG_PAST),
    ("TERMINATED", None),
    ("CANCELLED", None),
)


@dataclass(frozen=True, slots=True)
class Shape:
    """A row: its status, and for each role what it names and where its link leads (an instance, or as it stands)."""

    status: Status
    named: Mapping[str, Value] = field(default_factory=dict)
    linked: Mapping[str, Value] = field(default_factory=dict)
    reason: Value = None  # why it ended, by another writer

    def row(self) -> Row:
        """As the table holds it."""
        status, time = self.status
        row: dict[str, Value] = {"status": status, "meet_time": time, "termination_reason": self.reason}
        row["teacher_name"] = "Grace Hopper"
        row |= {f"{role}_ec2_id": value for role, value in self.named.items()}
        row |= {f"{role}_ec2_link": _link(value) for role, value in self.linked.items()}
        return {name: value for name, value in row.items() if value is not None}


def in_upper_case(instance: str) -> str:
    """A link to the instance as somebody shouts it: of our shape all the same."""
    return f"https://{instance}.example.com:8443".upper()


def _link(leads_to: Value) -> Value:
    return f"https://{leads_to}.example.com:8443" if is_id(leads_to) else leads_to
