"""The rules that reach the function: by every way, of every kind, and each way in which they never fire."""

import json
from typing import Any

import pytest

from controller.doctor.diagnosis import Check, Status
from controller.events import STATE_CHANGE
from controller.sandbox.cloudflare import Reply
from tests.support.servers import Clouds
from tests.system.doctor.deployed import PATTERN, TAG_PATTERN, Deployment, deny, function, instead
from tests.system.faults.aws_kinds import failure
from tests.system.faults.calls import Scene

STATE, TAGS, SCHEDULE = "state-changes", "tag-changes", "schedule"
FIVE: dict[str, Any] = {"ScheduleExpression": "rate(5 minutes)"}


def of(clouds: Clouds, id: str) -> list[Check]:
    return [check for check in function(clouds) if check.id == id]


def judged(clouds: Clouds, deployment: Deployment, pattern: dict[str, Any], **fields: Any) -> Check:
    """The check of one rule with this pattern."""
    deployment.rule("ElephantEC2StateWatch", deployment.function(), pattern=pattern, **fields)
    (said,) = of(clouds, STATE)
    return said


def with_detail(**detail: Any) -> dict[str, Any]:
    return {**PATTERN, "detail": detail}


def test_what_the_template_makes_passes(clouds: Clouds, deployment: Deployment) -> None:
    deployment.whole()
    (state,), (tags,), (schedule,) = of(clouds, STATE), of(clouds, TAGS), of(clouds, SCHEDULE)
    assert (state.status, tags.status, schedule.status) == (Status.PASS, Status.PASS, Status.PASS)
    assert tags.seen == "Rule ElephantTagWatch brings changed tags by queue state-changes."
    assert state.seen == "Rule ElephantEC2StateWatch brings every state change by queue state-changes."
    assert schedule.seen == "Rule ElephantReconcile starts it, rate(5 minutes)."


@pytest.mark.parametrize("way", ["function", "alias", "queue-of-function", "queue-of-alias"])
def test_a_rule_is_found_by_whichever_way_it_reaches_the_function(
    clouds: Clouds, deployment: Deployment, way: str
) -> None:
    arn = deployment.function()
    arn = deployment.alias() if way.endswith("alias") else arn
    deployment.rule("any-name", deployment.queue(arn) if way.startswith("queue") else arn, pattern=PATTERN)
    assert [check.status for check in of(clouds, STATE)] == [Status.PASS]


def test_a_listing_in_pages_is_read_to_its_end(clouds: Clouds, deployment: Deployment) -> None:
    arn = deployment.function()
    deployment.rule("ElephantReconcile", arn, **FIVE)
    deployment.rule("ElephantEC2StateWatch", arn, pattern=PATTERN)

    def half(scene: Scene) -> Reply:
        names = ["ElephantReconcile", "ElephantEC2StateWatch"]
        is_first = b"NextToken" not in scene.request.content
        page = {"RuleNames": names[:1], "NextToken": "more"} if is_first else {"RuleNames": names[1:]}
        return Reply.text(200, json.dumps(page), "application/x-amz-json-1.1")

    instead(clouds, ["ListRuleNamesByTarget"], half)
    assert [check.status for check in (*of(clouds, STATE), *of(clouds, SCHEDULE))] == [Status.PASS] * 2


def test_rules_of_others_are_not_looked_at(clouds: Clouds, deployment: Deployment) -> None:
    deployment.rule("others", deployment.function("Another"), pattern=PATTERN)
    deployment.whole()
    assert len(of(clouds, STATE)) == 1


def test_without_any_rule_both_kinds_fail(clouds: Clouds, deployment: Deployment) -> None:
    deployment.function()
    (state,), (schedule,) = of(clouds, STATE), of(clouds, SCHEDULE)
    assert (state.status, schedule.status) == (Status.FAIL, Status.FAIL)
    assert STATE_CHANGE in state.fix
    assert "rate(5 minutes)" in schedule.fix


def test_the_first_versions_pattern_is_found_and_explained(clouds: Clouds, deployment: Deployment) -> None:
    pattern = with_detail(state=["running", "shutting-down"], tags={"Project": ["Elephant"]})
    said = judged(clouds, deployment, pattern)
    assert said.status is Status.FAIL
    assert said.seen == ("Rule ElephantEC2StateWatch never fires: it asks for detail.tags, which AWS never sends.")
    assert "the controller reads the tags itself" in said.fix


