"""What EC2 sends reaches the function by way of the queue, and what does not reach it is kept."""

import json
from typing import Any, cast

import pytest
from moto.events.models import EventPattern

from controller.events import parse_event
from tests.infra.cloudformation import read, stack
from tests.infra.iam import listed
from tests.support.events import state_change, tag_change

DEPLOYED = stack()
QUEUES = DEPLOYED.resources("AWS::SQS::Queue")
RULES = DEPLOYED.resources("AWS::Events::Rule")
RULE, TAG_RULE = RULES["StateChangeRule"], RULES["TagRule"]
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


@pytest.mark.parametrize("key", ["Project", "MeetingID", "Role"])
def test_tag_rule_matches_a_change_of_each_tag_that_matters(key: str) -> None:
    event = tag_change(MACHINE, **{"changed-tag-keys": ["Name", key]})
    assert matches(TAG_RULE["EventPattern"], event)
    assert parse_event(event).scope == frozenset({MACHINE})


def test_tag_rule_follows_the_project_tag() -> None:
    rule = stack(ProjectTag="Class=a=b").resources("AWS::Events::Rule")["TagRule"]
    assert rule["EventPattern"]["detail"]["changed-tag-keys"] == ["Class", "MeetingID", "Role"]


@pytest.mark.parametrize(
    "other",
    [
        {"source": "aws.ec2"},
        {"detail-type": "AWS API Call via CloudTrail"},
        tag_change(MACHINE, **{"changed-tag-keys": ["Name"]}),
        tag_change(MACHINE, service="s3"),
        tag_change(MACHINE, **{"resource-type": "volume"}),
    ],
    ids=["source", "detail-type", "other tag", "service", "resource type"],
)
def test_tag_rule_matches_nothing_else(other: dict[str, Any]) -> None:
    assert not matches(TAG_RULE["EventPattern"], tag_change(MACHINE) | other)


@pytest.mark.parametrize(("rule", "name"), [(RULE, "ElephantEC2StateWatch"), (TAG_RULE, "ElephantTagWatch")])
def test_rules_lead_to_the_queue_and_the_queue_to_the_function(rule: dict[str, Any], name: str) -> None:
    (target,) = rule["Targets"]
    assert rule["Name"] == name
    assert target["Arn"] == MAPPING["EventSourceArn"] == arn("StateChanges")
    assert "Input" not in target  # the function reads the event as EC2 sent it
    assert "InputPath" not in target
    assert "InputTransformer" not in target


@pytest.mark.parametrize("queue", sorted(QUEUES))
def test_every_queue_takes_messages_from_its_rules_alone(queue: str) -> None:
    # Without its policy EventBridge's messages would be lost, and nobody would know.
    (allowed,) = [statement for statement in statements(queue) if statement["Effect"] == "Allow"]
    events = ["ElephantEC2StateWatch", "ElephantTagWatch"]
    rules = ["ElephantReconcile"] if queue.startswith("Reconcile") else events
    sources = [f"arn:aws:events:us-west-2:123456789012:rule/{rule}" for rule in rules]
    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
    assert (allowed["Action"], allowed["Resource"]) == ("sqs:SendMessage", arn(queue))
    (condition,) = allowed["Condition"].values()
    assert (list(allowed["Condition"]), list(condition)) == (["ArnEquals"], ["aws:SourceArn"])
    assert listed(condition["aws:SourceArn"]) == sources


@pytest.mark.parametrize("rule", sorted(RULES))
def test_the_rule_that_a_queue_trusts_is_deployed_under_this_name(rule: str) -> None:
    sources = {
        source.rpartition("/")[2]
        for queue in QUEUES
        for statement in statements(queue)
        if statement["Effect"] == "Allow"
        for source in listed(statement["Condition"]["ArnEquals"]["aws:SourceArn"])
    }
    assert RULES[rule]["Name"] in sources


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
    assert FUNCTION["Timeout"] + read()["Parameters"]["BatchWindowSeconds"]["MaxValue"] < hidden <= 300


def test_a_message_lives_through_all_its_attempts() -> None:
    queue = QUEUES["StateChanges"]
    attempts = queue["RedrivePolicy"]["maxReceiveCount"]
    assert attempts == 5  # AWS's advice where a function reads: the first ones may be throttled, not tried
    assert queue["MessageRetentionPeriod"] > attempts * queue["VisibilityTimeout"]


@pytest.mark.parametrize(("window", "size"), [("0", 10), ("1", 1000), ("5", 1000)])
def test_more_than_ten_events_are_gathered_in_a_window_only(window: str, size: int) -> None:
    # Lambda's API, CreateEventSourceMapping: a batch of more than ten from a queue needs a window of a second.
    mapping = stack(BatchWindowSeconds=window).only("AWS::Lambda::EventSourceMapping")
    assert (mapping["BatchSize"], str(mapping["MaximumBatchingWindowInSeconds"])) == (size, window)
    assert mapping["ScalingConfig"]["MaximumConcurrency"] == 2


def test_an_event_waits_for_no_other_by_default() -> None:
    assert str(MAPPING["MaximumBatchingWindowInSeconds"]) == "0"


def test_queue_gets_back_only_what_a_pass_returns() -> None:
    # Without it Lambda takes any answer for success, and the messages of failed machines would be deleted.
    assert MAPPING["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_dead_letters_stay_for_as_long_as_sqs_allows() -> None:
    dead = {name: queue for name, queue in QUEUES.items() if "DeadLetters" in name}
    assert QUEUES["StateChanges"]["RedrivePolicy"]["deadLetterTargetArn"] == arn("StateChangeDeadLetters")
    assert dead["StateChangeDeadLetters"]["RedriveAllowPolicy"]["sourceQueueArns"] == [arn("StateChanges")]
    assert {queue["MessageRetentionPeriod"] for queue in dead.values()} == {14 * 24 * 3600}


@pytest.mark.parametrize("rule", ["StateChangeRule", "TagRule"])
def test_what_a_rule_cannot_deliver_is_kept(rule: str) -> None:
    (target,) = RULES[rule]["Targets"]
    assert target["DeadLetterConfig"]["Arn"] == arn("StateChangeDeadLetters")
