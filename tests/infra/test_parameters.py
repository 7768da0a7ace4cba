"""What the template's parameters take, and which of them it refuses together."""

import json
import re
from typing import Any

import pytest

from controller.settings import TABLE
from tests.infra.cloudformation import GIVEN, stack
from tests.infra.test_template import PARAMETERS, SHADOW, SUBNETS, TEMPLATE

EAST = "arn:aws:dynamodb:us-east-1:123456789012:table"


def test_every_parameter_is_used_described_and_in_one_group() -> None:
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(PARAMETERS)
    rest = json.dumps([TEMPLATE["Conditions"], TEMPLATE["Resources"]])
    assert [name for name in PARAMETERS if not re.search(rf'"{name}"|\$\{{{name}\}}', rest)] == []
    assert all(parameter["Description"] for parameter in PARAMETERS.values())


def test_every_parameter_says_what_it_takes() -> None:
    limits = {"AllowedPattern", "AllowedValues", "MinValue"}
    assert [name for name, parameter in PARAMETERS.items() if not limits & set(parameter)] == []


@pytest.mark.parametrize(
    ("parameter", "good", "bad"),
    [
        (
            "DomainRoot",
            ["example.com", "a.b-c.example.com"],
            ["com", "example.com.", "-a.com", "https://example.com", ""],
        ),
        ("ZoneId", ["0123456789abcdef" * 2], ["0123456789abcdef", "g" * 32]),
        ("SecretName", ["prod/elephant/cloudflare"], ["", "arn:aws:secretsmanager:us-west-2:1:secret:x", "a*"]),
        ("SecretKmsKeyArn", ["", "arn:aws:kms:us-west-2:123456789012:key/1-2"], ["alias/x", "*", "arn:aws:kms:*"]),
        (
            "TableName",
            ["elephant-meetings", f"{EAST}/elephant-meetings", f"{EAST.replace('aws', 'aws-us-gov')}/x-1"],
            [
                "ab",
                "a/b",
                EAST,
                f"{EAST}/meetings/index/by-status",
                f"{EAST.replace('us-east-1', '')}/meetings",
                "a:bc",
            ],
        ),
        ("TableKmsKeyArn", ["", "arn:aws:kms:us-west-2:123456789012:key/1-2"], ["alias/x", "*", "arn:aws:kms:*"]),
        ("StatusIndex", ["", "by-status"], ["ab", "a b"]),
        ("ProjectTag", ["Project=Elephant", "a=b=c"], ["Project", "=x", "x="]),
        ("OwnerId", ["", "123456789012/us-west-2"], ["a b", "x" * 61]),
        ("Roles", ["teacher", "teacher,student"], ["", "Teacher", "a,", "a, b"]),
        ("NameSuffix", ["", "-staging"], ["staging", "-", "-Staging", "-a b"]),
        ("AlarmTopicArn", ["", "arn:aws:sns:us-west-2:123456789012:ops"], ["ops", "arn:aws:sqs:us-west-2:1:x"]),
        ("PageTopicArn", ["", "arn:aws-us-gov:sns:us-gov-west-1:123456789012:x"], ["ops", "arn:aws:sqs:us-west-2:1:x"]),
        (
            "Cells",
            ["", "123456789012/us-west-2", "123456789012/eusc-de-east-1,210987654321/us-gov-east-1"],
            ["us-west-2", "123456789012", "1/us-west-2", "123456789012/us-west-2,", "123456789012/us-west"],
        ),
        ("CellRole", ["", "ElephantDNSCell"], ["arn:aws:iam::123456789012:role/x", "a/b", "*", "x" * 65]),
        ("CellExternalId", ["", "classrooms-2"], ["x", "a b"]),
        ("CellAccounts", ["", "123456789012", "123456789012,210987654321"], ["*", "1", "123456789012,"]),
        ("LogKmsKeyArn", ["", "arn:aws:kms:us-west-2:123456789012:key/1-2"], ["alias/x", "*", "arn:aws:kms:*"]),
        ("ReservedConcurrency", ["", "4", "12", "1000"], ["0", "3", "-1", "many"]),
        (
            "PermissionsBoundaryArn",
            ["", "arn:aws:iam::123456789012:policy/a/b", "arn:aws:iam::aws:policy/ReadOnlyAccess"],
            ["boundary", "arn:aws:iam::123456789012:role/x"],
        ),
        ("SubnetIds", ["", "subnet-01234567", "subnet-01234567,subnet-0123456789abcdef0"], ["subnet-x", "a", ","]),
        ("SecurityGroupIds", ["", "sg-01234567,sg-89abcdef"], ["sg-x", "sg-01234567,"]),
    ],
)
def test_a_parameter_takes_what_its_user_takes(parameter: str, good: list[str], bad: list[str]) -> None:
    pattern = PARAMETERS[parameter]["AllowedPattern"]
    assert [value for value in good if not re.fullmatch(pattern, value)] == []
    assert [value for value in bad if re.fullmatch(pattern, value)] == []


