"""A cell's stack beside a hub: what the hub's role can do there, on an emulator that asks every role.

The emulator knows no policy of an event bus, so no other account is named here.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from controller.sandbox.aws import TABLE
from tests.infra.cloudformation import read
from tests.infra.deploy.account import Account
from tests.infra.deploy.deployment import QUICKLY, Deployment, deploy, drop_unknown_keys
from tests.infra.deploy.emulator import Credentials

pytestmark = [pytest.mark.deploy, pytest.mark.xdist_group("one emulator")]

EXTERNAL_ID, ROLE = "pupils", "ElephantDNSCell"
ROLE_ARN = f"arn:aws:iam::123456789012:role/{ROLE}"
CELLS = "123456789012/us-west-2,123456789012/eu-west-1"


@pytest.fixture(scope="session")
def hub(account: Account, package: Path) -> Deployment:
    """A hub that only plans, with cells."""
    cells = {"Cells": CELLS, "CellRole": ROLE, "CellExternalId": EXTERNAL_ID}
    return deploy(account, package, "hub", NameSuffix="-hub", ScheduleAction="plan", Enabled="false", **cells)


@pytest.fixture(scope="session")
def cell(hub: Deployment) -> set[str]:
    """A cell's stack, here with its role although the account is the hub's; the states of its resources."""
    formation = hub.client("cloudformation")
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
    return {f"{one['LogicalResourceId']} {one['ResourceStatus']}" for one in found}


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


def test_every_resource_of_a_cell_is_created(cell: set[str]) -> None:
    assert cell == {f"{name} CREATE_COMPLETE" for name in read("cell.yaml")["Resources"]}


@pytest.mark.usefixtures("cell")
def test_hubs_role_sees_machines_of_a_cell_and_nothing_else(hub: Deployment) -> None:
    credentials = in_the_cell(hub, ExternalId=EXTERNAL_ID)
    ec2, dynamodb = (hub.account.aws.client(service, credentials) for service in ("ec2", "dynamodb"))
    assert code(ec2.describe_instances) == ""
    assert code(ec2.terminate_instances, InstanceIds=["i-0123456789abcdef0"]) == "UnauthorizedOperation"
    assert code(dynamodb.scan, TableName=TABLE) == "AccessDeniedException"


@pytest.mark.usefixtures("cell")
def test_hubs_role_without_the_external_id_gets_no_cell(hub: Deployment) -> None:
    assert code(lambda **external: in_the_cell(hub, **external)) == "AccessDenied"
    assert code(lambda **external: in_the_cell(hub, **external), ExternalId="others") == "AccessDenied"


def look(hub: Deployment) -> None:
    """Look at the cell's machines as the function does."""
    hub.account.aws.client("ec2", in_the_cell(hub, ExternalId=EXTERNAL_ID)).describe_instances()


@pytest.mark.usefixtures("cell")
@pytest.mark.parametrize("action", ["sts:AssumeRole", "ec2:DescribeInstances"])
def test_a_look_at_a_cell_takes_each_action(hub: Deployment, action: str) -> None:
    there = replace(hub, outputs={"RoleArn": ROLE_ARN})
    with (hub if action == "sts:AssumeRole" else there).without(action):
        assert code(look, hub=hub) in {"AccessDenied", "UnauthorizedOperation"}
    assert code(look, hub=hub) == ""


@pytest.mark.usefixtures("cell")
def test_rules_of_a_cell_send_to_the_hubs_bus(hub: Deployment) -> None:
    events = hub.client("events")
    for rule in ("ElephantCellStateWatch", "ElephantCellTagWatch"):
        (target,) = events.list_targets_by_rule(Rule=rule)["Targets"]
        assert target["Arn"] == hub.outputs["HubBusArn"] == events.describe_event_bus(Name="default")["Arn"]
