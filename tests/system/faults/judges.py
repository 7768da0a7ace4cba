"""Was it safe? Every applied write is judged on what the world was, whatever the pass was told about it."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from controller.sandbox.aws_machines import Machine
from tests.support.servers import MARK, link, name
from tests.system.faults.calls import BATCH, DESCRIBE, LIST
from tests.system.faults.kinds import Kind
from tests.system.faults.witness import Deed, Record, Row, State

NAME = re.compile(r"(i-(?:[0-9a-f]{8}|[0-9a-f]{17}))\.example\.com")
EARLY = (None, "PENDING", "SCHEDULED", "LAUNCHED")
LIVE = ("LAUNCHED", "DNS_WRITTEN", "HEALTHY", "IN_PROGRESS")
ROLES = ("teacher", "student")
LINKS = tuple(f"{role}_ec2_link" for role in ROLES)
GRACE, DAY = timedelta(minutes=15), timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Excuse:
    """What nobody could know who did this."""

    was_lied_to: bool = False  # a reading was wrong and looked right
    was_blind: bool = False  # and again where it was looked at twice, or at Cloudflare, which is looked at once
    was_overtaken: bool = False  # another hand was at a record in the middle

    @classmethod
    def of(cls, kind: Kind | None) -> "Excuse":
        """What a fault of this kind excuses."""
        if kind is None:
            return cls()
        is_blind = kind.lies and (LIST in kind.at or (DESCRIBE in kind.at and kind.times is None))
        return cls(kind.lies, is_blind, kind.overtakes)


NO_EXCUSE = Excuse()


def misdeeds(deeds: Iterable[Deed], scope: Collection[str] | None, excuse: Excuse = NO_EXCUSE) -> list[str]:
    """What was done and may not be, a sentence each."""
    found = list[str]()
    for deed in deeds:
        if deed.operation == BATCH:
            found += _of_records(deed, scope, excuse)
        else:
            found += _of_rows(deed, scope, excuse)
    return found


def is_ours(record: Record) -> bool:
    """Whether it carries our mark."""
    comment = record["comment"] or ""
    return comment == MARK or comment.startswith(f"{MARK} ")


def is_right(record: Record, address: str | None) -> bool:
    """Whether this is the record that a machine at this address needs."""
    fits = (record["type"], record["content"], record["proxied"]) == ("A", address, True)
    return fits and is_ours(record)


def is_alive(machine: Machine | None) -> bool:
    """Whether it costs money."""
    return machine is not None and machine.state not in ("shutting-down", "terminated")


def is_up(machine: Machine) -> bool:
    """Whether it runs, or is about to."""
    return machine.state in ("pending", "running")


def _serves(machine: Machine | None) -> bool:
    if machine is None or machine.state != "running" or not machine.address:
        return False
    tags = machine.tags
    return tags.get("Project") == "Elephant" and bool(tags.get("MeetingID")) and tags.get("Role") in ROLES


def _of_records(deed: Deed, scope: Collection[str] | None, excuse: Excuse) -> Iterator[str]:
    before = {record["id"]: record for record in deed.before.records}
    after = {record["id"]: record for record in deed.after.records}
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if old != new:
            yield from _of_record(old, new, deed, scope, excuse)


def _of_record(
    old: Record | None, new: Record | None, deed: Deed, scope: Collection[str] | None, excuse: Excuse
) -> Iterator[str]:
    record: Any = new or old
    pattern = NAME.fullmatch(str(record["name"]))
    if pattern is None or record["type"] != "A":
        yield f"{record['name']} ({record['type']}) is none of our business"
        return
    instance = pattern[1]
    machine = deed.before.machines.get(instance)
    if scope is not None and instance not in scope:
        yield f"{record['name']} is not in scope"
    if new is None:
        yield from _of_delete(record, machine, excuse, is_scoped=scope is not None)
        return
    if not (_serves(machine) and machine and is_right(new, machine.address)):
        yield f"a wrong record was written: {_short(new)} for {machine}"
    if old and not is_ours(old) and (old["comment"] or "").startswith("elephant-dns:"):
        yield f"a foreign record was changed: {_short(old)}"


def _of_delete(record: Record, machine: Machine | None, excuse: Excuse, *, is_scoped: bool) -> Iterator[str]:
    if not is_ours(record):
        yield f"a record that is not ours was deleted: {_short(record)}"
    written = datetime.fromisoformat(record["modified_on"])
    if machine is None:
        if is_scoped or datetime.now(UTC) - written < GRACE:
            yield f"a record was deleted on absence alone: {_short(record)}"
    elif excuse.was_blind:
        return
    elif is_up(machine) and record["content"] == machine.address:
        yield f"the record of a living machine with its own address was deleted: {_short(record)}"
    elif is_up(machine) and not machine.address and written >= machine.launched_at:
        yield f"a record was deleted since EC2 shows no address, perhaps for a moment: {_short(record)}"


def _of_rows(deed: Deed, scope: Collection[str] | None, excuse: Excuse) -> Iterator[str]:
    """Of the row that was written; other hands may be at other rows at the same time."""
    key = str(deed.row)
    old, new = deed.before.rows.get(key), deed.after.rows.get(key)
    if old is None and new is not None:
        yield f"the row {key} was created"
    elif old and new is None:
        yield f"the row {key} was removed"
    elif old and new and old != new:
        yield from _of_row(old, new, deed.before, excuse)
        yield from _of_scope(old, new, scope)


def _of_row(old: Row, new: Row, state: State, excuse: Excuse) -> Iterator[str]:
    key = old["id"]
    changed = {field for field in old.keys() | new.keys() if old.get(field) != new.get(field)}
    if strange := changed - {"status", "termination_reason", *LINKS}:
        yield f"{key}: {sorted(strange)} changed"
    if old.get("status") == "TERMINATED":
        yield f"{key}: history was written"
    if new.get("status") == "TERMINATED":
        yield from _of_end(old, new, state)
        return
    if "status" in changed and not (old.get("status") in EARLY and new.get("status") == "DNS_WRITTEN"):
        yield f"{key}: status {old.get('status')} became {new.get('status')}"
    if "status" in changed and not any(_is_served(new, role, state) for role in ROLES):
        yield f"{key}: DNS_WRITTEN without a link that works"
    for role in ROLES:
        if f"{role}_ec2_link" in changed:
            yield from _of_link(old, new, role, state, excuse)


def _of_link(old: Row, new: Row, role: str, state: State, excuse: Excuse) -> Iterator[str]:
    became = new.get(f"{role}_ec2_link")
    if became is None:
        yield from _of_removal(old, role, state)
        return
    machine = _linked(new, role, state)
    if not (machine and _serves(machine) and _belongs(machine, new["id"], role)):
        yield f"{new['id']}: {role} was sent to {became}, and there is {machine}"
    elif not excuse.was_lied_to and not _leads_to(machine, state, is_alone=not excuse.was_overtaken):
        yield f"{new['id']}: {role} was sent to {became}, and its name does not lead there and nowhere else"


def _leads_to(machine: Machine, state: State, *, is_alone: bool) -> bool:
    """Whether the machine's name leads to it, and nowhere else, whoever owns its record."""
    there = [(record["content"], record["proxied"]) for record in state.at(name(machine.id))]
    return (machine.address, True) in there and (len(there) == 1 or not is_alone)