@pytest.mark.parametrize(
    ("pattern", "seen"),
    [
        ({**PATTERN, "source": ["ec2"]}, 'it asks for source ["ec2"], and AWS sends "aws.ec2"'),
        ({**PATTERN, "detail-type": ["EC2 State Change"]}, 'it asks for detail-type ["EC2 State Change"]'),
        ({**PATTERN, "region": ["eu-west-1"]}, 'it asks for region ["eu-west-1"], and AWS sends "us-west-2"'),
        ({**PATTERN, "account": ["1"]}, 'it asks for account ["1"], and AWS sends "123456789012"'),
        (with_detail(state=["Running"]), 'it asks for detail.state ["Running"], and AWS sends "running"'),
        (with_detail(State=["running"]), "it asks for detail.State, which AWS never sends"),
        (with_detail(instance={"state": ["running"]}), "it asks for detail.instance, which AWS never sends"),
    ],
)
def test_a_pattern_that_asks_for_something_else_never_fires(
    clouds: Clouds, deployment: Deployment, pattern: dict[str, Any], seen: str
) -> None:
    said = judged(clouds, deployment, pattern)
    assert (said.status, seen in said.seen) == (Status.FAIL, True)


def test_states_that_are_left_out_are_named(clouds: Clouds, deployment: Deployment) -> None:
    said = judged(clouds, deployment, with_detail(state=["running", "terminated"]))
    assert said.status is Status.WARN
    assert "leaves out stopping, stopped, shutting-down:" in said.seen


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": ["aws.ec2"], "detail-type": [STATE_CHANGE]},
        {"source": [{"prefix": "aws."}], "detail-type": [STATE_CHANGE], "region": ["us-west-2"]},
        with_detail(state=[{"anything-but": "pending"}]),
    ],
)
def test_other_patterns_that_bring_every_state_pass(
    clouds: Clouds, deployment: Deployment, pattern: dict[str, Any]
) -> None:
    assert judged(clouds, deployment, pattern).status is Status.PASS


def test_a_pattern_that_brings_other_events_too_is_a_warning(clouds: Clouds, deployment: Deployment) -> None:
    said = judged(clouds, deployment, {"source": ["aws.ec2"]})
    assert (said.status, "are not state changes" in said.seen) == (Status.WARN, True)


def assert_it_asks_for_the_purpose(said: Check) -> None:
    # A command that switches it on would end shadow mode, or create records after `retire`.
    assert said.status is Status.WARN
    assert said.fix.startswith("Off on purpose where the stack has ScheduleAction=plan or Enabled=false")
    assert "aws " not in said.fix


@pytest.mark.parametrize(("id", "fields"), [(STATE, {"pattern": PATTERN}), (SCHEDULE, FIVE)], ids=[STATE, SCHEDULE])
def test_a_rule_that_is_disabled_may_be_so_on_purpose(
    clouds: Clouds, deployment: Deployment, id: str, fields: dict[str, Any]
) -> None:
    deployment.rule("off", deployment.function(), State="DISABLED", **fields)
    (said,) = of(clouds, id)
    assert said.seen == "Rule off is disabled."
    assert_it_asks_for_the_purpose(said)


def test_a_queue_may_be_left_unread_on_purpose(clouds: Clouds, deployment: Deployment) -> None:
    queue = deployment.queue(deployment.function(), enabled=False)
    deployment.rule("watch", queue, pattern=PATTERN)
    (said,) = of(clouds, STATE)
    assert said.seen == "Rule watch sends events by queue state-changes, and the function does not read that queue now."
    assert_it_asks_for_the_purpose(said)


@pytest.mark.parametrize(
    ("sent", "status"),
    [(None, "pass"), ('{"action": "apply"}', "pass"), ('{"action": "plan"}', "warn")],
)
def test_a_schedule_that_only_plans_is_a_warning(
    clouds: Clouds, deployment: Deployment, sent: str | None, status: str
) -> None:
    deployment.rule("reconcile", deployment.function(), send={"Input": sent} if sent else {}, **FIVE)
    (said,) = of(clouds, SCHEDULE)
    assert str(said.status) == status


def test_beside_a_rule_that_works_one_that_never_fires_is_a_warning(clouds: Clouds, deployment: Deployment) -> None:
    deployment.rule("left-over", deployment.whole(), pattern=with_detail(tags={"Project": ["Elephant"]}))
    found = {check.seen.split()[1]: check.status for check in of(clouds, STATE)}
    assert found == {"ElephantEC2StateWatch": Status.PASS, "left-over": Status.WARN}


