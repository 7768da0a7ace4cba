"""What the servers hold, as the specification knows a world; and what a request did there, as it knows a write."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from controller.model import DnsRecord, Instance
from controller.sandbox.aws_machines import Machine
from tests.model.properties.clouds import Write
from tests.support.servers import Clouds
from tests.support.state import State
from tests.system.faults import witness


def world_now(clouds: Clouds) -> State:
    """What they hold now."""
    return world_of(witness.State.of(clouds))


def world_of(state: witness.State) -> State:
    """The same world, at the present time."""
    return State(
        now=datetime.now(UTC),
        instances={key: _instance(machine) for key, machine in state.machines.items()},
        records={record["id"]: _record(record) for record in state.records},
        rows={key: _attributes(row) for key, row in state.rows.items()},
    )


def write_of(deed: witness.Deed) -> Write:
    """The same write. Records that it left alone are the same objects: by that the others are known."""
    before, after = world_of(deed.before), world_of(deed.after)
    raw = {record["id"]: record for record in deed.before.records}
    same = {record["id"] for record in deed.after.records if raw.get(record["id"]) == record}
    records = {key: before.records[key] if key in same else record for key, record in after.records.items()}
    method = "records.write" if deed.row is None else "rows.write"
    return Write(method, before, replace(after, records=records), key=deed.row or "")


def _instance(machine: Machine) -> Instance:
    tags = machine.tags
    return Instance(
        id=machine.id,
        state=machine.state,
        public_ip=machine.address,
        tagged=tags.get("Project") == "Elephant",
        meeting=tags.get("MeetingID"),
        role=tags.get("Role"),
        launched_at=machine.launched_at,
    )


def _record(record: witness.Record) -> DnsRecord:
    return DnsRecord(
        id=record["id"],
        name=record["name"],
        instance=str(record["name"]).partition(".")[0],
        type=record["type"],
        content=record["content"],
        proxied=record["proxied"],
        comment=record["comment"] or "",
        created_on=datetime.fromisoformat(record["created_on"]),
        modified_on=datetime.fromisoformat(record["modified_on"]),
    )


def _attributes(row: witness.Row) -> Mapping[str, Any]:
    return {name: value for name, value in row.items() if name != "id"}
