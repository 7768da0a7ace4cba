"""The deployed function: there or not, and of one mind with a pass from here."""

from typing import Any

import pytest

from controller.doctor.diagnosis import Check, Status
from controller.sandbox.cloudflare import Reply
from tests.support.build import OWNER
from tests.support.servers import Clouds
from tests.system.doctor.deployed import FUNCTION, PATTERN, TAG_PATTERN, Deployment, changed, deny, function, instead
from tests.system.faults.calls import Scene

ARN = f"arn:aws:lambda:us-west-2:123456789012:function:{FUNCTION}"
REST = [
    "function-code",
    "function-timeout",
    "function-settings",
    "function-concurrency",
    "table-users",
    "state-changes",
    "tag-changes",
    "schedule",
    "trigger-permission",
]


def settings_checks(clouds: Clouds, **changes: str) -> list[Check]:
    return [check for check in function(clouds, **changes) if check.id == "function-settings"]


def test_a_function_that_is_not_there_warns(clouds: Clouds) -> None:
    first, *rest = function(clouds)
    assert (first.id, first.status) == ("function", Status.WARN)
    assert "--function" in first.fix
    assert [(check.id, check.status) for check in rest] == [(id, Status.SKIP) for id in REST]


@pytest.mark.parametrize(
    ("operation", "id", "action"),
    [
        ("GET configuration", "function", "lambda:GetFunctionConfiguration on function ElephantDNSWatchdog."),
        ("GET aliases", "function", "lambda:ListAliases on function ElephantDNSWatchdog."),
        ("GET event-source-mappings", "state-changes", "lambda:ListEventSourceMappings on *."),
        ("ListRuleNamesByTarget", "state-changes", "events:ListRuleNamesByTarget on *."),
        ("DescribeRule", "state-changes", "events:DescribeRule on rule ElephantReconcile."),
        ("ListTargetsByRule", "state-changes", "events:ListTargetsByRule on rule ElephantReconcile."),
        ("GET schedules", "schedule", "scheduler:ListSchedules on *."),
        ("GET s", "schedule", "scheduler:GetSchedule on schedule default/s."),
        ("GET policy", "trigger-permission", "lambda:GetPolicy on function ElephantDNSWatchdog."),
        ("GET concurrency", "function-concurrency", "lambda:GetFunctionConcurrency on function ElephantDNSWatchdog."),
        ("GET functions", "table-users", "lambda:ListFunctions on *."),
    ],
)
def test_what_is_denied_warns_and_names_the_action(
    clouds: Clouds, deployment: Deployment, operation: str, id: str, action: str
) -> None:
    if operation.startswith("GET s"):
        deployment.schedule(deployment.function())
        deployment.rule("ElephantEC2StateWatch", ARN, pattern=PATTERN)
    else:
        deployment.function()
        deployment.rule("ElephantReconcile", ARN, ScheduleExpression="rate(5 minutes)")
        deployment.rule("ElephantEC2StateWatch", ARN, pattern=PATTERN)
    deployment.rule("ElephantTagWatch", ARN, pattern=TAG_PATTERN)
    deny(clouds, operation)
    checks = function(clouds)
    (warning,) = [check for check in checks if check.status is Status.WARN]
    assert warning.id == id
    assert warning.fix == f"Allow the action {action} Only this command needs it."
    rest = {"function": REST, "state-changes": REST[-3:]}.get(id, [])
    assert [check.id for check in checks if check.status is Status.SKIP] == rest


def test_a_function_is_named_with_its_aliases(clouds: Clouds, deployment: Deployment) -> None:
    deployment.function("Another")
    assert function(clouds, "Another")[0].seen == f"{ARN.replace(FUNCTION, 'Another')} is there."
    deployment.whole()
    first = function(clouds)[0]
    assert (first.status, first.seen) == (Status.PASS, f"{ARN} is there, with the alias live.")


def test_an_alias_of_a_later_page_is_seen_as_well(clouds: Clouds, deployment: Deployment) -> None:
    def begin_with_nothing(scene: Scene) -> Reply:
        is_later = "Marker=more" in scene.request.target
        return scene.proceed() if is_later else Reply.of(200, {"Aliases": [], "NextMarker": "more"})

    deployment.whole()
    instead(clouds, ["GET aliases"], begin_with_nothing)
    assert function(clouds)[0].seen == f"{ARN} is there, with the alias live."