def _of_removal(old: Row, role: str, state: State) -> Iterator[str]:
    """A link goes where its machine was seen stopped or gone, or is another role's or another meeting's."""
    was = old.get(f"{role}_ec2_link")
    machine = _linked(old, role, state)
    if not isinstance(was, str) or not re.fullmatch(rf"https://{NAME.pattern}:8443", was):
        yield f"{old['id']}: a link of another shape was removed"
    elif machine is None:
        yield f"{old['id']}: the link of {role} to {was} was removed on absence"
    elif is_up(machine):
        meeting, tagged = machine.tags.get("MeetingID"), machine.tags.get("Role")
        is_anothers = meeting in state.rows if meeting not in (None, old["id"]) else tagged in {*ROLES} - {role}
        if not (is_anothers and machine.address):
            yield f"{old['id']}: the link of {role} to {was} leads to a machine that is up, and was removed"


def _linked(row: Row, role: str, state: State) -> Machine | None:
    return next((m for m in state.machines.values() if row.get(f"{role}_ec2_link") == link(m.id)), None)


def _belongs(machine: Machine, meeting: str, role: str) -> bool:
    return (machine.tags.get("MeetingID"), machine.tags.get("Role")) == (meeting, role)


def _is_served(row: Row, role: str, state: State) -> bool:
    machine = _linked(row, role, state)
    return machine is not None and _serves(machine) and _belongs(machine, row["id"], role)


def _of_end(old: Row, new: Row, state: State) -> Iterator[str]:
    tagged = {m.id for m in state.machines.values() if m.tags.get("MeetingID") == old["id"]}
    members = tagged | {str(old[f"{role}_ec2_id"]) for role in ROLES if f"{role}_ec2_id" in old}
    if old.get("status") not in LIVE:
        yield f"{old['id']}: ended although it was {old.get('status')}"
    if alive := [member for member in members if is_alive(state.machines.get(member))]:
        yield f"{old['id']}: ended although {alive} live"
    if any(member not in state.machines for member in members):
        yield from _of_end_on_absence(old, members, state)
    if not members or any(new.get(field) for field in LINKS if str(new.get(field)).endswith(":8443")):
        yield f"{old['id']}: ended without members, or with a link: {new}"
    if old.get("termination_reason") and old["termination_reason"] != new["termination_reason"]:
        yield f"{old['id']}: the reason of its end was overwritten"


def _of_end_on_absence(old: Row, members: Iterable[str], state: State) -> Iterator[str]:
    """Absence ends a meeting that has had its machines, a day late, unless another deployment may serve it."""
    time = datetime.fromisoformat(str(old.get("meet_time", "9999-12-31T00:00:00+00:00")))
    if old.get("status") == "LAUNCHED" or datetime.now(UTC) - time < DAY:
        yield f"{old['id']}: ended on absence within its day, or although it had not begun"
    marks = [record["comment"] or "" for member in members for record in state.at(name(member))]
    if any(mark.startswith("elephant-dns:") and not mark.startswith(MARK) for mark in marks):
        yield f"{old['id']}: ended although another deployment has marked a machine's record"


def _of_scope(old: Row, new: Row, scope: Collection[str] | None) -> Iterator[str]:
    """A scoped pass ends nothing, and changes links that lead, or are to lead, to its own machines."""
    if scope is None:
        return
    if new.get("status") == "TERMINATED":
        yield f"{old['id']}: ended by a scoped pass"
    own = {link(machine) for machine in scope}
    for role in ROLES:
        was, became = old.get(f"{role}_ec2_link"), new.get(f"{role}_ec2_link")
        if was != became and not own.intersection((was, became)):
            yield f"{old['id']}: the link of {role} is not in scope"


def _short(record: Record) -> str:
    return " ".join(str(record[field]) for field in ("name", "content", "proxied", "comment"))
