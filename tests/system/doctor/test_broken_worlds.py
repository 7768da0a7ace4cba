"""Deployments that look right and do not work: what the doctor says of each, and how to repair it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from controller.doctor.diagnosis import Check, Status
from controller.events import STATE_CHANGE
from tests.support.servers import Clouds
from tests.system.doctor.deployed import FUNCTION, PATTERN, Deployment, changed, function, statement

FIVE = "rate(5 minutes)"
PERMISSION, STATE, SCHEDULE = "trigger-permission", "state-changes", "schedule"
FAIL, WARN, PASS = Status.FAIL, Status.WARN, Status.PASS
ACCOUNT = "arn:aws:events:us-west-2:123456789012:rule"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class World:
    """A deployment with one thing wrong (or an odd one that is right), and what is said of it."""

    name: str
    build: Callable[[Deployment], Any]
    id: str
    status: Status
    seen: str
    fix: str = ""


def no_policy_of_function(deployment: Deployment) -> None:
    live = _live(deployment)
    deployment.rule("ElephantReconcile", live, allowed=False, ScheduleExpression=FIVE)


def policy_for_another_rule(deployment: Deployment) -> None:
    live = _live(deployment)
    deployment.rule("ElephantReconcile", live, allowed=False, ScheduleExpression=FIVE)
    deployment.allow(f"{ACCOUNT}/OldReconcile", live)


def policy_of_the_function_and_not_of_its_alias(deployment: Deployment) -> None:
    live = _live(deployment)
    rule = deployment.rule("ElephantReconcile", live, allowed=False, ScheduleExpression=FIVE)
    deployment.allow(rule, live.rpartition(":")[0])


def no_policy_of_queue(deployment: Deployment) -> None:
    deployment.rule("Watch", deployment.queue(_live(deployment)), allowed=False, pattern=PATTERN)


def policy_of_queue_for_a_service_that_is_not_eventbridge(deployment: Deployment) -> None:
    queue = deployment.queue(_live(deployment))
    rule = deployment.rule("Watch", queue, allowed=False, pattern=PATTERN)
    deployment.policy(queue, statement(queue, rule, Principal={"Service": "sns.amazonaws.com"}))


def policy_of_queue_that_denies(deployment: Deployment) -> None:
    queue = deployment.queue(_live(deployment))
    rule = deployment.rule("Watch", queue, pattern=PATTERN)
    deny = statement(queue, rule, Effect="Deny", Principal="*", Action="sqs:*", Condition={})
    deployment.policy(queue, statement(queue, rule), deny)


def policy_of_queue_as_in_the_template(deployment: Deployment) -> None:
    queue = deployment.queue(_live(deployment))
    rule = deployment.rule("Watch", queue, pattern=PATTERN)
    in_the_clear = {"Bool": {"aws:SecureTransport": "false"}}
    deny = statement(queue, rule, Effect="Deny", Principal="*", Action="sqs:*", Condition=in_the_clear)
    deployment.policy(queue, statement(queue, rule), deny)


def policy_with_a_condition_that_is_not_known(deployment: Deployment) -> None:
    queue = deployment.queue(_live(deployment))
    rule = deployment.rule("Watch", queue, pattern=PATTERN)
    unknown = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}
    deployment.policy(queue, statement(queue, rule, Condition=unknown))


def queue_with_the_key_of_aws(deployment: Deployment) -> None:
    queue = deployment.queue(_live(deployment), KmsMasterKeyId="alias/aws/sqs")
    deployment.rule("Watch", queue, pattern=PATTERN)


def queue_with_a_key_of_the_customer(deployment: Deployment) -> None:
    queue = deployment.queue(_live(deployment), KmsMasterKeyId="alias/ours")
    deployment.rule("Watch", queue, pattern=PATTERN)


def reserved(executions: int) -> Callable[[Deployment], None]:
    def build(deployment: Deployment) -> None:
        deployment.whole()
        deployment.of("lambda").put_function_concurrency(FunctionName=FUNCTION, ReservedConcurrentExecutions=executions)

    return build


def timed_out_after(seconds: int) -> Callable[[Deployment], Any]:
    return lambda deployment: deployment.function(seconds=seconds)


def scheduled(send: dict[str, Any] | None = None, expression: str = FIVE) -> Callable[[Deployment], Any]:
    """A rule with this schedule, and these fields of its target."""
    return lambda deployment: deployment.rule(
        "Reconcile", deployment.function(), send=send or {}, ScheduleExpression=expression
    )


def sending(text: str) -> Callable[[Deployment], Any]:
    return scheduled({"Input": text})


def watching(send: dict[str, Any], *, queued: bool = True) -> Callable[[Deployment], Any]:
    """A rule for state changes with these fields of its target."""

    def build(deployment: Deployment) -> None:
        live = _live(deployment)
        deployment.rule("Watch", deployment.queue(live) if queued else live, send=send, pattern=PATTERN)

    return build


def transformed(template: str, **paths: str) -> dict[str, Any]:
    return {"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}


def by_scheduler(expression: str = FIVE, *, queued: bool = False, **fields: Any) -> Callable[[Deployment], Any]:
    """A schedule of EventBridge Scheduler, and no rule for one."""

    def build(deployment: Deployment) -> None:
        live = _live(deployment)
        deployment.schedule(deployment.queue(live) if queued else live, expression, **fields)

    return build


def by_scheduler_that_invokes(deployment: Deployment) -> None:
    live = _live(deployment)
    asked = {"FunctionName": live, "Payload": json.dumps({"action": "plan"})}
    deployment.schedule("arn:aws:scheduler:::aws-sdk:lambda:invoke", send=json.dumps(asked))


def running(program: str) -> Callable[[Deployment], Any]:
    return lambda deployment: deployment.function(runs=program)


def beside(**changes: Any) -> Callable[[Deployment], Any]:
    """The deployment, and another function with these settings."""

    def build(deployment: Deployment) -> None:
        deployment.whole()
        deployment.function("Another", **changes)

    return build


def the_launcher(deployment: Deployment) -> None:
    deployment.whole()
    deployment.function("Launcher", DOMAIN_ROOT="", ZONE_ID="", TABLE_NAME="elephant-meetings")


def _live(deployment: Deployment) -> str:
    deployment.function()
    return deployment.alias()


MACHINE = '"instance": "i-0123456789abcdef0"'
TABLE = "arn:aws:dynamodb:us-west-2:123456789012:table/elephant-meetings"
WORLDS = [
    World("no policy", no_policy_of_function, PERMISSION, FAIL, "it has no policy", "aws lambda add-permission"),
    World("policy for another rule", policy_for_another_rule, PERMISSION, FAIL, "does not allow", "rule/ElephantRec"),
    World(
        "policy not of the alias",
        policy_of_the_function_and_not_of_its_alias,
        PERMISSION,
        FAIL,
        "does not allow",
        "--function-name ElephantDNSWatchdog --qualifier live",
    ),
    World("no policy of queue", no_policy_of_queue, PERMISSION, FAIL, "may not call arn:aws:sqs", "sqs:SendMessage"),
    World(
        "policy of queue for another service",
        policy_of_queue_for_a_service_that_is_not_eventbridge,
        PERMISSION,
        FAIL,
        "does not allow",
        "events.amazonaws.com",
    ),
    World("policy of queue that denies", policy_of_queue_that_denies, PERMISSION, FAIL, "does not allow"),
    World("policy as in the template", policy_of_queue_as_in_the_template, PERMISSION, PASS, "may call its target"),
    World("unknown condition", policy_with_a_condition_that_is_not_known, PERMISSION, WARN, "depends on a condition"),
    World("queue with AWS's key", queue_with_the_key_of_aws, PERMISSION, FAIL, "alias/aws/sqs", "SqsManagedSse"),
    World("queue with own key", queue_with_a_key_of_the_customer, PERMISSION, WARN, "alias/ours", "kms:Decrypt"),
    World("concurrency 0", reserved(0), "function-concurrency", FAIL, "refuses every", "delete-function-concurrency"),
    World("concurrency 1", reserved(1), "function-concurrency", WARN, "throttle each other", "delete-function"),
    World("concurrency 5", reserved(5), "function-concurrency", PASS, "is 5."),
    World("time-out 3 s", timed_out_after(3), "function-timeout", FAIL, "is 3 s, too short for a pass", "240"),
    World("time-out 29 s", timed_out_after(29), "function-timeout", FAIL, "29 s"),
    World("time-out 45 s", timed_out_after(45), "function-timeout", WARN, "many machines"),
    World("input aply", sending('{"action": "aply"}'), SCHEDULE, FAIL, "refuses", '{"action": "apply"'),
    World("input with an instance", sending(f'{{"action": "apply", {MACHINE}}}'), SCHEDULE, FAIL, "over i-0123"),
    World("input plan of one", sending(f'{{"action": "plan", {MACHINE}}}'), SCHEDULE, FAIL, "never over all"),
    World("input with force", sending('{"action": "apply", "force": true}'), SCHEDULE, FAIL, "guard"),
    World("input with an odd key", sending('{"action": "apply", "dry_run": true}'), SCHEDULE, FAIL, "dry_run"),
    World("input of text", sending('"apply"'), SCHEDULE, FAIL, "refuses"),
    World("path of schedule", scheduled({"InputPath": "$.detail"}), SCHEDULE, FAIL, "refuses", "or none at all"),
    World("rate of a week", scheduled(expression="rate(7 days)"), SCHEDULE, WARN, "10,080 minutes", "rate(5 minutes)"),
    World("rate of a day", scheduled(expression="rate(1 day)"), SCHEDULE, WARN, "1,440 minutes"),
    World("cron every morning", scheduled(expression="cron(0 8 * * ? *)"), SCHEDULE, WARN, "1,440 minutes"),
    World("cron on weekdays", scheduled(expression="cron(0/5 * ? * MON-FRI *)"), SCHEDULE, WARN, "every day"),
    World("cron each five minutes", scheduled(expression="cron(0/5 * * * ? *)"), SCHEDULE, PASS, "starts it"),
    World("path to the detail, queue", watching({"InputPath": "$.detail"}), STATE, FAIL, "skips", "InputPath"),
    World("path to the detail", watching({"InputPath": "$.detail"}, queued=False), STATE, FAIL, "refuses", "InputPath"),
    World("path to the whole", watching({"InputPath": "$"}), STATE, PASS, "brings every state change"),
    World(
        "input that applies all", watching({"Input": '{"action": "apply"}'}, queued=False), STATE, WARN, "everything"
    ),
    World("input that plans", watching({"Input": '{"action": "plan"}'}, queued=False), STATE, WARN, "only plans"),
    World(
        "input of one machine",
        watching({"Input": '{"action": "apply", "instance": "i-0000000000000000a"}'}, queued=False),
        STATE,
        FAIL,
        "always names i-0000000000000000a",
    ),
    World(
        "template without the type",
        watching(transformed('{"id": "<id>"}', id="$.detail.instance-id")),
        STATE,
        FAIL,
        "skips",
        "InputTransformer",
    ),
    World(
        "template that is right",
        watching(
            transformed(
                '{"source": "aws.ec2", "detail-type": "' + STATE_CHANGE + '", "detail": <d>, "time": "<t>"}',
                d="$.detail",
                t="$.time",
            )
        ),
        STATE,
        PASS,
        "brings every state change",
    ),
    World(
        "template of a request",
        watching(transformed('{"action": "apply", "instance": "<id>"}', id="$.detail.instance-id"), queued=False),
        STATE,
        PASS,
        "brings every state change",
    ),
    World("template with an odd path", watching(transformed("<a>", a="$.x[0]")), STATE, WARN, "cannot be computed"),
    World("scheduler", by_scheduler(), SCHEDULE, PASS, "Schedule s starts it"),
    World("scheduler with an input", by_scheduler(send='{"action": "apply"}'), SCHEDULE, PASS, "starts it"),
    World("scheduler that plans", by_scheduler(send='{"action": "plan"}'), SCHEDULE, WARN, "only plans"),
    World("scheduler with aply", by_scheduler(send='{"action": "aply"}'), SCHEDULE, FAIL, "refuses"),
    World("scheduler by queue", by_scheduler(queued=True), SCHEDULE, FAIL, "skips"),
    World("scheduler that is off", by_scheduler(State="DISABLED"), SCHEDULE, WARN, "is disabled"),
    World("scheduler once", by_scheduler("at(2100-01-01T00:00:00)"), SCHEDULE, WARN, "every day"),
    World("scheduler that ended", by_scheduler(EndDate=LONG_AGO), SCHEDULE, FAIL, "ended at", "end date"),
    World("scheduler by the API", by_scheduler_that_invokes, SCHEDULE, WARN, "only plans"),
    World(
        "first version",
        running("lambda_function.lambda_handler"),
        "function-code",
        FAIL,
        "another program",
        "delete the f",
    ),
    World("another handler", running("handler.main"), "function-code", FAIL, "not handler.lambda_handler"),
    World("another's table", beside(OWNER_ID="x"), "table-users", WARN, "deployment: Another", "TABLE_NAME"),
    World("another's table by ARN", beside(TABLE_NAME=TABLE), "table-users", WARN, "deployment: Another"),
    World("another table", beside(TABLE_NAME="elephant-staging"), "table-users", PASS, "No function"),
    World(
        "a table of that name elsewhere",
        beside(TABLE_NAME=TABLE.replace("us-west-2", "eu-west-1")),
        "table-users",
        PASS,
        "No function",
    ),
    World("the launcher's function", the_launcher, "table-users", PASS, "No function"),
]


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_a_broken_world_is_said_with_its_fix(clouds: Clouds, deployment: Deployment, world: World) -> None:
    world.build(deployment)
    (said,) = [check for check in function(clouds) if check.id == world.id]
    assert said.status is world.status, said
    assert world.seen in said.seen
    assert world.fix in said.fix
    assert bool(said.fix) is (world.status is not PASS)


def test_a_second_target_of_a_rule_is_judged_as_well(clouds: Clouds, deployment: Deployment) -> None:
    arn = deployment.function()
    deployment.rule("Reconcile", arn, ScheduleExpression=FIVE)
    second = {"Id": "2", "Arn": arn, "Input": '{"action": "aply"}'}
    deployment.of("events").put_targets(Rule="Reconcile", Targets=[second])
    checks = [check for check in function(clouds) if check.id == SCHEDULE]
    assert [check.status for check in checks] == [PASS, WARN]


def test_beside_a_schedule_that_works_one_that_fails_warns(clouds: Clouds, deployment: Deployment) -> None:
    deployment.schedule(deployment.whole(), send='{"action": "aply"}')
    assert _of(clouds, SCHEDULE) == [PASS, WARN]


def test_a_function_that_failed_to_start_fails(clouds: Clouds, deployment: Deployment) -> None:
    deployment.function()
    changed(clouds, "GET configuration", lambda body: body.update(State="Failed"))
    first: Check = function(clouds)[0]
    assert (first.status, "in state Failed" in first.seen, "Deploy it again" in first.fix) == (FAIL, True, True)


@pytest.mark.parametrize("policy", ["[]", "{"])
def test_a_policy_that_cannot_be_read_fails(clouds: Clouds, deployment: Deployment, policy: str) -> None:
    deployment.rule("Reconcile", deployment.function(), ScheduleExpression=FIVE)
    changed(clouds, "GET policy", lambda body: body.update(Policy=policy))
    assert _of(clouds, PERMISSION) == [FAIL]


def _of(clouds: Clouds, id: str) -> list[Status]:
    return [check.status for check in function(clouds) if check.id == id]
