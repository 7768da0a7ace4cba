"""Was it safe? Every applied write is judged on what the world was, whatever the pass was told about it."""

import re
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from controller.sandbox.aws_machines import Machine
from tests.clouds import MARK, link, name
from tests.faults.calls import BATCH
from tests.faults.witness import Deed, Record, Row, State

NAME = re.compile(r"(i-(?:[0-9a-f]{8}|[0-9a-f]{17}))\.example\.com")
EARLY = (None, "PENDING", "SCHEDULED", "LAUNCHED")
LIVE = ("LAUNCHED", "DNS_WRITTEN", "HEALTHY", "IN_PROGRESS")
ROLES = ("teacher", "student")
LINKS = tuple(f"{role}_ec2_link" for role in ROLES)
GRACE = timedelta(minutes=5)


def misdeeds(deeds: Iterable[Deed], scope: Collection[str] | None, *, told_lies: bool = False) -> list[str]:
    """What was done and may not be, a sentence each."""
    found = list[str]()
    for deed in deeds:
        if deed.operation == BATCH:
            found += _of_records(deed, scope)
        else:
            found += _of_rows(deed, scope, told_lies=told_lies)
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


def _serves(machine: Machine | None) -> bool:
    if machine is None or machine.state != "running" or not machine.address:
        return False
    tags = machine.tags
    return tags.get("Project") == "Elephant" and bool(tags.get("MeetingID")) and tags.get("Role") in ROLES


def _of_records(deed: Deed, scope: Collection[str] | None) -> Iterator[str]:
    before = {record["id"]: record for record in deed.before.records}
    after = {record["id"]: record for record in deed.after.records}
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if old != new:
            yield from _of_record(old, new, deed, scope)


def _of_record(old: Record | None, new: Record | None, deed: Deed, scope: Collection[str] | None) -> Iterator[str]:
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
        yield from _of_delete(record, machine, deed, is_scoped=scope is not None)
        return
    if not (_serves(machine) and machine and is_right(new, machine.address)):
        yield f"a wrong record was written: {_short(new)} for {machine}"
    if old and not is_ours(old) and (old["comment"] or "").startswith("elephant-dns:"):
        yield f"a foreign record was changed: {_short(old)}"


def _of_delete(record: Record, machine: Machine | None, deed: Deed, *, is_scoped: bool) -> Iterator[str]:
    if not is_ours(record):
        yield f"a record that is not ours was deleted: {_short(record)}"
    if machine is None:
        age = datetime.now(UTC) - datetime.fromisoformat(record["created_on"])
        if is_scoped or age < GRACE:
            yield f"a record was deleted on absence alone: {_short(record)}"
    elif _serves(machine) and record["content"] == machine.address:
        if not any(is_right(other, machine.address) for other in deed.after.at(record["name"])):
            yield f"the right record of a machine that serves was deleted: {_short(record)}"
    elif is_scoped and machine.state in ("pending", "running") and not machine.tags.get("Project"):
        yield f"a scoped pass deleted on a lost tag: {_short(record)}"


def _of_rows(deed: Deed, scope: Collection[str] | None, *, told_lies: bool) -> Iterator[str]:
    """Of the row that was written; other hands may be at other rows at the same time."""
    key = str(deed.row)
    old, new = deed.before.rows.get(key), deed.after.rows.get(key)
    if old is None and new is not None:
        yield f"the row {key} was created"
    elif old and new is None:
        yield f"the row {key} was removed"
    elif old and new and old != new:
        yield from _of_row(old, new, deed.before, told_lies=told_lies)
        yield from _of_scope(old, new, deed.before, scope)


def _of_row(old: Row, new: Row, state: State, *, told_lies: bool) -> Iterator[str]:
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
            yield from _of_link(old, new, role, state, told_lies=told_lies)


def _of_link(old: Row, new: Row, role: str, state: State, *, told_lies: bool) -> Iterator[str]:
    was, became = old.get(f"{role}_ec2_link"), new.get(f"{role}_ec2_link")
    if became is None:
        if _is_served(old, role, state):
            yield f"{old['id']}: the link of {role} to {was} worked and was removed"
        if not isinstance(was, str) or not re.fullmatch(rf"https://{NAME.pattern}:8443", was):
            yield f"{old['id']}: a link of another shape was removed"
        return
    machine = _linked(new, role, state)
    if not (machine and _serves(machine) and _belongs(machine, new["id"], role)):
        yield f"{new['id']}: {role} was sent to {became}, and there is {machine}"
    elif not told_lies and not any(is_right(record, machine.address) for record in state.at(name(machine.id))):
        yield f"{new['id']}: {role} was sent to {became}, and its record is not in place"


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
    if not members or any(new.get(field) for field in LINKS if str(new.get(field)).endswith(":8443")):
        yield f"{old['id']}: ended without members, or with a link: {new}"
    if old.get("termination_reason") and old["termination_reason"] != new["termination_reason"]:
        yield f"{old['id']}: the reason of its end was overwritten"


def _of_scope(old: Row, new: Row, state: State, scope: Collection[str] | None) -> Iterator[str]:
    machines = [m for i in scope or () if (m := state.machines.get(i)) and m.tags.get("MeetingID") == old["id"]]
    if scope is None or (machines and new.get("status") == "TERMINATED"):
        return
    roles = {machine.tags.get("Role") for machine in machines}
    for role in ROLES:
        if old.get(f"{role}_ec2_link") != new.get(f"{role}_ec2_link") and role not in roles:
            yield f"{old['id']}: the link of {role} is not in scope"


def _short(record: Record) -> str:
    return " ".join(str(record[field]) for field in ("name", "content", "proxied", "comment"))
