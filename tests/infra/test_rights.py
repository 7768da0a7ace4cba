"""The role and the people's policies allow what is really called, on exactly that, and nothing more."""

import pytest

from controller.model import Mode, Request
from controller.sandbox.aws import SECRET, TABLE
from tests.infra.cloudformation import ACCOUNT, REGION, stack
from tests.infra.iam import Permission, Statement, allows, listed, permission, secret, statements, table
from tests.support.servers import Clouds

INDEX = "by-status"
#: A table of another region and account; this account has one of the same name.
TABLE_ELSEWHERE = f"arn:aws:dynamodb:us-east-1:210987654321:table/{TABLE}"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0-1"
WITH_INDEX = {"StatusIndex": INDEX}


def of_the_role(*names: str, **parameters: str) -> list[Statement]:
    """The statements of these inline policies, or of all."""
    policies = stack(**parameters).only("AWS::IAM::Role")["Policies"]
    return statements(one["PolicyDocument"] for one in policies if not names or one["PolicyName"] in names)


def of_people(*names: str, **parameters: str) -> list[Statement]:
    policies = stack("policies.yaml", **parameters).resources("AWS::IAM::ManagedPolicy")
    return statements(policies[name]["PolicyDocument"] for name in names)


def actions(policy: list[Statement]) -> set[str]:
    return {action for statement in policy for action in listed(statement["Action"])}


def reading(name: str) -> Permission:
    return Permission("secretsmanager:GetSecretValue", secret(name))


def wide_open(policy: list[Statement]) -> set[str]:
    """The actions that are allowed on everything."""
    return actions([statement for statement in policy if "*" in listed(statement["Resource"])])


def passes(clouds: Clouds, mode: Mode, index: str = "") -> set[Permission]:
    """What IAM is asked for when records, links and a termination are due, in a full pass and a scoped one."""
    if index:
        clouds.aws.client("dynamodb").delete_table(TableName=TABLE)
        clouds.aws.make_table(index=index)
    clouds.launch("m1")
    gone = clouds.launch("m2")
    clouds.seed(gone, "192.0.2.9")
    clouds.aws.machines.terminate(gone)
    clouds.aws.requests.clear()
    for scope in (None, frozenset({clouds.launch("m3")})):
        clouds.controller(STATUS_INDEX=index).run(Request(mode, scope), 60)
    return {permission(exchange) for exchange in clouds.aws.requests}


@pytest.mark.parametrize("index", ["", INDEX], ids=["scan", "query"])
def test_the_role_allows_what_passes_call_and_no_other_action(clouds: Clouds, index: str) -> None:
    called = passes(clouds, Mode.APPLY, index)
    policy = of_the_role("Observe", "Apply", StatusIndex=index)
    assert [one for one in sorted(called) if not allows(policy, one)] == []
    assert actions(policy) == {one.action for one in called}


@pytest.mark.parametrize("index", ["", INDEX], ids=["scan", "query"])
def test_in_shadow_mode_the_role_allows_a_plan_and_no_write(clouds: Clouds, index: str) -> None:
    called = passes(clouds, Mode.PLAN, index)
    policy = of_the_role(StatusIndex=index, ScheduleAction="plan")
    assert [one for one in sorted(called) if not allows(policy, one)] == []
    assert actions(of_the_role("Observe", "Apply", StatusIndex=index, ScheduleAction="plan")) == {
        one.action for one in called
    }
    assert not allows(policy, Permission("dynamodb:UpdateItem", table(TABLE)))


@pytest.mark.parametrize("index", ["", INDEX], ids=["scan", "query"])
@pytest.mark.parametrize(
    ("mode", "names"), [(Mode.PLAN, ["Plan"]), (Mode.APPLY, ["Plan", "Apply"])], ids=["plan", "apply"]
)
def test_people_may_do_what_their_command_calls_and_no_other_action(
    clouds: Clouds, mode: Mode, names: list[str], index: str
) -> None:
    called = passes(clouds, mode, index)
    policy = of_people(*names, StatusIndex=index)
    assert [one for one in sorted(called) if not allows(policy, one)] == []
    of_others = {"events:DescribeRule", "lambda:InvokeFunction"} if mode is Mode.APPLY else set[str]()
    assert actions(policy) == {one.action for one in called} | of_others, "retire and doctor --invoke need these"


@pytest.mark.parametrize("index", ["", INDEX], ids=["scan", "query"])
def test_rights_on_a_table_by_arn_are_on_no_other_table(index: str) -> None:
    given = {"TableName": TABLE_ELSEWHERE, "StatusIndex": index}
    listing = ("Query", f"/index/{INDEX}") if index else ("Scan", "")
    for policy in (of_the_role(**given), of_people("Plan", "Apply", **given)):
        for action, part in (("GetItem", ""), ("UpdateItem", ""), listing):
            assert allows(policy, Permission(f"dynamodb:{action}", TABLE_ELSEWHERE + part))
            assert not allows(policy, Permission(f"dynamodb:{action}", table(TABLE) + part))
    assert allows(of_people("Doctor", **given), Permission("dynamodb:DescribeTable", TABLE_ELSEWHERE))