@pytest.mark.parametrize(
    ("there", "seen"),
    [
        ({"OWNER_ID": "other"}, f"OWNER_ID is {OWNER} here and other there"),
        ({"DOMAIN_ROOT": "meet.example.com"}, "DOMAIN_ROOT is example.com here and meet.example.com there"),
        ({"ZONE_ID": "0" * 32}, f"and {'0' * 32} there"),
        ({"TABLE_NAME": "meetings"}, "TABLE_NAME is elephant-meetings here and meetings there"),
        ({"PROJECT_TAG": "A=b", "OWNER_ID": OWNER}, "PROJECT_TAG is Project=Elephant here and A=b there"),
        ({"ROLES": "teacher"}, "ROLES is student,teacher here and teacher there"),
        ({"DCV_PORT": "443"}, "DCV_PORT is 8443 here and 443 there"),
    ],
)
def test_settings_that_differ_fail_and_are_named(
    clouds: Clouds, deployment: Deployment, there: dict[str, Any], seen: str
) -> None:
    deployment.function(**there)
    (said,) = settings_checks(clouds)
    assert said.status is Status.FAIL
    assert seen in said.seen
    assert said.seen.count(" there") == 1


def test_a_given_owner_id_is_compared_with_the_default_there(clouds: Clouds, deployment: Deployment) -> None:
    deployment.function()
    (said,) = settings_checks(clouds, OWNER_ID="laptop")
    assert (said.status, f"OWNER_ID is laptop here and {OWNER} there" in said.seen) == (Status.FAIL, True)


@pytest.mark.parametrize(
    "there",
    [
        {},
        {"OWNER_ID": OWNER, "ROLES": "student,teacher", "GRACE_SECONDS": "60", "STATUS_INDEX": "by-status"},
        {"TABLE_NAME": "arn:aws:dynamodb:us-west-2:123456789012:table/elephant-meetings"},
    ],
    ids=["same", "same-meaning", "arn"],
)
def test_settings_that_want_the_same_pass(clouds: Clouds, deployment: Deployment, there: dict[str, Any]) -> None:
    deployment.function(**there)
    (said,) = settings_checks(clouds)
    assert (said.status, OWNER in said.seen) == (Status.PASS, True)


def test_an_owner_that_nobody_knows_is_not_compared(clouds: Clouds, deployment: Deployment) -> None:
    deployment.function()
    deny(clouds, "GetCallerIdentity")
    (said,) = settings_checks(clouds)
    assert said.status is Status.SKIP
    (said,) = settings_checks(clouds, DOMAIN_ROOT="meet.example.com")
    assert said.status is Status.FAIL


def test_only_what_the_rules_reach_is_compared(clouds: Clouds, deployment: Deployment) -> None:
    deployment.whole()
    clouds.aws.client("lambda").update_function_configuration(
        FunctionName=FUNCTION, Environment={"Variables": {"DOMAIN_ROOT": "being.tried.example.com"}}
    )
    (said,) = settings_checks(clouds)
    assert (said.status, f"{ARN}:1 has the owner id" in said.seen) == (Status.PASS, True)


def test_an_alias_that_nothing_starts_is_not_compared(clouds: Clouds, deployment: Deployment) -> None:
    arn = deployment.function(DOMAIN_ROOT="of.old.example.com")
    deployment.alias("old")
    deployment.rule("ElephantReconcile", arn, ScheduleExpression="rate(5 minutes)")
    environment = {"Variables": {**clouds.environment(), "OWNER_ID": OWNER}}
    clouds.aws.client("lambda").update_function_configuration(FunctionName=FUNCTION, Environment=environment)
    (said,) = settings_checks(clouds)
    assert said.status is Status.PASS


def test_unusable_settings_of_a_function_fail_all_at_once(clouds: Clouds, deployment: Deployment) -> None:
    deployment.function(DOMAIN_ROOT="", DCV_PORT="80")
    (said,) = settings_checks(clouds)
    assert said.status is Status.FAIL
    assert "DOMAIN_ROOT is not set" in said.seen
    assert "DCV_PORT is '80'" in said.seen


def test_removed_limits_of_a_function_fail_with_the_reason(clouds: Clouds, deployment: Deployment) -> None:
    deployment.function(MAX_GUARDED_DELETES="5")
    (said,) = settings_checks(clouds)
    assert (said.status, "MAX_GUARDED_DELETES is '5': it no longer exists" in said.seen) == (Status.FAIL, True)


def test_a_token_in_the_functions_environment_is_a_warning(clouds: Clouds, deployment: Deployment) -> None:
    deployment.function(CLOUDFLARE_API_TOKEN="cfut_open")
    (said,) = settings_checks(clouds)
    assert (said.status, "SECRET_ARN" in said.fix, "cfut_open" in said.seen) == (Status.WARN, True, False)


def test_an_environment_that_cannot_be_decrypted_is_a_warning(clouds: Clouds, deployment: Deployment) -> None:
    deployment.function()
    error = {"Error": {"ErrorCode": "AccessDeniedException", "Message": "Lambda was unable to decrypt"}}
    changed(clouds, "GET configuration", lambda body: body.update(Environment=error))
    (said,) = settings_checks(clouds)
    assert (said.status, "kms:Decrypt" in said.fix) == (Status.WARN, True)
