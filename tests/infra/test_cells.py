"""A cell lets the hub see its machines and sends its events there, and the hub takes them from its cells alone."""

import re
from dataclasses import replace
from typing import Any

import pytest

from controller.settings import TABLE
from tests.infra.cloudformation import ACCOUNT, REGION, Stack, read, stack
from tests.infra.iam import Keys, Permission, Statement, allows, conditions, function, statements, without
from tests.infra.test_rights import actions, of_people

HUB = {
    "Cells": f"{ACCOUNT}/{REGION},210987654321/eu-west-1",
    "CellRole": "ElephantDNSCell",
    "CellExternalId": "pupils",
    "CellAccounts": "210987654321,210987654322",
}
HUB_ROLE = f"arn:aws:iam::{ACCOUNT}:role/watchdog"
BUS = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
WITH_ROLE = {"HubRoleArn": HUB_ROLE, "ExternalId": "pupils"}
EVENTS = "events.amazonaws.com"


def cell(**parameters: str) -> Stack:
    return stack("cell.yaml", **{"HubBusArn": BUS, **parameters})


def role(logical: str, **parameters: str) -> dict[str, Any]:
    return cell(**WITH_ROLE, **parameters).resources("AWS::IAM::Role")[logical]


def rights(one: dict[str, Any]) -> list[Statement]:
    return statements(policy["PolicyDocument"] for policy in one["Policies"])


def trust(one: dict[str, Any]) -> list[Statement]:
    """Who may take the role, as a policy about it: the principal stands where the resource stands in others."""
    (statement,) = one["AssumeRolePolicyDocument"]["Statement"]
    (principal,) = statement["Principal"].values()
    return [{**statement, "Resource": principal}]


def of_hub(**parameters: str) -> list[Statement]:
    policies = stack(**{**HUB, **parameters}).only("AWS::IAM::Role")["Policies"]
    return statements(one["PolicyDocument"] for one in policies)


def of_bus(**parameters: str) -> list[Statement]:
    """Who may send to the hub's bus."""
    return [
        one["Statement"] for one in stack(**{**HUB, **parameters}).resources("AWS::Events::EventBusPolicy").values()
    ]


# The hub's own rights.

ASSUMED = Permission("sts:AssumeRole", "arn:aws:iam::210987654321:role/ElephantDNSCell").with_keys(
    {"lambda:SourceFunctionArn": function()}
)
SEEN = Permission("ec2:DescribeInstances", "*").with_keys({"lambda:SourceFunctionArn": function()})


def test_hub_takes_the_cells_role_in_any_account_and_no_other() -> None:
    assert allows(of_hub(), ASSUMED)
    for name in ("ElephantDNSCell2", "Admin", "path/ElephantDNSCell"):
        assert not allows(
            of_hub(), Permission(ASSUMED.action, f"arn:aws:iam::210987654321:role/{name}", ASSUMED.context)
        )


def test_only_the_function_takes_the_cells_role() -> None:
    for caller in (None, function("Another")):
        assert not allows(of_hub(), ASSUMED.with_keys({"lambda:SourceFunctionArn": caller}))


@pytest.mark.parametrize("parameters", [{"CellRole": ""}, {"Cells": "", "CellRole": ""}])
def test_hub_without_a_cells_role_takes_none(parameters: dict[str, str]) -> None:
    assert "sts:AssumeRole" not in {one["Action"] for one in of_hub(**parameters) if isinstance(one["Action"], str)}


@pytest.mark.parametrize(("cells", "elsewhere"), [(HUB["Cells"], True), ("", False)])
def test_hub_sees_other_regions_where_it_has_cells(cells: str, elsewhere: bool) -> None:
    assert allows(of_hub(Cells=cells), SEEN.with_keys({"ec2:Region": REGION}))
    assert allows(of_hub(Cells=cells), SEEN.with_keys({"ec2:Region": "eu-west-1"})) == elsewhere


# The hub's bus.


def test_bus_takes_events_from_the_accounts_that_are_named() -> None:
    (statement,) = of_bus()
    assert statement["Principal"] == {"AWS": ["210987654321", "210987654322"]}
    assert (statement["Action"], statement["Resource"]) == ("events:PutEvents", stack(**HUB).output("HubBusArn"))


def test_bus_has_no_policy_without_other_accounts() -> None:
    assert of_bus(CellAccounts="") == []


@pytest.mark.parametrize(("source", "taken"), [("aws.ec2", True), ("aws.tag", True), ("our.app", False)])
def test_bus_takes_the_events_of_machines_alone(source: str, taken: bool) -> None:
    assert allows(of_bus(), Permission("events:PutEvents", BUS).with_keys({"events:source": [source]})) == taken


