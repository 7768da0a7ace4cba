"""All meetings at one moment: who can join, who must wait a little, who cannot.

The facts and the verdicts are those of a pass (``rules/facts.py``, ``rules/joining.py``); here they are only sorted.

============  ======================================================================================
standing      the first that fits
============  ======================================================================================
quiet         over or in somebody else's status; all its machines gone; or not launched, and not due
ready         everybody can join
starting      whoever cannot join yet has a machine that is younger than ten minutes, or is to come
not known     a machine was not seen, and may be in a cell that could not be read
cannot join   everything else
============  ======================================================================================
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from controller.model import KNOWN_STATUSES, TERMINATED, DnsRecord, Instance, Meeting, Value, World
from controller.report.report import Target
from controller.rules.facts import Facts, InstanceClass, is_a_day_past, moment_of
from controller.rules.joining import can_join
from controller.rules.meetings import members_of
from controller.settings import Settings

#: How long after its launch a machine may take until somebody can join: boot, record, link and health check.
TIME_TO_START = timedelta(minutes=10)
#: The same for a machine that should have been launched by the meeting's time.
TIME_TO_LAUNCH = timedelta(minutes=10)
_NOT_LAUNCHED = (None, "PENDING", "SCHEDULED")


class Standing(StrEnum):
    """How a meeting stands, the worst first."""

    CANNOT_JOIN = "cannot join"
    NOT_KNOWN = "not known"
    STARTING = "starting"
    READY = "ready"
    QUIET = "quiet"


_ORDER = {standing: place for place, standing in enumerate(Standing)}


class RecordState(StrEnum):
    """What stands at a machine's name."""

    RIGHT = "ok"
    WRONG = "wrong"
    NONE = "none"


class LinkState(StrEnum):
    """What a role's link is."""

    WRITTEN = "ok"
    OTHER = "other"  # not of this deployment's domain and port
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Seat:
    """One role of a meeting: its machine, its record, its link, and whether somebody gets there."""

    role: str
    machine: str | None
    state: str | None  # EC2's word; None where EC2 does not know the machine, or there is none
    launched_at: datetime | None
    record: RecordState
    seconds_to_record: float | None  # from the machine's launch; None where the record is older, or not right
    link: LinkState
    can_join: bool
    because: str
    is_known: bool = True  # False: its machine was not seen, and not every cell was read
    probed: str | None = None  # the verdict of a probe of the link, where one was asked for


