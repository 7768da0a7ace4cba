"""The template deploys what the controller is written for, and no more rights than it uses."""

import json
import re
from pathlib import Path
from typing import Any, cast

import botocore.session
import pytest
import yaml
from botocore.model import StringShape
from moto.events.models import EventPattern

from controller.settings import VARIABLES, read_settings


class Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms, such as !Ref, as their long ones (cfn-lint can too, but takes seconds)."""


def long_form(loader: Loader, name: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.SequenceNode):
        value: Any = loader.construct_sequence(node, deep=True)
    else:
        value = node.value
    return {name if name == "Ref" else f"Fn::{name}": value}


Loader.add_multi_constructor("!", long_form)

TEMPLATE: dict[str, Any] = yaml.load((Path(__file__).parents[2] / "infra" / "template.yaml").read_bytes(), Loader)
PARAMETERS = TEMPLATE["Parameters"]
FUNCTION = TEMPLATE["Resources"]["ElephantDNSWatchdog"]["Properties"]
ENVIRONMENT = FUNCTION["Environment"]["Variables"]
STATES = ["running", "stopping", "stopped", "shutting-down", "terminated"]

# What only the user knows.
GIVEN = {"DomainRoot": "meet.example.com", "ZoneId": "0123456789abcdef" * 2}


def state_change(state: str) -> dict[str, Any]:
    """An event as EC2 sends it: AWS, "State change events for Amazon EC2 instances"."""
    return {
        "version": "0",
        "id": "7bf73129-1428-4cd3-a780-95db273d1602",
        "detail-type": "EC2 Instance State-change Notification",
        "source": "aws.ec2",
        "account": "123456789012",
        "time": "2026-01-31T12:00:00Z",
        "region": "us-west-2",
        "resources": ["arn:aws:ec2:us-west-2:123456789012:instance/i-0123456789abcdef0"],
        "detail": {"instance-id": "i-0123456789abcdef0", "state": state},
    }


def matches(pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    # moto's matcher; the TestEventPattern call of its server is a stub.
    return EventPattern.load(json.dumps(pattern)).matches_event(cast(Any, event))


def known_to_lambda(shape_name: str) -> list[str]:
    shape = botocore.session.get_session().get_service_model("lambda").shape_for(shape_name)
    assert isinstance(shape, StringShape)
    return list(shape.enum)


def rule(kind: str) -> dict[str, Any]:
    (event,) = (event for event in FUNCTION["Events"].values() if event["Type"] == kind)
    properties: dict[str, Any] = event["Properties"]
    return properties


def test_the_function_is_the_one_that_others_know() -> None:
    assert FUNCTION["FunctionName"] == "ElephantDNSWatchdog"
    assert FUNCTION["Handler"] == "handler.lambda_handler"
    assert (FUNCTION["MemorySize"], FUNCTION["Timeout"]) == (256, 240)


def test_lambda_has_the_runtime_and_the_architecture() -> None:
    # Neither cfn-lint nor SAM notices a runtime that does not exist.
    (architecture,) = FUNCTION["Architectures"]
    assert FUNCTION["Runtime"] in known_to_lambda("Runtime")
    assert architecture in known_to_lambda("Architecture")


@pytest.mark.parametrize("state", STATES)
def test_the_state_rule_matches_what_ec2_sends(state: str) -> None:
    assert matches(rule("EventBridgeRule")["Pattern"], state_change(state))


@pytest.mark.parametrize(
    "other",
    [{"source": "aws.autoscaling"}, {"detail-type": "EC2 Spot Instance Interruption Warning"}, state_change("pending")],
    ids=["source", "detail-type", "pending"],
)
def test_the_state_rule_matches_nothing_else(other: dict[str, Any]) -> None:
    assert not matches(rule("EventBridgeRule")["Pattern"], state_change("running") | other)


def test_a_rule_that_asks_for_a_tag_never_fires() -> None:
    # The first version's rule: state changes carry no tags.
    pattern = rule("EventBridgeRule")["Pattern"]
    first = pattern | {"detail": pattern["detail"] | {"tags": {"Project": ["Elephant"]}}}
    assert not any(matches(first, state_change(state)) for state in STATES)


def test_the_rules_have_the_names_that_others_know() -> None:
    assert rule("EventBridgeRule")["RuleName"] == "ElephantEC2StateWatch"
    assert rule("Schedule") | {"Description": ""} == {
        "Name": "ElephantReconcile",
        "Description": "",
        "Schedule": "rate(5 minutes)",
    }


def test_the_role_has_exactly_the_rights_that_the_controller_uses() -> None:
    (policy,) = FUNCTION["Policies"]
    *always, conditional = policy["Statement"]
    condition, query, otherwise = conditional["Fn::If"]
    table = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${TableName}"
    secret = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${SecretName}-??????"

    assert [(statement["Effect"], statement["Action"], statement["Resource"]) for statement in always] == [
        ("Allow", "ec2:DescribeInstances", "*"),
        ("Allow", "secretsmanager:GetSecretValue", {"Fn::Sub": secret}),
        ("Allow", ["dynamodb:GetItem", "dynamodb:Scan", "dynamodb:UpdateItem"], {"Fn::Sub": table}),
    ]
    assert condition == "HasStatusIndex"
    assert TEMPLATE["Conditions"][condition] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "StatusIndex"}, ""]}]}
    assert (query["Effect"], query["Action"]) == ("Allow", "dynamodb:Query")
    assert query["Resource"] == {"Fn::Sub": table + "/index/${StatusIndex}"}
    assert otherwise == {"Ref": "AWS::NoValue"}
    assert "Role" not in FUNCTION  # else SAM would not make the role, with AWSLambdaBasicExecutionRole in it


def test_the_controller_reads_every_variable_that_the_template_sets() -> None:
    assert set(ENVIRONMENT) <= VARIABLES


def test_every_parameter_reaches_the_function_and_has_a_description() -> None:
    assert {value["Ref"] for value in ENVIRONMENT.values()} == set(PARAMETERS)
    assert all(parameter["Description"] for parameter in PARAMETERS.values())


def test_the_defaults_are_those_of_the_controller() -> None:
    values = {name: str(parameter.get("Default", GIVEN.get(name))) for name, parameter in PARAMETERS.items()}
    environment = {variable: values[value["Ref"]] for variable, value in ENVIRONMENT.items()}
    required = {variable: environment[variable] for variable in ("DOMAIN_ROOT", "ZONE_ID", "SECRET_ARN")}

    assert environment["SECRET_ARN"] == "prod/elephant/cloudflare"
    assert read_settings(environment) == read_settings(required)


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
        ("TableName", ["elephant-meetings"], ["ab", "a/b"]),
        ("StatusIndex", ["", "by-status"], ["ab", "a b"]),
        ("ProjectTag", ["Project=Elephant", "a=b=c"], ["Project", "=x", "x="]),
        ("OwnerId", ["", "123456789012/us-west-2"], ["a b", "x" * 61]),
        ("Roles", ["teacher", "teacher,student"], ["", "Teacher", "a,", "a, b"]),
    ],
)
def test_a_parameter_takes_what_the_controller_takes(parameter: str, good: list[str], bad: list[str]) -> None:
    pattern = PARAMETERS[parameter]["AllowedPattern"]
    assert [value for value in good if not re.fullmatch(pattern, value)] == []
    assert [value for value in bad if re.fullmatch(pattern, value)] == []