def test_people_see_machines_of_cells_where_both_sides_name_them() -> None:
    person = f"arn:aws:iam::{ACCOUNT}:role/oncall"
    asked = Permission("sts:AssumeRole", person).with_keys({"sts:ExternalId": "pupils"})
    assert allows(trust(role("ObserveRole", PeopleArns=f"{person},{person}2")), asked)
    assert not allows(trust(role("ObserveRole")), asked)
    cells = {"Cells": HUB["Cells"], "CellRole": HUB["CellRole"]}
    elsewhere = Permission("ec2:DescribeInstances", "*").with_keys({"ec2:Region": "eu-west-1"})
    for wanted in (Permission(ASSUMED.action, ASSUMED.resource), elsewhere):
        assert allows(of_people("Plan", **cells), wanted)
        assert not allows(of_people("Plan"), wanted)


# The cell.

OBSERVED = Permission("ec2:DescribeInstances", "*").with_keys({"ec2:Region": "eu-west-1"})
TAKEN = Permission("sts:AssumeRole", HUB_ROLE).with_keys({"sts:ExternalId": "pupils"})
SENT = Permission("events:PutEvents", BUS)
RULE = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/ElephantCellStateWatch"
SENDING = Permission("sts:AssumeRole", EVENTS).with_keys({"aws:SourceAccount": ACCOUNT, "aws:SourceArn": RULE})
#: What a cell's roles allow, each with variants that one condition alone refuses.
NARROWED: dict[str, tuple[list[Statement], Permission, list[Keys]]] = {
    "observe": (rights(role("ObserveRole", Regions="eu-west-1")), OBSERVED, [{"ec2:Region": "us-east-1"}]),
    "taken by the hub": (trust(role("ObserveRole")), TAKEN, [{"sts:ExternalId": "x"}, {"sts:ExternalId": None}]),
    "forward": (rights(role("ForwardRole")), SENT, []),
    "taken by rules": (
        trust(role("ForwardRole")),
        SENDING,
        [{"aws:SourceAccount": "210987654321"}, {"aws:SourceArn": f"{RULE}s"}, {"aws:SourceArn": None}],
    ),
}


@pytest.mark.parametrize("name", NARROWED)
def test_cells_role_allows_its_use_and_no_variant(name: str) -> None:
    policy, wanted, narrower = NARROWED[name]
    assert allows(policy, wanted)
    assert [keys for keys in narrower if allows(policy, wanted.with_keys(keys))] == []


@pytest.mark.parametrize(
    ("name", "operator", "key"),
    [
        (name, *one)
        for name, (policy, _, _) in NARROWED.items()
        for statement in policy
        for one in conditions(statement)
    ],
)
def test_every_condition_of_a_cell_refuses_something(name: str, operator: str, key: str) -> None:
    policy, wanted, narrower = NARROWED[name]
    weaker = [without(one, operator, key) for one in policy]
    assert [keys for keys in narrower if allows(weaker, wanted.with_keys(keys))] != []


def test_cell_allows_two_actions_in_all() -> None:
    found = [one for logical in ("ObserveRole", "ForwardRole") for one in rights(role(logical))]
    assert [one["Action"] for one in found] == ["ec2:DescribeInstances", "events:PutEvents"]
    assert not allows(found, Permission("events:PutEvents", f"{BUS}s"))
    assert allows(rights(role("ObserveRole")), OBSERVED), "in any region where none is named"


PERSON = f"arn:aws:iam::{ACCOUNT}:role/oncall"
RULES = [
    Permission("events:ListRuleNamesByTarget", "*"),
    Permission("events:DescribeRule", RULE.replace(REGION, "eu-west-1")),
    Permission("events:ListTargetsByRule", f"{RULE}s"),
]


@pytest.mark.parametrize("wanted", RULES, ids=lambda wanted: wanted.action)
def test_people_alone_see_a_cells_rules_in_its_regions(wanted: Permission) -> None:
    there = rights(role("ObserveRole", PeopleArns=PERSON, Regions="eu-west-1"))
    here = wanted.with_keys({"aws:RequestedRegion": "eu-west-1"})
    assert allows(there, here)
    assert allows(rights(role("ObserveRole", PeopleArns=PERSON)), here), "in any region where none is named"
    assert not allows(there, wanted.with_keys({"aws:RequestedRegion": "us-east-1"}))
    assert not allows(rights(role("ObserveRole")), here)
    if wanted.resource != "*":
        assert not allows(there, replace(here, resource=wanted.resource.replace(ACCOUNT, "210987654321")))


def test_people_get_no_other_right_in_a_cell() -> None:
    found = actions(rights(role("ObserveRole", PeopleArns=PERSON)))
    assert found == {"ec2:DescribeInstances", *(wanted.action for wanted in RULES)}


def test_hub_names_the_role_that_a_cell_creates() -> None:
    arn = f"arn:aws:iam::210987654321:role/{role('ObserveRole')['RoleName']}"
    default = read("cell.yaml")["Parameters"]["CellRole"]["Default"]
    assert allows(of_hub(CellRole=default), Permission(ASSUMED.action, arn, ASSUMED.context))