@dataclass(frozen=True, slots=True)
class Line:
    """One meeting."""

    meeting: str
    meet_time: Value
    begins: datetime | None
    status: Value
    standing: Standing
    seats: tuple[Seat, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """All meetings that a pass sees, the worst first."""

    now: datetime
    target: Target
    lines: tuple[Line, ...]
    unread: tuple[tuple[str, str], ...] = ()  # cells that could not be read, and why

    @property
    def counts(self) -> Mapping[Standing, int]:
        """Return the number of meetings by how they stand."""
        return Counter(line.standing for line in self.lines)

    @property
    def somebody_cannot_join(self) -> bool:
        """Return whether a meeting needs a person now."""
        return self.counts[Standing.CANNOT_JOIN] > 0


def overview(world: World, settings: Settings, target: Target) -> Overview:
    """Return the overview of a whole world."""
    facts = Facts.of(world, settings)
    return Overview(world.now, target, _sorted(_line(facts, row) for row in world.meetings.values()))


def probed(seen: Overview, verdicts: Mapping[str, tuple[bool | None, str]]) -> Overview:
    """Return the overview with what a probe of each machine's link says: works, does not, or None for unknown; and why.

    A link that does not work keeps its user out, however right the record is.
    """
    return replace(seen, lines=_sorted(_line_probed(line, verdicts) for line in seen.lines))


def _line_probed(line: Line, verdicts: Mapping[str, tuple[bool | None, str]]) -> Line:
    seats = tuple(_seat_probed(seat, verdicts) for seat in line.seats)
    is_out = line.standing is Standing.READY and not all(seat.can_join for seat in seats)
    return replace(line, seats=seats, standing=Standing.CANNOT_JOIN if is_out else line.standing)


def _seat_probed(seat: Seat, verdicts: Mapping[str, tuple[bool | None, str]]) -> Seat:
    if not seat.can_join or seat.machine is None or seat.machine not in verdicts:
        return seat
    works, why = verdicts[seat.machine]
    if works is False:
        return replace(seat, can_join=False, because=why, probed="fails")
    return replace(seat, probed="works" if works else f"not known: {why}")


def _sorted(lines: Iterable[Line]) -> tuple[Line, ...]:
    return tuple(sorted(lines, key=lambda line: (_ORDER[line.standing], _begins(line), line.meeting)))


def _begins(line: Line) -> float:
    return line.begins.timestamp() if line.begins else float("inf")


def _line(facts: Facts, row: Meeting) -> Line:
    seats = tuple(_seat(facts, row, role) for role in facts.settings.roles)
    return Line(row.id, row.meet_time, moment_of(row.meet_time), row.status, _standing(facts, row, seats), seats)


def _seat(facts: Facts, row: Meeting, role: str) -> Seat:
    verdict = can_join(facts, row, role)
    machine = facts.world.instances.get(verdict.machine) if verdict.machine else None
    records = facts.records.get(verdict.machine or "", ())
    record = _record_state(records, machine)
    link = row.links.get(role)
    return Seat(
        role=role,
        machine=verdict.machine,
        state=machine.state if machine else None,
        launched_at=machine.launched_at if machine else None,
        record=record,
        seconds_to_record=_seconds_to(records, machine) if record is RecordState.RIGHT else None,
        link=LinkState.WRITTEN if facts.link_target(link) else LinkState.OTHER if link else LinkState.NONE,
        can_join=verdict.yes,
        because=verdict.because,
        is_known=machine is not None or not facts.world.unread or _is_absent(facts, verdict.machine),
    )


def _is_absent(facts: Facts, machine: str | None) -> bool:
    return machine is not None and facts.class_of(machine) is InstanceClass.ABSENT


def _seconds_to(records: Iterable[DnsRecord], machine: Instance | None) -> float | None:
    """Return how long after its launch the machine's record was there."""
    created = min((record.created_on for record in records if record.created_on), default=None)
    if created is None or machine is None or machine.launched_at is None or created < machine.launched_at:
        return None
    return (created - machine.launched_at).total_seconds()


def _record_state(records: Iterable[DnsRecord], machine: Instance | None) -> RecordState:
    leading = [record for record in records if record.type in ("A", "CNAME", "NS")]
    if not leading:
        return RecordState.NONE
    address = machine.public_ip if machine else None
    is_right = all((r.type, r.content, r.proxied) == ("A", address, True) for r in leading)
    return RecordState.RIGHT if is_right else RecordState.WRONG


def _standing(facts: Facts, row: Meeting, seats: tuple[Seat, ...]) -> Standing:
    now = facts.world.now
    if row.status == TERMINATED or (row.status is not None and row.status not in KNOWN_STATUSES):
        return Standing.QUIET
    if all(seat.can_join for seat in seats):
        return Standing.READY
    members = members_of(facts, row)
    is_up = any(facts.is_alive(machine) for machine in members)
    begins = moment_of(row.meet_time)
    is_due = begins is None or now >= begins + TIME_TO_LAUNCH
    blocked = [seat for seat in seats if seat.is_known and not seat.can_join]
    is_idle = row.status in _NOT_LAUNCHED and (not is_due or is_a_day_past(row.meet_time, now))
    if len(blocked) < sum(not seat.can_join for seat in seats) and not is_idle:
        is_bad = is_up and not all(_may_wait(seat, now, is_due=is_due) for seat in blocked)
        return Standing.CANNOT_JOIN if is_bad else Standing.NOT_KNOWN
    if not is_up:
        is_over = bool(members) or is_a_day_past(row.meet_time, now)
        is_early = row.status in _NOT_LAUNCHED and (begins is None or not is_due)
        return Standing.QUIET if is_over or is_early else Standing.STARTING if not is_due else Standing.CANNOT_JOIN
    waiting = [seat for seat in seats if not seat.can_join]
    return Standing.STARTING if all(_may_wait(seat, now, is_due=is_due) for seat in waiting) else Standing.CANNOT_JOIN


def _may_wait(seat: Seat, now: datetime, *, is_due: bool) -> bool:
    """Return whether it is too early to call somebody for this role."""
    if seat.state in ("pending", "running"):
        return seat.launched_at is not None and now - seat.launched_at < TIME_TO_START
    return seat.machine is None and not is_due
