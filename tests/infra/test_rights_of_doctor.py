"""The doctor's policy allows what the doctor calls, and nothing more."""

import re
from pathlib import Path

import pytest

import controller.doctor
from controller.doctor.table import NOBODY
from tests.infra.cloudformation import ACCOUNT, REGION, stack
from tests.infra.iam import Permission, allows
from tests.infra.test_rights import actions, of_people, wide_open

#: AWS asks for no permission here (IAM documentation: STS GetCallerIdentity).
FREE = {"sts:GetCallerIdentity"}
#: Only with ``--invoke``, and allowed in the policy to apply: the event decides what an invocation does.
INVOKE = {"lambda:InvokeFunction"}
CELLS = {"Cells": f"{ACCOUNT}/{REGION},210987654321/eu-west-1", "CellRole": "ElephantDNSCell"}


def named_in_the_code() -> set[str]:
    """The actions that the doctor's own calls name; its other calls are the adapters', which passes use too."""
    text = "".join(path.read_text(encoding="utf-8") for path in Path(controller.doctor.__path__[0]).glob("*.py"))
    named = {f"{service}:{action}" for service, action in re.findall(r'\bCall\(\s*"(\w+)",\s*"(\w+)"', text)}
    return named | {f"dynamodb:{action}" for action in re.findall(r'_call\(\s*"(\w+)"', text)}


def test_the_doctor_may_do_what_it_calls_and_no_other_action() -> None:
    policies = actions(of_people("Plan", "Doctor", **CELLS)) | actions(of_people("Plan", StatusIndex="by-status"))
    assert named_in_the_code() - FREE - INVOKE <= policies
    assert actions(of_people("Doctor", **CELLS)) <= named_in_the_code() | {"dynamodb:UpdateItem"}


@pytest.mark.parametrize("action", ["DescribeRule", "ListTargetsByRule"])
@pytest.mark.parametrize(("account", "region"), [(ACCOUNT, REGION), (ACCOUNT, "eu-west-1"), ("210987654321", REGION)])
def test_the_doctor_sees_rules_of_other_regions_with_cells(action: str, account: str, region: str) -> None:
    wanted = Permission(f"events:{action}", f"arn:aws:events:{region}:{account}:rule/ElephantCellStateWatch")
    assert allows(of_people("Doctor", **CELLS), wanted) == (account == ACCOUNT)
    assert allows(of_people("Doctor"), wanted) == ((account, region) == (ACCOUNT, REGION))


def test_the_doctor_sees_the_hubs_bus_alone_and_only_with_cells() -> None:
    bus = stack(**CELLS).output("HubBusArn")
    assert allows(of_people("Doctor", **CELLS), Permission("events:DescribeEventBus", bus))
    assert not allows(of_people("Doctor", **CELLS), Permission("events:DescribeEventBus", f"{bus}2"))
    assert "events:DescribeEventBus" not in actions(of_people("Doctor"))


def test_who_may_apply_may_invoke_and_the_doctor_may_not() -> None:
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:ElephantDNSWatchdog"
    assert not INVOKE & actions(of_people("Plan", "Doctor")), "who may invoke may let the function apply"
    for target in (function, f"{function}:live"):
        assert allows(of_people("Apply"), Permission("lambda:InvokeFunction", target))
        assert not allows(of_people("Apply", NameSuffix="-staging"), Permission("lambda:InvokeFunction", target))


def test_the_doctor_can_write_no_meeting() -> None:
    (statement,) = [one for one in of_people("Doctor") if one["Action"] == "dynamodb:UpdateItem"]
    assert statement["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": f"{NOBODY}*"}}


def test_the_doctor_looks_everywhere_only_where_it_must() -> None:
    assert wide_open(of_people("Doctor")) == {
        "events:ListRuleNamesByTarget",
        "events:TestEventPattern",
        "lambda:ListEventSourceMappings",
        "lambda:ListFunctions",
        "scheduler:ListSchedules",
    }


def test_the_doctor_sees_the_function_that_is_deployed() -> None:
    function = stack(NameSuffix="-staging").only("AWS::Lambda::Function")["FunctionName"]
    (statement,) = [one for one in of_people("Doctor", NameSuffix="-staging") if one["Sid"] == "SeeFunction"]
    arn = f"arn:aws:lambda:us-west-2:123456789012:function:{function}"
    assert statement["Resource"] == [arn, f"{arn}:*"]