@pytest.mark.parametrize(
    ("parameters", "there"),
    [
        ({}, False),  # the hub's own account
        (WITH_ROLE, True),
        ({**WITH_ROLE, "RoleRegion": REGION}, True),
        ({**WITH_ROLE, "RoleRegion": "eu-west-1"}, False),  # an account has a role of a name once
    ],
)
def test_role_is_created_once_in_each_other_account(parameters: dict[str, str], there: bool) -> None:
    assert ("ObserveRole" in cell(**parameters).resources("AWS::IAM::Role")) == there
    assert cell(**parameters).refusals() == []


@pytest.mark.parametrize("name", WITH_ROLE)
def test_role_without_an_external_id_is_refused(name: str) -> None:
    assert len(cell(**{name: WITH_ROLE[name]}).refusals()) == 1


@pytest.mark.parametrize("rule", ["StateChangeRule", "TagRule"])
def test_cell_sends_what_the_hub_hears_to_its_bus(rule: str) -> None:
    here = cell(ProjectTagKey="Class").resources("AWS::Events::Rule")[rule]
    there = stack(ProjectTag="Class=3b", OwnerId="x").resources("AWS::Events::Rule")[rule]
    assert here["EventPattern"] == there["EventPattern"]
    (target,) = here["Targets"]
    assert target["Arn"] == BUS
    assert target["RoleArn"] == cell().resolve({"Fn::GetAtt": ["ForwardRole", "Arn"]})
    assert here["Name"].startswith("ElephantCell")


def test_hubs_rules_hear_events_of_any_account_and_region() -> None:
    for rule in ("StateChangeRule", "TagRule"):
        assert set(stack().resources("AWS::Events::Rule")[rule]["EventPattern"]) == {"source", "detail-type", "detail"}


@pytest.mark.parametrize(("enabled", "state"), [("true", "ENABLED"), ("false", "DISABLED")])
def test_cell_that_is_off_sends_nothing(enabled: str, state: str) -> None:
    assert {one["State"] for one in cell(Enabled=enabled).resources("AWS::Events::Rule").values()} == {state}


def test_two_deployments_share_no_name_of_a_cells_rules() -> None:
    names = [
        {one["Name"] for one in cell(NameSuffix=suffix).resources("AWS::Events::Rule").values()}
        for suffix in ("", "-b")
    ]
    assert len(names[0]) == len(names[1]) == 2
    assert not names[0] & names[1]


def test_rules_that_a_role_trusts_are_those_of_its_cell() -> None:
    (statement,) = role("ForwardRole", NameSuffix="-b")["AssumeRolePolicyDocument"]["Statement"]
    trusted = {arn.rpartition("/")[2] for arn in statement["Condition"]["ArnEquals"]["aws:SourceArn"]}
    assert trusted == {one["Name"] for one in cell(NameSuffix="-b").resources("AWS::Events::Rule").values()}


@pytest.mark.parametrize(
    ("parameter", "good", "bad"),
    [
        ("HubBusArn", [BUS], ["", "default", BUS.replace("event-bus", "rule")]),
        ("HubRoleArn", ["", HUB_ROLE], ["watchdog", f"arn:aws:iam::{ACCOUNT}:root"]),
        (
            "PeopleArns",
            ["", HUB_ROLE, f"{HUB_ROLE},{HUB_ROLE}"],
            ["oncall", f"{HUB_ROLE},", f"arn:aws:iam::{ACCOUNT}:root"],
        ),
        ("ExternalId", ["", "pupils"], ["x", "a b"]),
        ("CellRole", ["ElephantDNSCell"], ["", "a/b", "*"]),
        ("RoleRegion", ["", REGION, "eusc-de-east-1"], ["*", "here"]),
        ("Regions", ["*", REGION, "eusc-de-east-1"], ["", "us-*"]),
        ("ProjectTagKey", ["Project"], ["", "Project=Elephant"]),
        ("NameSuffix", ["", "-b"], ["b", "-B"]),
    ],
)
def test_parameter_of_a_cell_takes_what_its_user_takes(parameter: str, good: list[str], bad: list[str]) -> None:
    pattern = read("cell.yaml")["Parameters"][parameter]["AllowedPattern"]
    assert [value for value in good if not re.fullmatch(pattern, value)] == []
    assert [value for value in bad if re.fullmatch(pattern, value)] == []


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("CellRole", "a/b"), ("CellRole", "Role_1+=,.@-"), ("CellExternalId", "x"), ("CellExternalId", "a:/-_")],
)
def test_hub_takes_of_its_cells_what_the_settings_take(parameter: str, value: str) -> None:
    variable = {"CellRole": "CELL_ROLE", "CellExternalId": "CELL_EXTERNAL_ID"}[parameter]
    (setting,) = [one for one in TABLE if one.name == variable]
    pattern = read()["Parameters"][parameter]["AllowedPattern"]
    assert (re.fullmatch(pattern, value) is not None) == (setting.read(value) is not None)
