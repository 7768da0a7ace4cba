"""The template deployed into an account that asks every role, and the function run there.

The emulator takes the template whole; the tests say where it does less than AWS.
"""

import base64
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from botocore.exceptions import ClientError

from controller.sandbox.aws import SECRET, TABLE
from tests.infra.cloudformation import stack as expanded
from tests.infra.deploy.account import Account
from tests.infra.deploy.deployment import Deployment, deploy
from tests.infra.deploy.emulator import wait_until
from tests.support.build import link, name
from tests.support.events import SCHEDULED, state_change, tag_change

pytestmark = [pytest.mark.deploy, pytest.mark.xdist_group("one emulator")]

REFUSALS = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
APPLY: dict[str, object] = {"action": "apply"}


def digest(package: Path) -> str:
    """As Lambda tells it."""
    return base64.b64encode(hashlib.sha256(package.read_bytes()).digest()).decode()


def test_every_resource_of_the_template_is_made(stack: Deployment) -> None:
    pages = stack.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack.stack)
    created = {one["ResourceType"]: one["ResourceStatus"] for page in pages for one in page["StackResourceSummaries"]}
    assert set(created.values()) == {"CREATE_COMPLETE"}
    optional = {"AWS::DynamoDB::Table", "AWS::SecretsManager::Secret", "AWS::Events::EventBusPolicy"}
    assert set(created) == {one["Type"] for one in expanded().template["Resources"].values()} - optional


def test_the_package_is_what_runs(deployed: Deployment, package: Path) -> None:
    answer = deployed.invoke({"action": "plan"})
    assert deployed.live()["CodeSha256"] == digest(package)
    assert (answer.content["schema"], answer.content["mode"]) == ("elephant-dns/report/v1", "plan")
    assert answer.content["target"]["owner"] == "123456789012/us-west-2"


def test_the_role_does_the_whole_job(deployed: Deployment) -> None:
    account = deployed.account
    gone = account.launch("m1"), account.launch("m1", "student")
    assert not deployed.invoke(APPLY).failed
    assert len(account.records()) == 2
    account.terminate(*gone)
    new = account.launch("m2", "student")
    answer = deployed.invoke(APPLY)
    assert (answer.failed, answer.content["converged"]) == (False, True)
    assert account.records() == {name(new): account.address(new)}
    assert (account.row("m1")["status"], "teacher_ec2_link" in account.row("m1")) == ("TERMINATED", False)
    assert (account.row("m2")["status"], account.row("m2")["student_ec2_link"]) == ("DNS_WRITTEN", link(new))


def test_what_was_changed_and_why_is_in_the_log_group_of_the_stack(deployed: Deployment) -> None:
    machine = deployed.account.launch("m1")
    deployed.invoke(APPLY)
    changes = [line for line in deployed.log() if line.get("instance") == machine]
    assert [(line["action"], line["outcome"]) for line in changes] == [
        ("create-record", "applied"),
        ("write-link", "applied"),
    ]


# Rights


@pytest.fixture(scope="session")
def with_own_things(account: Account, package: Path) -> Deployment:
    """A second stack beside the first, which makes table, index and secret too; only tests start it."""
    own = replace(account, table="own-meetings", secret="own/cloudflare")
    parameters = {"CreateTable": "true", "TableName": own.table, "CreateSecret": "true", "SecretName": own.secret}
    return deploy(own, package, "own-things", NameSuffix="-own", Enabled="false", StatusIndex="by-status", **parameters)


ACTIONS = [
    ("ec2:DescribeInstances", False),
    ("secretsmanager:GetSecretValue", False),
    ("dynamodb:Scan", False),
    ("dynamodb:UpdateItem", False),
    ("dynamodb:GetItem", True),
]


@pytest.mark.parametrize(("action", "scoped"), ACTIONS)
def test_the_job_takes_each_action_of_the_role(deployed: Deployment, action: str, scoped: bool) -> None:
    check_that_it_takes(action, deployed, scoped=scoped)


def test_the_job_takes_a_query_where_the_stack_has_an_index(with_own_things: Deployment) -> None:
    with_own_things.account.empty()
    check_that_it_takes("dynamodb:Query", with_own_things)


