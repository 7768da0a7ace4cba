"""One deployment with three cells: moto keeps them apart by the request's region and credentials."""

from typing import Any

from controller.sandbox.aws import ACCOUNT, REGION
from controller.sandbox.aws_http import operation_of
from controller.sandbox.aws_machines import Machines
from controller.sandbox.cloudflare import Proceed, Reply, Request
from controller.sandbox.cloudflare.exchange import Exchange
from tests.support.servers import Clouds, long_ago

HUB, EAST, AWAY = f"{ACCOUNT}/{REGION}", f"{ACCOUNT}/us-east-1", "210987654321/eu-west-1"
BUS = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
PLACES = ",".join((HUB, EAST, AWAY))
CELLS: dict[str, Any] = {"CELLS": PLACES, "CELL_ROLE": "ElephantDNSCell", "CELL_EXTERNAL_ID": "pupils"}


def machines_of(cell: str) -> Machines:
    """Return the machines of a cell."""
    account, _, region = cell.partition("/")
    return Machines(account, region)


def in_cell(cell: str, meeting: str, role: str = "teacher") -> str:
    """Launch a machine in a cell; return its id."""
    return machines_of(cell).launch(meeting, role, launched_at=long_ago())


def lessons(clouds: Clouds) -> dict[str, str]:
    """Add one lesson in each cell; return cell → the teacher's machine."""
    machines = {cell: in_cell(cell, f"m-{number}") for number, cell in enumerate((HUB, EAST, AWAY))}
    for number, machine in enumerate(machines.values()):
        clouds.aws.rows.put(f"m-{number}", status="LAUNCHED", teacher_ec2_id=machine)
    return machines


def marks(clouds: Clouds) -> dict[str, str]:
    """Return name → the cell that the record's mark names."""
    return {
        str(r["name"]): str(r["comment"]).split(" ")[0].removeprefix("elephant-dns:")
        for r in clouds.cloudflare.records()
    }


def refuse(clouds: Clouds, operation: str, region: str | None = None) -> None:
    """Answer an operation of AWS (in a region) with AccessDenied from now on."""
    error = "<Error><Code>AccessDenied</Code><Message>not allowed</Message></Error>"

    def intercept(request: Request, proceed: Proceed) -> Reply:
        is_here = region is None or f"/{region}/" in request.headers.get("authorization", "")
        if operation_of(Exchange(request)) == operation and is_here:
            return Reply.text(403, f"<Response><Errors>{error}</Errors></Response>", "text/xml")
        return proceed()

    clouds.aws.intercept = intercept