def test_eventbridge_itself_judges_a_pattern(clouds: Clouds, deployment: Deployment) -> None:
    says = {"Result": False}
    instead(clouds, ["TestEventPattern"], lambda scene: Reply.text(200, json.dumps(says), "application/x-amz-json-1.1"))
    said = judged(clouds, deployment, PATTERN)
    assert said.status is Status.FAIL
    assert said.seen == "Rule ElephantEC2StateWatch never fires: EventBridge says that it matches no state change."


def test_a_denied_test_of_patterns_is_said_and_read_here(clouds: Clouds, deployment: Deployment) -> None:
    deny(clouds, "TestEventPattern")
    said = judged(clouds, deployment, PATTERN)
    assert said.status is Status.PASS
    assert said.seen.endswith("Its pattern was read here, since events:TestEventPattern is denied.")
    assert clouds.aws.operations().count("TestEventPattern") == 1, "not asked again"


def test_a_denied_test_of_patterns_still_finds_a_wrong_one(clouds: Clouds, deployment: Deployment) -> None:
    deny(clouds, "TestEventPattern")
    assert judged(clouds, deployment, with_detail(tags={"Project": ["Elephant"]})).status is Status.FAIL


def test_a_test_of_patterns_without_an_answer_fails(clouds: Clouds, deployment: Deployment) -> None:
    instead(clouds, ["TestEventPattern"], failure(400, "SomethingNobodyKnowsException"))
    assert judged(clouds, deployment, PATTERN).status is Status.FAIL


def tags_judged(clouds: Clouds, deployment: Deployment, detail: dict[str, Any], **fields: Any) -> Check:
    """The check of one rule for tags, with these parts of its detail."""
    pattern = {**TAG_PATTERN, "detail": {**TAG_PATTERN["detail"], **detail}}
    deployment.rule("ElephantTagWatch", deployment.function(), pattern=pattern, **fields)
    (said,) = of(clouds, TAGS)
    assert "No rule brings state changes" in of(clouds, STATE)[0].seen, "it is not taken for one of these"
    return said


def test_missing_rule_for_tags_is_a_warning(clouds: Clouds, deployment: Deployment) -> None:
    deployment.rule("ElephantEC2StateWatch", deployment.function(), pattern=PATTERN)
    (said,) = of(clouds, TAGS)
    assert said.status is Status.WARN
    assert "a machine that is tagged after its launch waits" in said.seen
    assert "changed-tag-keys" in said.fix


@pytest.mark.parametrize(
    ("detail", "seen"),
    [
        ({"changed-tag-keys": ["MeetingID"]}, "Rule ElephantTagWatch leaves out Project, Role: such a change waits"),
        (
            {"resource-type": ["ec2:instance"]},
            'never fires: it asks for detail.resource-type ["ec2:instance"], and AWS',
        ),
        ({"changed-tag-keys": ["Name"]}, "never fires: it asks for detail.changed-tag-keys"),
        ({"tag": ["x"]}, "never fires: it asks for detail.tag, which AWS never sends"),
    ],
)
def test_rule_for_tags_that_misses_some_is_a_warning(
    clouds: Clouds, deployment: Deployment, detail: dict[str, Any], seen: str
) -> None:
    said = tags_judged(clouds, deployment, detail)
    assert (said.status, seen in said.seen) == (Status.WARN, True), said.seen


def test_disabled_rule_for_tags_is_a_warning(clouds: Clouds, deployment: Deployment) -> None:
    assert_it_asks_for_the_purpose(tags_judged(clouds, deployment, {}, State="DISABLED"))


def test_rule_for_tags_with_an_input_is_a_warning(clouds: Clouds, deployment: Deployment) -> None:
    said = tags_judged(clouds, deployment, {}, send={"InputPath": "$.detail"})
    assert said.status is Status.WARN
    assert "Remove Input" in said.fix


def test_rule_for_tags_follows_the_project_tag(clouds: Clouds, deployment: Deployment) -> None:
    deployment.rule("ElephantTagWatch", deployment.function(), pattern=TAG_PATTERN)
    (said,) = [one for one in function(clouds, PROJECT_TAG="Class=3b", OWNER_ID="x") if one.id == TAGS]
    assert "leaves out Class:" in said.seen
