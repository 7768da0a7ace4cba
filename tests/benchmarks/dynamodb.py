"""What a pass asks of DynamoDB: requests, and read and write units."""

from collections import Counter
from collections.abc import Iterator
from math import ceil
from typing import Any

from controller.sandbox.aws_http import operation_of
from controller.sandbox.cloudflare import Exchange
from tests.benchmarks.functions import Functions
from tests.benchmarks.servers import Servers
from tests.benchmarks.sizes import Sizes
from tests.benchmarks.table import Table
from tests.support.servers import Clouds

#: Bytes that one unit reads, and writes.
READ, WRITE = 4096, 1024
NOTE = """\
{meetings:,} meetings with two machines each, in rows of about {bytes:.0f} bytes. The requests are counted at the
server. The units are computed from the sizes of the rows as AWS charges them, since the emulator's own count does not
know sizes: a scan half a unit for each 4 KB of the table, a consistent read by key one unit for each 4 KB, a write one
for each KB."""


def measure(sizes: Sizes, functions: Functions) -> dict[str, Any]:
    """Every machine new, then nothing to do, then one event."""
    with Servers() as servers:
        servers.reset()
        machines = [machine for number in range(sizes.meetings) for machine in _launch(servers.clouds, number)]
        total = sum(size(row) for row in servers.clouds.aws.rows.all().values())
        passes = {
            "full pass, all links to write": _requests(servers.clouds),
            "full pass, nothing to do": _requests(servers.clouds),
            "pass for one event, nothing to do": _requests(servers.clouds, machines[0]),
        }
    return {"meetings": sizes.meetings, "bytes": total / sizes.meetings, "passes": passes}


def _launch(clouds: Clouds, number: int) -> list[str]:
    """A meeting's machines, and its row as scheduler and launcher write it."""
    ids = {role: clouds.aws.machines.launch(f"m{number}", role) for role in ("teacher", "student")}
    clouds.aws.rows.put(
        f"m{number}",
        status="LAUNCHED",
        meet_time="2026-01-31T12:00:00Z",
        created_at="2026-01-24T12:00:00Z",
        teacher_name="Ada Lovelace",
        student_name="Charles Babbage",
        jitsi_url=f"https://meet.example.com/elephant-m{number}",
        **{f"{role}_ec2_id": machine for role, machine in ids.items()},
    )
    return list(ids.values())


def _requests(clouds: Clouds, *scope: str) -> dict[str, Any]:
    clouds.aws.requests.clear()
    if not clouds.apply(*scope).ended_well:
        raise RuntimeError("The pass did not do its work.")
    rows = clouds.aws.rows.all()
    calls, units = Counter[str](), {"read": 0.0, "write": 0.0}
    for exchange in clouds.aws.requests:
        for kind, amount in _units(exchange, rows):
            calls[operation_of(exchange)] += 1
            units[kind] += amount
    return {"calls": calls, **units}


def _units(exchange: Exchange, rows: dict[str, dict[str, Any]]) -> Iterator[tuple[str, float]]:
    """What a request costs, if it is one to DynamoDB."""
    body: Any = exchange.json
    match operation_of(exchange):
        case "Scan":
            yield "read", ceil(sum(map(size, rows.values())) / READ) / 2
        case "GetItem":
            yield "read", max(1, ceil(size(rows.get(body["Key"]["id"]["S"], {})) / READ))
        case "UpdateItem":
            yield "write", ceil(size(rows[body["Key"]["id"]["S"]]) / WRITE)


def size(row: dict[str, str]) -> int:
    """Bytes of a row as AWS counts them: names and values."""
    return sum(len(name.encode()) + len(value.encode()) for name, value in row.items())


def table(raw: dict[str, Any]) -> Table:
    """A line for each pass."""
    return Table(
        title="DynamoDB",
        note=NOTE.format(**raw),
        columns=("", "Scan", "GetItem", "UpdateItem", "read units", "write units"),
        rows=tuple(_row(name, done) for name, done in raw["passes"].items()),
    )


def _row(name: str, done: dict[str, Any]) -> tuple[str, ...]:
    calls = [f"{done['calls'].get(operation, 0):,}" for operation in ("Scan", "GetItem", "UpdateItem")]
    return (name, *calls, f"{done['read']:,g}", f"{done['write']:,g}")