@pytest.mark.parametrize("given", [[], ["SubnetIds"], ["SecurityGroupIds"], ["SubnetIds", "SecurityGroupIds"]])
def test_subnets_need_security_groups_and_the_other_way_round(given: list[str]) -> None:
    said = stack(**{name: SUBNETS[name] for name in given}).refusals()
    assert bool(said) == (len(given) == 1)


@pytest.mark.parametrize("parameter", ["DomainRoot", "OwnerId", "ProjectTag"])
def test_parameter_that_leaves_names_behind_says_retire_first(parameter: str) -> None:
    assert "run `elephant-dns retire` first" in " ".join(PARAMETERS[parameter]["Description"].split())


def test_the_defaults_are_taken() -> None:
    assert stack().refusals() == []


@pytest.mark.parametrize(
    ("parameters", "refused"),
    [
        ({"NameSuffix": "-staging"}, True),
        ({"NameSuffix": "-staging", "Enabled": "false"}, True),  # somebody may invoke it
        ({"NameSuffix": "-staging", "TableName": "elephant-meetings"}, True),
        ({"NameSuffix": "-staging", "TableName": "staging-meetings"}, False),
        ({"NameSuffix": "-next", "ScheduleAction": "plan"}, False),
        ({"ProjectTag": "Project=Staging", "OwnerId": "x"}, True),
        ({"ProjectTag": "Project=Staging", "OwnerId": "x", "TableName": "staging-meetings"}, False),
        ({"ProjectTag": "Project=Staging", "OwnerId": "x", "ScheduleAction": "plan"}, False),
        ({"TableName": "other-meetings"}, False),
    ],
)
def test_a_second_deployment_that_writes_needs_a_table_of_its_own(parameters: Any, refused: bool) -> None:
    assert ["TableName" in said for said in stack(**parameters).refusals()] == [True] * refused


def test_a_deployment_that_may_share_the_table_can_write_no_row() -> None:
    shadow = {"NameSuffix": "-next", **SHADOW}
    assert stack(**shadow).refusals() == []
    assert "dynamodb:UpdateItem" not in json.dumps(stack(**shadow).only("AWS::IAM::Role"))
    assert "dynamodb:UpdateItem" in json.dumps(stack().only("AWS::IAM::Role"))


def test_rule_on_second_deployments_names_the_default_table() -> None:
    rule = json.dumps(TEMPLATE["Rules"]["AnotherDeploymentNeedsATable"]["Assertions"])
    assert f'"{PARAMETERS["TableName"]["Default"]}"' in rule


@pytest.mark.parametrize(("owner", "refused"), [("", True), ("123456789012/us-west-2/staging", False)])
def test_another_project_tag_needs_an_owner(owner: str, refused: bool) -> None:
    said = stack(ProjectTag="Project=Staging", OwnerId=owner, TableName="staging-meetings").refusals()
    assert ["OwnerId" in one for one in said] == [True] * refused


CELLS = "123456789012/us-west-2,210987654321/eu-west-1"


@pytest.mark.parametrize(("owner", "refused"), [("", False), ("classroom", True)])
def test_cells_and_an_owner_exclude_each_other(owner: str, refused: bool) -> None:
    assert ["OwnerId" in one for one in stack(Cells=CELLS, OwnerId=owner).refusals()] == [True] * refused


def test_another_project_tag_with_cells_needs_no_owner() -> None:
    assert stack(Cells=CELLS, ProjectTag="Project=Staging", TableName="staging-meetings").refusals() == []


@pytest.mark.parametrize("name", ["MaxMachineHours", "MaxMeetingHours", "LaunchMinutes", "HealthyMinutes"])
def test_limit_of_a_finding_is_refused_where_its_user_refuses_it(name: str) -> None:
    one = PARAMETERS[name]
    variable = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()
    (setting,) = [setting for setting in TABLE if setting.name == variable]
    edges = [one["MinValue"] - 1, one["MinValue"], one["MaxValue"], one["MaxValue"] + 1]
    assert [setting.read(str(value)) for value in edges] == [None, one["MinValue"], one["MaxValue"], None]


def test_only_the_user_knows_what_has_no_default() -> None:
    assert {name for name, parameter in PARAMETERS.items() if "Default" not in parameter} == set(GIVEN)