def check_that_it_takes(action: str, deployment: Deployment, *, scoped: bool = False) -> None:
    """A pass fails without this action, for this reason; and does its job as soon as the action is back."""
    machine = deployment.account.launch("m1")
    event = APPLY | ({"instance": machine} if scoped else {})
    # A warm function has the token; it asks for another when this one is refused.
    deployment.account.store_token(deployment.account.cloudflare.rotate_token())
    with deployment.without(action):
        answer = deployment.invoke(event)
    assert answer.failed
    assert f"Allow the action {action}" in answer.log
    assert not deployment.invoke(event).failed
    assert deployment.account.row("m1")["teacher_ec2_link"] == link(machine)


KEY = {"id": {"S": "m1"}}
ROW = {"TableName": TABLE, "Key": KEY}
FEW = {"ProjectionExpression": "id, teacher_ec2_id"}
ALLOWED = [
    ("secretsmanager", "get_secret_value", {"SecretId": SECRET}),
    ("dynamodb", "scan", {"TableName": TABLE, "Select": "SPECIFIC_ATTRIBUTES", **FEW}),
    ("dynamodb", "get_item", {**ROW, **FEW}),
    ("dynamodb", "update_item", ROW),
    ("ec2", "describe_instances", {}),
]
NOT_ALLOWED = [
    ("dynamodb", "scan", {"TableName": TABLE}),
    ("dynamodb", "scan", {"TableName": TABLE, "ProjectionExpression": "id, teacher_name"}),
    ("dynamodb", "get_item", ROW),
    ("dynamodb", "get_item", {**ROW, "ProjectionExpression": "id, teacher_name"}),
    ("secretsmanager", "get_secret_value", {"SecretId": f"{SECRET}-other"}),
    ("secretsmanager", "put_secret_value", {"SecretId": SECRET, "SecretString": "{}"}),
    ("dynamodb", "update_item", {"TableName": f"{TABLE}-other", "Key": KEY}),
    ("dynamodb", "put_item", {"TableName": f"{TABLE}-other", "Item": KEY}),
    ("dynamodb", "get_item", {"TableName": f"{TABLE}-other", "Key": KEY}),
    ("dynamodb", "scan", {"TableName": f"{TABLE}-other"}),
    ("dynamodb", "put_item", {"TableName": TABLE, "Item": KEY}),
    ("dynamodb", "delete_item", {"TableName": TABLE, "Key": KEY}),
    ("dynamodb", "delete_table", {"TableName": TABLE}),
    ("ec2", "terminate_instances", {"InstanceIds": ["i-0123456789abcdef0"]}),
    ("lambda", "invoke", {"FunctionName": "ElephantDNSWatchdog:live"}),
    ("iam", "list_roles", {}),
]