@pytest.mark.parametrize("arn", [TABLE_ELSEWHERE, f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/arn"])
def test_key_of_a_table_by_arn_is_used_in_its_region(arn: str) -> None:
    given = {"TableName": arn, "TableKmsKeyArn": KEY}
    for policy in (of_the_role(**given), of_people("Plan", **given)):
        (statement,) = [one for one in policy if one["Action"] == "kms:Decrypt"]
        assert statement["Condition"] == {"StringEquals": {"kms:ViaService": "dynamodb.us-east-1.amazonaws.com"}}


@pytest.mark.parametrize("suffix", ["", "-staging"])
def test_who_may_retire_sees_the_rules_of_the_deployment_and_no_other(suffix: str) -> None:
    policy, rules = of_people("Apply", NameSuffix=suffix), stack(NameSuffix=suffix).resources("AWS::Events::Rule")
    for rule in [one["Name"] for one in rules.values()]:
        assert allows(policy, Permission("events:DescribeRule", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{rule}"))
        assert not allows(policy, Permission("events:DescribeRule", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{rule}2"))


def test_who_may_plan_reads_the_secret_for_planning_and_not_the_one_that_edits() -> None:
    planning, editing = "prod/elephant/cloudflare-read", SECRET
    given = {"SecretName": editing, "PlanSecretName": planning}
    plan, apply = of_people("Plan", **given), of_people("Apply", **given)
    assert [allows(plan, reading(name)) for name in (planning, editing)] == [True, False]
    assert [allows(apply, reading(name)) for name in (planning, editing)] == [False, True]
    assert not allows(of_people("Doctor", **given), reading(editing))


def test_without_a_secret_for_planning_plan_and_apply_read_the_same() -> None:
    assert all(allows(of_people(one, SecretName="other"), reading("other")) for one in ("Plan", "Apply"))


NOT_ALLOWED = [
    reading("prod/elephant/other"),
    # What `-*` would open: a secret whose name goes on after ours.
    reading("prod/elephant/cloudflare-admin"),
    Permission("secretsmanager:PutSecretValue", secret()),
    Permission("dynamodb:UpdateItem", table("other")),
    Permission("dynamodb:UpdateItem", table(f"{TABLE}-staging")),
    Permission("dynamodb:GetItem", table("other")),
    Permission("dynamodb:Query", table(f"{TABLE}/index/other")),
    Permission("dynamodb:PutItem", table(TABLE)),
    Permission("dynamodb:DeleteItem", table(TABLE)),
    Permission("ec2:TerminateInstances", "*"),
    Permission("kms:Decrypt", KEY),
]


@pytest.mark.parametrize("denied", NOT_ALLOWED, ids=lambda one: f"{one.action} {one.resource.rpartition(':')[2]}")
def test_nobody_may_touch_anything_else(denied: Permission) -> None:
    assert not allows(of_the_role(**WITH_INDEX), denied)
    assert not allows(of_people("Plan", "Apply", "Doctor", **WITH_INDEX), denied)


def test_machines_alone_are_seen_everywhere() -> None:
    assert wide_open(of_the_role(**WITH_INDEX)) == {"ec2:DescribeInstances"}
    assert wide_open(of_people("Plan", "Apply", **WITH_INDEX)) == {"ec2:DescribeInstances"}


def test_no_policy_names_an_action_by_a_pattern() -> None:
    everybody = [*of_the_role(**WITH_INDEX), *of_people("Plan", "Apply", "Doctor", **WITH_INDEX)]
    assert [action for action in actions(everybody) if "*" in action] == []
    assert {statement["Effect"] for statement in everybody} == {"Allow"}


@pytest.mark.parametrize(
    ("parameter", "service"), [("SecretKmsKeyArn", "secretsmanager"), ("TableKmsKeyArn", "dynamodb")]
)
def test_a_key_is_used_only_when_it_is_named_and_for_its_service(parameter: str, service: str) -> None:
    for policy in (of_the_role(**{parameter: KEY}), of_people("Plan", **{parameter: KEY})):
        (statement,) = [one for one in policy if one["Action"] == "kms:Decrypt"]
        assert statement["Resource"] == KEY
        assert statement["Condition"] == {"StringEquals": {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"}}


def test_the_function_runs_with_its_own_log_and_its_own_queues_only() -> None:
    queues = f"arn:aws:sqs:{REGION}:{ACCOUNT}"
    assert [(one["Action"], one["Resource"]) for one in of_the_role("Run")] == [
        (
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/elephant-dns/ElephantDNSWatchdog:*",
        ),
        (
            ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
            f"{queues}:ElephantStateChanges",
        ),
        ("sqs:SendMessage", f"{queues}:ElephantReconcileDeadLetters"),
    ]


def test_the_role_is_the_functions_only_and_has_no_policy_of_aws() -> None:
    # SAM would attach two of AWS, and they are about every queue and every log.
    role = stack().only("AWS::IAM::Role")
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert "ManagedPolicyArns" not in role
