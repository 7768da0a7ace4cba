"""A resource's policy against a call of EventBridge's for a rule."""

from typing import Any

import pytest

from controller.doctor.policies import Asked, allows

RULE = "arn:aws:events:us-west-2:123456789012:rule/Reconcile"
QUEUE = "arn:aws:sqs:us-west-2:123456789012:state-changes"
ASKED = Asked.by_service("events.amazonaws.com", "sqs:SendMessage", QUEUE, RULE)
RIGHT = {
    "Effect": "Allow",
    "Principal": {"Service": "events.amazonaws.com"},
    "Action": "sqs:SendMessage",
    "Resource": QUEUE,
}


def judged(*statements: dict[str, Any]) -> bool | None:
    return allows({"Statement": list(statements)}, ASKED)


def when(operator: str, key: str, value: Any) -> dict[str, Any]:
    return {"Condition": {operator: {key: value}}}


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        ({}, True),
        ({"Principal": "*"}, True),
        ({"Principal": {"AWS": "*"}}, True),
        ({"Principal": {"Service": ["sns.amazonaws.com", "events.amazonaws.com"]}}, True),
        ({"Principal": {"Service": "sns.amazonaws.com"}}, False),
        ({"Principal": {"AWS": "123456789012"}}, False),
        ({"Action": ["sqs:Send*"]}, True),
        ({"Action": "SQS:SENDMESSAGE"}, True),
        ({"Action": "sqs:ReceiveMessage"}, False),
        ({"Action": None, "NotAction": "sqs:ReceiveMessage"}, True),
        ({"Action": None, "NotAction": "sqs:*"}, False),
        ({"Resource": "*"}, True),
        ({"Resource": f"{QUEUE}-2"}, False),
        ({"Resource": "arn:aws:sqs:*:*:state-change?"}, True),
        (when("ArnEquals", "aws:SourceArn", RULE), True),
        (when("ArnLike", "AWS:SourceArn", "arn:aws:events:*:*:rule/Rec*"), True),
        (when("ArnEquals", "aws:SourceArn", "arn:aws:events:*:*:rule/Rec*"), True),
        (when("StringEquals", "aws:SourceArn", "arn:aws:events:*:*:rule/Rec*"), False),
        (when("StringLike", "aws:SourceArn", ["x", "arn:*:rule/Reconcile"]), True),
        (when("ArnEquals", "aws:SourceArn", f"{RULE}2"), False),
        (when("ArnNotEquals", "aws:SourceArn", f"{RULE}2"), True),
        (when("StringNotLike", "aws:SourceArn", "arn:*"), False),
        (when("StringEquals", "aws:SourceAccount", "123456789012"), True),
        (when("StringEqualsIfExists", "aws:SourceAccount", "210987654321"), False),
        (when("Bool", "aws:SecureTransport", True), True),
        (when("Bool", "aws:SecureTransport", "false"), False),
        (when("StringEquals", "aws:PrincipalOrgID", "o-1"), None),
        (when("DateLessThan", "aws:CurrentTime", "2100-01-01"), None),
    ],
)
def test_one_statement(change: dict[str, Any], allowed: bool | None) -> None:
    statement = {key: value for key, value in {**RIGHT, **change}.items() if value is not None}
    assert judged(statement) is allowed


DENY = {**RIGHT, "Effect": "Deny"}


@pytest.mark.parametrize(
    ("statements", "allowed"),
    [
        ([], False),
        ([RIGHT, DENY], False),
        ([RIGHT, {**DENY, "Action": "sqs:DeleteMessage"}], True),
        ([RIGHT, {**DENY, **when("Bool", "aws:SecureTransport", "false")}], True),
        ([RIGHT, {**DENY, **when("StringNotEquals", "aws:PrincipalOrgID", "o-1")}], None),
        ([DENY, {**RIGHT, **when("StringEquals", "aws:PrincipalOrgID", "o-1")}], False),
        ([{**RIGHT, **when("StringEquals", "aws:PrincipalOrgID", "o-1")}, RIGHT], True),
    ],
)
def test_statements_together(statements: list[dict[str, Any]], allowed: bool | None) -> None:
    assert judged(*statements) is allowed


def test_conditions_hold_together() -> None:
    both = {"ArnEquals": {"aws:SourceArn": RULE}, "StringEquals": {"aws:SourceAccount": "210987654321"}}
    assert judged({**RIGHT, "Condition": both}) is False


def test_a_statement_alone_and_no_policy_at_all() -> None:
    assert allows({"Statement": RIGHT}, ASKED) is True
    assert allows({}, ASKED) is False