def refusal(deployment: Deployment, service: str, operation: str, arguments: dict[str, Any]) -> str:
    """The error that the role gets, if any."""
    client = deployment.account.aws.client(service, deployment.credentials())
    try:
        getattr(client, operation)(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


@pytest.mark.parametrize("call", ALLOWED, ids=lambda call: call[1])
def test_the_role_may_call(deployed: Deployment, call: tuple[str, str, dict[str, Any]]) -> None:
    assert refusal(deployed, *call) == ""


@pytest.mark.parametrize("call", NOT_ALLOWED, ids=lambda call: f"{call[1]} {next(iter(call[2].values()), '')}")
def test_the_role_may_not_call(deployed: Deployment, call: tuple[str, str, dict[str, Any]]) -> None:
    assert refusal(deployed, *call) in REFUSALS


def test_role_reaches_a_table_by_arn_and_not_the_one_of_its_name(account: Account, package: Path) -> None:
    arn = f"arn:aws:dynamodb:us-west-2:123456789012:table/{TABLE}-other"
    named = {"NameSuffix": "-arn", "TableName": arn, "Enabled": "false", "ScheduleAction": "plan"}
    stack = deploy(account, package, "arn", **named)
    account.empty()
    assert stack.invoke({"action": "plan"}).content["target"]["table"] == arn
    calls = [("dynamodb", "get_item", {"TableName": table, "Key": KEY, **FEW}) for table in (f"{TABLE}-other", TABLE)]
    assert [refusal(stack, *call) for call in calls] == ["", "AccessDeniedException"]


# Events


def test_a_state_change_comes_through_rule_and_queue_to_the_function(deployed: Deployment) -> None:
    """Only EC2 may speak as `aws.ec2`, and no emulator does: the rule hears a test, which says what EC2 would say."""
    machine = deployed.account.launch("m1")
    event = state_change(machine)
    with deployed.hearing("ElephantEC2StateWatch", Input=json.dumps(event)):
        deployed.happen(event)
    wait_until(lambda: name(machine) in deployed.account.records())
    wait_until(lambda: deployed.waiting("StateChangesQueueUrl") == 0)
    assert deployed.account.row("m1")["teacher_ec2_link"] == link(machine)


def test_changed_tags_come_through_their_rule_to_the_function(deployed: Deployment) -> None:
    machine = deployed.account.launch("m1")
    event = tag_change(machine)
    with deployed.hearing("ElephantTagWatch", Input=json.dumps(event)):
        deployed.happen({**event, "detail": {**event["detail"], "changed-tag-keys": ["Name"]}})
        assert deployed.waiting("StateChangesQueueUrl") == 0
        deployed.happen(event)
    wait_until(lambda: name(machine) in deployed.account.records())
    assert deployed.account.row("m1")["teacher_ec2_link"] == link(machine)


def test_a_state_change_whose_pass_failed_stays_in_the_queue(deployed: Deployment) -> None:
    event = state_change(deployed.account.launch("m1"))
    deployed.account.cloudflare.revoke_token()
    before = failed_passes(deployed)
    with deployed.hearing("ElephantEC2StateWatch", Input=json.dumps(event)):
        deployed.happen(event)
    wait_until(lambda: failed_passes(deployed) > before)
    assert deployed.waiting("StateChangesQueueUrl") == 1
    deployed.client("sqs").purge_queue(QueueUrl=deployed.outputs["StateChangesQueueUrl"])


def test_queue_gets_back_the_message_of_the_refused_machine_alone(deployed: Deployment) -> None:
    account = deployed.account
    account.cloudflare.reset(quota=1)
    account.store_token(account.cloudflare.token)
    served, refused = account.launch("m1"), account.launch("m2")
    account.cloudflare.seed(name(served), account.address(served), comment="elephant-dns:123456789012/us-west-2")
    events = [json.dumps(state_change(machine)) for machine in (refused, served)]
    entries = [{"Id": str(number), "MessageBody": event} for number, event in enumerate(events)]
    before = refused_changes(deployed)
    deployed.client("sqs").send_message_batch(QueueUrl=deployed.outputs["StateChangesQueueUrl"], Entries=entries)
    wait_until(lambda: refused_changes(deployed) > before and deployed.waiting("StateChangesQueueUrl") == 1)
    assert account.row("m1")["teacher_ec2_link"] == link(served)
    deployed.client("sqs").purge_queue(QueueUrl=deployed.outputs["StateChangesQueueUrl"])


def refused_changes(deployment: Deployment) -> int:
    return [line.get("outcome") for line in deployment.log()].count("failed")


def failed_passes(deployment: Deployment) -> int:
    return [line.get("message") for line in deployment.log()].count("pass failed")


@pytest.mark.parametrize("queue", ["StateChangesQueueUrl", "StateChangeDeadLettersUrl", "ReconcileDeadLettersUrl"])
def test_no_queue_takes_or_gives_anything_in_the_clear(stack: Deployment, queue: str) -> None:
    client = stack.account.aws.client("sqs", encrypted=False)
    for operation, arguments in ((client.send_message, {"MessageBody": "{}"}), (client.receive_message, {})):
        with pytest.raises(ClientError) as refused:
            operation(QueueUrl=stack.outputs[queue], **arguments)
        assert refused.value.response["Error"]["Code"] in REFUSALS


def test_schedule_of_the_template_starts_a_full_pass(deployed: Deployment) -> None:
    """The rule hears a test beside its schedule, for five minutes are long; what it says stays its own."""
    machine = deployed.account.launch("m1")
    with deployed.hearing("ElephantReconcile"):
        deployed.happen(SCHEDULED)
    wait_until(lambda: deployed.account.row("m1").get("teacher_ec2_link") == link(machine))


# Shadow mode


@pytest.fixture(scope="session")
def shadow(account: Account, package: Path) -> Deployment:
    """A stack beside the first, in shadow mode."""
    return deploy(account, package, "shadow", NameSuffix="-shadow", ScheduleAction="plan")


def test_in_shadow_mode_the_schedule_plans_and_nothing_is_written(shadow: Deployment) -> None:
    shadow.account.empty()
    shadow.account.launch("m1")
    with shadow.hearing("ElephantReconcile-shadow"):
        shadow.happen(SCHEDULED)
    wait_until(lambda: [line["mode"] for line in shadow.log() if line.get("message") == "pass"] == ["plan"])
    assert shadow.account.records() == {}
    assert shadow.account.row("m1")["status"] == "LAUNCHED"
    assert shadow.client("events").describe_rule(Name="ElephantEC2StateWatch-shadow")["State"] == "DISABLED"


def test_in_shadow_mode_the_role_may_write_no_row(shadow: Deployment) -> None:
    calls = [("dynamodb", "get_item", {**ROW, **FEW}), ("dynamodb", "update_item", ROW)]
    assert [refusal(shadow, *call) for call in calls] == ["", "AccessDeniedException"]


# Over, back and down


@pytest.fixture
def changed_package(package: Path, tmp_path: Path) -> Path:
    """The package with another file in it: another version of the code."""
    changed = tmp_path / "changed.zip"
    changed.write_bytes(package.read_bytes())
    with ZipFile(changed, "a") as archive:
        archive.writestr("another", "")
    return changed


def versions(deployment: Deployment) -> set[str]:
    found = deployment.client("lambda").list_versions_by_function(FunctionName=deployment.outputs["FunctionName"])
    return {one["Version"] for one in found["Versions"]} - {"$LATEST"}


def test_one_command_goes_back_to_the_code_before(account: Account, package: Path, changed_package: Path) -> None:
    before = deploy(account, package, "code", NameSuffix="-code", Enabled="false", ScheduleAction="plan")
    now = deploy(account, changed_package, "code", NameSuffix="-code", Enabled="false", ScheduleAction="plan")
    assert now.live()["CodeSha256"] == digest(changed_package)
    # As the output RollBack says it.
    version = before.outputs["VersionArn"].rpartition(":")[2]
    now.client("lambda").update_alias(FunctionName=now.outputs["FunctionName"], Name="live", FunctionVersion=version)
    assert now.live()["CodeSha256"] == digest(package)


def test_new_settings_are_a_version_and_deploying_old_ones_goes_back(account: Account, package: Path) -> None:
    for number, grace in enumerate(("100", "200", "100"), start=1):
        own = {"NameSuffix": "-settings", "TableName": "settings-meetings"}
        now = deploy(account, package, "settings", Enabled="false", GraceSeconds=grace, **own)
        live = now.live()
        assert (live["Version"], live["Environment"]["Variables"]["GRACE_SECONDS"]) == (str(number), grace)
        assert versions(now) == {str(number)}  # CloudFormation takes the one before away


def test_renamed_stack_leaves_only_its_log_under_the_old_name(account: Account, package: Path) -> None:
    deploy(account, package, "moving", NameSuffix="-next", ScheduleAction="plan")
    assert len(things_named("-next", account)) > 10
    assert deploy(account, package, "moving", NameSuffix="-moved", ScheduleAction="plan").live()["Version"] == "1"
    assert things_named("-next", account) == ["/elephant-dns/ElephantDNSWatchdog-next"]


def things_named(part: str, account: Account) -> list[str]:
    """What has this in its name."""
    names = [
        *(one["FunctionName"] for one in account.client("lambda").list_functions()["Functions"]),
        *(one["Name"] for one in account.client("events").list_rules()["Rules"]),
        *account.client("sqs").list_queues()["QueueUrls"],
        *(one["AlarmName"] for one in account.client("cloudwatch").describe_alarms()["MetricAlarms"]),
        *(one["logGroupName"] for one in account.client("logs").describe_log_groups()["logGroups"]),
    ]
    return [name for name in names if part in name]


def test_deleted_stack_leaves_table_secret_log_and_nothing_else(account: Account, package: Path) -> None:
    own = {"CreateTable": "true", "TableName": "kept-meetings", "CreateSecret": "true", "SecretName": "kept/cloudflare"}
    ended = deploy(account, package, "down", NameSuffix="-down", CreateDashboard="true", **own).delete()
    left = {resource for resource, status in ended.items() if status != "DELETE_COMPLETE"}
    assert {resource for resource in left if "Version" not in resource} == {"Log", "Secret", "Table"}
