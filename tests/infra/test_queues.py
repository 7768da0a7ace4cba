"""What EC2 sends reaches the function by way of the queue, and what does not reach it is kept."""

import json
from typing import Any, cast

import pytest
from moto.events.models import EventPattern

from tests.infra.cloudformation import stack
from tests.support.events import state_change

DEPLOYED = stack()
QUEUES = DEPLOYED.resources("AWS::SQS::Queue")
RULE = DEPLOYED.resources("AWS::Events::Rule")["StateChangeRule"]
FUNCTION = DEPLOYED.only("AWS::Lambda::Function")
MAPPING = DEPLOYED.only("AWS::Lambda::EventSourceMapping")
STATES = ["running", "stopping", "stopped", "shutting-down", "terminated"]
MACHINE = "i-0123456789abcdef0"


def arn(queue: str) -> Any:
    return DEPLOYED.resolve({"Fn::GetAtt": [queue, "Arn"]})


def statements(queue: str) -> list[dict[str, Any]]:
    """What the queue's own policy says."""
    url = DEPLOYED.resolve({"Ref": queue})
    policies = [one for one in DEPLOYED.resources("AWS::SQS::QueuePolicy").values() if one["Queues"] == [url]]
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def matches(pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    # moto's matcher; the TestEventPattern call of its server is a stub.
    return EventPattern.load(json.dumps(pattern)).matches_event(cast(Any, event))


@pytest.mark.parametrize("state", STATES)
def test_the_state_rule_matches_what_ec2_sends(state: str) -> None:
    assert matches(RULE["EventPattern"], state_change(MACHINE, state))


@pytest.mark.parametrize(
    "other",
    [
        {"source": "aws.autoscaling"},
        {"detail-type": "EC2 Spot Instance Interruption Warning"},
        state_change(MACHINE, "pending"),
    ],
    ids=["source", "detail-type", "pending"],
)
def test_the_state_rule_matches_nothing_else(other: dict[str, Any]) -> None:
    assert not matches(RULE["EventPattern"], state_change(MACHINE, "running") | other)


def test_a_rule_that_asks_for_a_tag_never_fires() -> None:
    # The first version's rule: state changes carry no tags.
    pattern = RULE["EventPattern"]
    first = pattern | {"detail": pattern["detail"] | {"tags": {"Project": ["Elephant"]}}}
    assert not any(matches(first, state_change(MACHINE, state)) for state in STATES)


def test_state_rule_sends_unchanged_events_to_the_functions_queue() -> None:
    (target,) = RULE["Targets"]
    assert RULE["Name"] == "ElephantEC2StateWatch"
    assert target["Arn"] == MAPPING["EventSourceArn"] == arn("StateChanges")
    assert "Input" not in target  # the function reads the event as EC2 sent it
    assert "InputPath" not in target
    assert "InputTransformer" not in target


@pytest.mark.parametrize("queue", sorted(QUEUES))
def test_every_queue_takes_messages_from_one_rule_alone(queue: str) -> None:
    # Without its policy EventBridge's messages would be lost, and nobody would know.
    (allowed,) = [statement for statement in statements(queue) if statement["Effect"] == "Allow"]
    rule = "ElephantReconcile" if queue.startswith("Reconcile") else "ElephantEC2StateWatch"
    source = f"arn:aws:events:us-west-2:123456789012:rule/{rule}"
    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
    assert (allowed["Action"], allowed["Resource"]) == ("sqs:SendMessage", arn(queue))
    assert allowed["Condition"] == {"ArnEquals": {"aws:SourceArn": source}}


@pytest.mark.parametrize("rule", sorted(DEPLOYED.resources("AWS::Events::Rule")))
def test_the_rule_that_a_queue_trusts_is_deployed_under_this_name(rule: str) -> None:
    sources = {
        statement["Condition"]["ArnEquals"]["aws:SourceArn"].rpartition("/")[2]
        for queue in QUEUES
        for statement in statements(queue)
        if statement["Effect"] == "Allow"
    }
    assert DEPLOYED.resources("AWS::Events::Rule")[rule]["Name"] in sources


@pytest.mark.parametrize("queue", sorted(QUEUES))
def test_every_queue_is_encrypted_and_refuses_what_comes_in_the_clear(queue: str) -> None:
    (denied,) = [statement for statement in statements(queue) if statement["Effect"] == "Deny"]
    assert QUEUES[queue]["SqsManagedSseEnabled"] is True
    assert (denied["Principal"], denied["Action"], denied["Resource"]) == ("*", "sqs:*", arn(queue))
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_message_stays_hidden_during_its_pass_and_comes_back_soon() -> None:
    # Lambda refuses a queue if messages come back before the function's time-out. A failed pass is tried again when
    # they do, so a user waits for as long.
    hidden = QUEUES["StateChanges"]["VisibilityTimeout"]
    assert FUNCTION["Timeout"] + MAPPING["MaximumBatchingWindowInSeconds"] < hidden <= 300


def test_a_message_lives_through_all_its_attempts() -> None:
    queue = QUEUES["StateChanges"]
    attempts = queue["RedrivePolicy"]["maxReceiveCount"]
    assert attempts == 5  # AWS's advice where a function reads: the first ones may be throttled, not tried
    assert queue["MessageRetentionPeriod"] > attempts * queue["VisibilityTimeout"]


def test_a_burst_is_a_handful_of_passes() -> None:
    assert MAPPING["BatchSize"] >= 500  # machines that start at nine o'clock
    assert 1 <= MAPPING["MaximumBatchingWindowInSeconds"] <= 5
    assert MAPPING["ScalingConfig"]["MaximumConcurrency"] == 2


def test_queue_gets_back_only_what_a_pass_returns() -> None:
    # Without it Lambda takes any answer for success, and the messages of failed machines would be deleted.
    assert MAPPING["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_dead_letters_stay_for_as_long_as_sqs_allows() -> None:
    dead = {name: queue for name, queue in QUEUES.items() if "DeadLetters" in name}
    assert QUEUES["StateChanges"]["RedrivePolicy"]["deadLetterTargetArn"] == arn("StateChangeDeadLetters")
    assert dead["StateChangeDeadLetters"]["RedriveAllowPolicy"]["sourceQueueArns"] == [arn("StateChanges")]
    assert {queue["MessageRetentionPeriod"] for queue in dead.values()} == {14 * 24 * 3600}


def test_what_the_state_rule_cannot_deliver_is_kept() -> None:
    (target,) = RULE["Targets"]
    assert target["DeadLetterConfig"]["Arn"] == arn("StateChangeDeadLetters")
