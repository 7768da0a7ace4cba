"""Further cells of the demo: machines in other regions and accounts, and an act about a cell that cannot be read."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Network
from itertools import count

from controller.model import TERMINATED
from controller.report.report import Report
from controller.rules.meetings import REASON_GONE
from controller.sandbox.aws import ACCOUNT, AwsServer
from controller.sandbox.aws_http import operation_of
from controller.sandbox.aws_machines import Machines
from controller.sandbox.aws_rows import Rows
from controller.sandbox.cloudflare import CloudflareServer, Proceed, Reply, Request
from controller.sandbox.cloudflare.exchange import Exchange, Interceptor
from controller.sandbox.drifts import DRIFTS, End, Scene
from controller.sandbox.drifts.scene import Place
from controller.sandbox.fleet import Fleet, Played, ids_of
from controller.sandbox.stage import Stage

#: The further cells in their order. The first is in another account, so the controller assumes a role there.
PLACES = (
    ("210987654321", "eu-west-1"),
    (ACCOUNT, "us-east-1"),
    ("210987654321", "ap-southeast-2"),
    (ACCOUNT, "eu-central-1"),
)
#: What drifts in each further cell.
DRIFTED = ("missed-launch", "address-changed", "stopped", "one-role-gone")
_REFUSED = (
    "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not authorized to perform this "
    "operation.</Message></Error></Errors></Response>"
)


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell's machines, and the hub's table."""

    account: str
    region: str
    machines: Machines
    rows: Rows


def seed(aws: AwsServer, cloudflare: CloudflareServer, cells: int) -> tuple[Fleet, ...]:
    """Add the fleets of all cells but the hub's: two healthy lessons in each, and some that drifted."""
    return tuple(_seeded(aws, cloudflare, number) for number in range(cells - 1))


def environment(fleet: Fleet) -> dict[str, str]:
    """Return the variables of a deployment with several cells; none for one place."""
    if not fleet.others:
        return {}
    cells = ",".join(each.cell for each in (fleet, *fleet.others))
    return {"CELLS": cells, "CELL_ROLE": "ElephantDNSCell", "CELL_EXTERNAL_ID": "sandbox"}


def play_unread(stage: Stage, fleet: Fleet, apply: Callable[[], Report]) -> bool:
    """Play the act: a cell cannot be read while a machine of it ends. Return whether the servers end as they must.

    ``apply`` runs a pass over everything.
    """
    away = fleet.others[0]
    meeting, row = next((id, row) for id, row in away.healthy.rows.items() if row and "student_ec2_id" not in row)
    ended, started = row["teacher_ec2_id"], _launched(fleet)
    (new,) = started.rows
    away.aws.intercept = _refusing(away)
    _machines(away.cell).terminate(ended)
    over = {row["id"] for row in fleet.aws.rows.all().values() if row["status"] == TERMINATED}
    stage.title("A cell that cannot be read")
    stage.say(
        f"EC2 refuses in {away.cell}, as after its role was deleted. Meanwhile {ended} ends there, the last machine of "
        f"{meeting}. In {fleet.cell} the machine of {new} starts. elephant-dns apply:"
    )
    stage.tell("")
    unread = apply()
    now_over = {row["id"] for row in fleet.aws.rows.all().values() if row["status"] == TERMINATED}
    for finding in unread.findings:
        if finding.id == "cell-not-read":
            stage.item("!", finding.id, f"{finding.message} {finding.hint}")
    checks = [
        ("the report", _not_loud(unread, away.cell), "the finding has the reason, and the pass fails"),
        ("the cell", away.differences(away.healthy), f"the record of {ended} stays: nobody knows whether it is up"),
        ("meetings", [f"{id} was ended" for id in sorted(now_over - over)], "none ends: a machine may be up there"),
        ("the others", fleet.differences(started), f"the machine of {new} has its record and its link"),
    ]
    shown = [_show(stage, *check) for check in checks]
    away.aws.intercept = None
    stage.title("The cell can be read again: the next pass")
    repaired = apply()
    kept = {name: value for name, value in row.items() if name != "teacher_ec2_link"}
    end = End(
        rows={meeting: {**kept, "status": TERMINATED, "termination_reason": REASON_GONE}},
        records={f"{ended}.{fleet.cloudflare.zone_name}": set()},
    )
    wrong = [*away.differences(end), *([] if repaired.ended_well else ["the pass failed"])]
    return _show(stage, "the cell", wrong, f"the record of {ended} is deleted, and {meeting} is ended") and all(shown)


def _show(stage: Stage, name: str, wrong: list[str], ending: str) -> bool:
    """Show what is wrong, or else how it ended. Return whether nothing is wrong."""
    stage.item("✗" if wrong else "✓", name, "; ".join(wrong) or ending)
    return not wrong


def _seeded(aws: AwsServer, cloudflare: CloudflareServer, number: int) -> Fleet:
    cell = Cell(*PLACES[number], _machines("/".join(PLACES[number])), aws.rows)
    make = _scenes(cell, cloudflare, number)
    healthy, drifts = make(), []
    healthy.lesson()
    healthy.solo()
    for drift in (drift for drift in DRIFTS if drift.name in DRIFTED):
        scene = make()
        drift.play(scene)
        drifts.append(Played(drift, scene.end))
    return Fleet(aws, cloudflare, tuple(drifts), healthy.end, (), healthy.mark)


def _scenes(place: Place, cloudflare: CloudflareServer, number: int) -> Callable[[], Scene]:
    """Return a maker of scenes with ids, addresses and meetings that no other cell has."""
    addresses = map(str, IPv4Network(f"52.{208 + number}.0.0/16").hosts())
    shared = (place, cloudflare, ids_of(1000 + number), addresses, count(10_000 * (number + 1)), datetime.now(UTC))
    return lambda: Scene(*shared)


def _launched(fleet: Fleet) -> End:
    """Launch a machine in the hub; return what a pass makes of it."""
    scene = _scenes(fleet.aws, fleet.cloudflare, len(PLACES))()
    machine = scene.solo("DNS_WRITTEN")
    scene.take_records(machine)
    scene.spoil(machine.meeting, status="LAUNCHED", teacher_ec2_link=...)
    return scene.end


def _machines(cell: str) -> Machines:
    account, _, region = cell.partition("/")
    return Machines(account, region)


def _refusing(away: Fleet) -> Interceptor:
    """Refuse to describe the machines of a cell. A request names its region in its signature."""
    _, _, region = away.cell.partition("/")

    def intercept(request: Request, proceed: Proceed) -> Reply:
        is_there = f"/{region}/ec2/" in request.headers.get("authorization", "")
        if is_there and operation_of(Exchange(request)) == "DescribeInstances":
            return Reply.text(403, _REFUSED, "text/xml")
        return proceed()

    return intercept


def _not_loud(report: Report, cell: str) -> list[str]:
    """Return what is missing in a report of a pass that did not read this cell."""
    is_found = any((finding.id, finding.key) == ("cell-not-read", cell) for finding in report.findings)
    return [
        *([] if is_found else [f"cell-not-read {cell} is not reported"]),
        *(["the pass did not fail"] if report.ended_well else []),
    ]
