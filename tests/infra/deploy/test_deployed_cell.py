"""A hub, and a cell in another account and region, on an emulator that asks every role.

The emulator knows no policy of an event bus and forwards nothing to another account: `test_forwarding` shows these.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from controller.sandbox.aws import ACCOUNT, REGION, TABLE
from tests.infra.cloudformation import read
from tests.infra.deploy.account import Account
from tests.infra.deploy.deployment import QUICKLY, Deployment, deploy, drop_unknown_keys, without
from tests.infra.deploy.emulator import OTHER_ROOT_USER, Credentials
from tests.support.build import name

pytestmark = [pytest.mark.deploy, pytest.mark.xdist_group("one emulator")]

EXTERNAL_ID, ROLE = "pupils", "ElephantDNSCell"
OTHER, AWAY = OTHER_ROOT_USER["AWS_ACCESS_KEY_ID"], "eu-west-1"
ROLE_ARN = f"arn:aws:iam::{OTHER}:role/{ROLE}"
HERE, THERE = f"{ACCOUNT}/{REGION}", f"{OTHER}/{AWAY}"


@pytest.fixture(scope="session")
def hub(account: Account, package: Path) -> Deployment:
    """A hub with cells and a table of its own, that no event starts."""
    account = replace(account, table=f"{TABLE}-other")
    cells = {"Cells": f"{HERE},{THERE}", "CellRole": ROLE, "CellExternalId": EXTERNAL_ID}
    return deploy(account, package, "hub", NameSuffix="-hub", TableName=account.table, Enabled="false", **cells)


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell's stack, and the account that it is in."""

    hub: Deployment
    resources: set[str]

    def client(self, service: str) -> Any:
        """The root user's client there."""
        return self.hub.account.aws.client(service, OTHER_ROOT_USER, region=AWAY)

    def launch(self, meeting: str) -> str:
        """Start a teacher's machine, and write its id into the meeting's row."""
        return self.hub.account.launch(meeting, ec2=self.client("ec2"))


@pytest.fixture(scope="session")
def cell(hub: Deployment) -> Cell:
    """The stack of infra/cell.yaml in the other account."""
    formation = Cell(hub, set()).client("cloudformation")
    template = read("cell.yaml")
    drop_unknown_keys(template)
    given = {
        "HubBusArn": hub.outputs["HubBusArn"],
        "HubRoleArn": hub.outputs["HubRoleArn"],
        "ExternalId": EXTERNAL_ID,
    }
    formation.create_stack(
        StackName="cell",
        TemplateBody=json.dumps(template),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
    )
    formation.get_waiter("stack_create_complete").wait(StackName="cell", WaiterConfig=QUICKLY)
    found = formation.describe_stack_resources(StackName="cell")["StackResources"]
    return Cell(hub, {f"{one['LogicalResourceId']} {one['ResourceStatus']}" for one in found})


@pytest.fixture
def fleet(cell: Cell) -> Iterator[tuple[str, str]]:
    """A lesson in the hub and one in the cell; nothing of them is left."""
    cell.hub.account.empty()
    machines = cell.hub.account.launch("m-here"), cell.launch("m-there")
    yield machines
    cell.client("ec2").terminate_instances(InstanceIds=[machines[1]])


def in_the_cell(hub: Deployment, **external: str) -> Credentials:
    """What the hub's function gets for the cell's role."""
    sts = hub.account.aws.client("sts", hub.credentials())
    session = sts.assume_role(RoleArn=ROLE_ARN, RoleSessionName="elephant-dns", **external)["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
        "AWS_SESSION_TOKEN": session["SessionToken"],
    }


def code(call: Any, **arguments: Any) -> str:
    """The error of a call, if any."""
    try:
        call(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def marks(hub: Deployment) -> dict[str, str]:
    """Name → the cell that the record's mark names."""
    records = hub.account.cloudflare.records()
    return {str(one["name"]): str(one["comment"]).split(" ")[0].removeprefix("elephant-dns:") for one in records}


def test_every_resource_of_a_cell_is_created(cell: Cell) -> None:
    assert cell.resources == {f"{one} CREATE_COMPLETE" for one in read("cell.yaml")["Resources"]}


def test_function_serves_machines_of_both_accounts(hub: Deployment, fleet: tuple[str, str]) -> None:
    answer = hub.invoke({"action": "apply"})
    assert (answer.failed, answer.content["converged"]) == (False, True)
    assert marks(hub) == {name(fleet[0]): HERE, name(fleet[1]): THERE}
    assert hub.account.row("m-there")["status"] == "DNS_WRITTEN"


def test_function_serves_the_hub_where_the_cell_refuses(hub: Deployment, cell: Cell, fleet: tuple[str, str]) -> None:
    hub.invoke({"action": "apply"})
    late = hub.account.launch("m-late")
    cell.client("ec2").terminate_instances(InstanceIds=[fleet[1]])
    with without(cell.client("iam"), ROLE, "ec2:DescribeInstances"):
        answer = hub.invoke({"action": "apply"})
    assert answer.failed
    assert THERE in answer.content["errorMessage"]
    assert marks(hub) == {name(fleet[0]): HERE, name(late): HERE, name(fleet[1]): THERE}
    assert not hub.invoke({"action": "apply"}).failed
    assert marks(hub) == {name(fleet[0]): HERE, name(late): HERE}


def test_hubs_role_sees_machines_of_a_cell_and_nothing_else(hub: Deployment, cell: Cell) -> None:
    credentials = in_the_cell(hub, ExternalId=EXTERNAL_ID)
    ec2, dynamodb = (hub.account.aws.client(service, credentials, region=AWAY) for service in ("ec2", "dynamodb"))
    assert code(ec2.describe_instances) == ""
    assert code(ec2.terminate_instances, InstanceIds=["i-0123456789abcdef0"]) == "UnauthorizedOperation"
    assert code(dynamodb.scan, TableName=TABLE) == "AccessDeniedException"


def test_hubs_role_without_the_external_id_gets_no_cell(hub: Deployment, cell: Cell) -> None:
    assert code(lambda **external: in_the_cell(hub, **external)) == "AccessDenied"
    assert code(lambda **external: in_the_cell(hub, **external), ExternalId="others") == "AccessDenied"


def test_hub_takes_the_role_by_its_own_right(hub: Deployment, cell: Cell) -> None:
    with hub.without("sts:AssumeRole"):
        assert code(lambda: in_the_cell(hub, ExternalId=EXTERNAL_ID)) == "AccessDenied"
    assert code(lambda: in_the_cell(hub, ExternalId=EXTERNAL_ID)) == ""


def test_rules_of_a_cell_send_to_the_hubs_bus(hub: Deployment, cell: Cell) -> None:
    events = cell.client("events")
    for rule in ("ElephantCellStateWatch", "ElephantCellTagWatch"):
        (target,) = events.list_targets_by_rule(Rule=rule)["Targets"]
        assert (
            target["Arn"] == hub.outputs["HubBusArn"] == hub.client("events").describe_event_bus(Name="default")["Arn"]
        )
