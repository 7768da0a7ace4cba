"""The role and the people's policies allow what is really called, on exactly that, and nothing more."""

from dataclasses import replace

import pytest

from controller.model import Mode, Request
from controller.sandbox.aws import SECRET, TABLE
from tests.infra.cloudformation import ACCOUNT, REGION, stack
from tests.infra.iam import (
    Keys,
    Permission,
    Statement,
    allows,
    conditions,
    function,
    listed,
    permission,
    secret,
    statements,
    table,
    without,
)
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


def by_the_function(wanted: Permission, name: str = "ElephantDNSWatchdog") -> Permission:
    """The call as it comes from this function's code: Lambda adds the function's ARN."""
    return wanted.with_keys({"lambda:SourceFunctionArn": function(name)})


def wide_open(policy: list[Statement]) -> set[str]:
    """The actions that are allowed on everything."""
    return actions([statement for statement in policy if "*" in listed(statement["Resource"])])


def row(action: str, *attributes: str, **keys: str | None) -> Permission:
    """A call on a row, by the function, that names these attributes."""
    asked = "dynamodb:ReturnValues" if action == "UpdateItem" else "dynamodb:Select"
    usual = {asked: "NONE" if action == "UpdateItem" else "SPECIFIC_ATTRIBUTES"}
    where = table(f"{TABLE}/index/{INDEX}" if action == "Query" else TABLE)
    named = {f"dynamodb:{key}": value for key, value in keys.items()}
    wanted = Permission(f"dynamodb:{action}", where)
    return by_the_function(wanted.with_keys({"dynamodb:Attributes": attributes or None, **usual, **named}))


UPDATE = row("UpdateItem", "id", "status", "teacher_ec2_link")


def decrypting(service: str, **context: str) -> Permission:
    """A call of KMS by a service on behalf of the caller, with the service's encryption context."""
    keys = {f"kms:EncryptionContext:{key.replace('__', ':')}": value for key, value in context.items()}
    return Permission("kms:Decrypt", KEY).with_keys({"kms:ViaService": f"{service}.{REGION}.amazonaws.com", **keys})


SECRET_DECRYPTED = decrypting("secretsmanager", SecretARN=secret())
TABLE_DECRYPTED = decrypting("dynamodb", aws__dynamodb__tableName=TABLE, aws__dynamodb__subscriberId=ACCOUNT)
SEEN = by_the_function(Permission("ec2:DescribeInstances", "*").with_keys({"ec2:Region": REGION}))
LOGGED = by_the_function(
    Permission("logs:PutLogEvents", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/elephant-dns/ElephantDNSWatchdog:*")
)
SCAN, QUERY, GET = (row(action, "id", "status", "teacher_ec2_id") for action in ("Scan", "Query", "GetItem"))

#: Calls that the role allows, each with variants that one condition alone refuses.
NARROWED: dict[str, tuple[Permission, list[Keys]]] = {
    "EC2": (SEEN, [{"ec2:Region": "eu-west-1"}]),
    "token": (by_the_function(reading(SECRET)), []),
    "scan": (SCAN, [{"dynamodb:Attributes": ["id", "teacher_name"]}, {"dynamodb:Select": "ALL_ATTRIBUTES"}]),
    "query": (QUERY, [{"dynamodb:Attributes": ["id", "email"]}, {"dynamodb:Select": "ALL_PROJECTED_ATTRIBUTES"}]),
    "row": (GET, [{"dynamodb:Attributes": ["id", "teacher_name"]}, {"dynamodb:Select": "ALL_ATTRIBUTES"}]),
    "write": (UPDATE, [{"dynamodb:Attributes": ["id", "meet_time"]}, {"dynamodb:ReturnValues": "ALL_OLD"}]),
    "log": (LOGGED, []),
    "secret's key": (
        SECRET_DECRYPTED,
        [
            {"kms:ViaService": f"dynamodb.{REGION}.amazonaws.com"},
            {"kms:EncryptionContext:SecretARN": secret("other")},
            {"kms:EncryptionContext:SecretARN": None},
        ],
    ),
    "table's key": (
        TABLE_DECRYPTED,
        [
            {"kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com"},
            {"kms:EncryptionContext:aws:dynamodb:tableName": "other"},
            {"kms:EncryptionContext:aws:dynamodb:subscriberId": "210987654321"},
        ],
    ),
}
#: Somewhere else than in the function: on a laptop, or in another function with this role.
OTHER_CALLERS: list[Keys] = [
    {"lambda:SourceFunctionArn": None},
    {"lambda:SourceFunctionArn": function("ElephantDNSWatchdogs")},
]


def variants(wanted: Permission, narrower: list[Keys]) -> list[Permission]:
    """The refused variants of a call."""
    calls_of_code = "lambda:SourceFunctionArn" in dict(wanted.context)
    return [wanted.with_keys(keys) for keys in [*narrower, *(OTHER_CALLERS if calls_of_code else [])]]


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
    called = {by_the_function(one) for one in passes(clouds, Mode.APPLY, index)}
    policy = of_the_role("Observe", "Apply", StatusIndex=index)
    assert [one for one in sorted(called) if not allows(policy, one)] == []
    assert actions(policy) == {one.action for one in called}


@pytest.mark.parametrize("index", ["", INDEX], ids=["scan", "query"])
def test_in_shadow_mode_the_role_allows_a_plan_and_no_write(clouds: Clouds, index: str) -> None:
    called = {by_the_function(one) for one in passes(clouds, Mode.PLAN, index)}
    policy = of_the_role(StatusIndex=index, ScheduleAction="plan")
    assert [one for one in sorted(called) if not allows(policy, one)] == []
    assert actions(of_the_role("Observe", "Apply", StatusIndex=index, ScheduleAction="plan")) == {
        one.action for one in called
    }
    assert not allows(policy, UPDATE)


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
            assert allows(policy, replace(row(action, "id"), resource=TABLE_ELSEWHERE + part))
            assert not allows(policy, replace(row(action, "id"), resource=table(TABLE) + part))
    assert allows(of_people("Doctor", **given), Permission("dynamodb:DescribeTable", TABLE_ELSEWHERE))


@pytest.mark.parametrize("arn", [TABLE_ELSEWHERE, f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/arn"])
def test_key_of_a_table_by_arn_is_used_in_its_region(arn: str) -> None:
    given = {"TableName": arn, "TableKmsKeyArn": KEY}
    for policy in (of_the_role(**given), of_people("Plan", **given)):
        account, name = arn.split(":")[4], arn.rpartition("/")[2]
        there = {"kms:ViaService": "dynamodb.us-east-1.amazonaws.com"}
        there |= {"kms:EncryptionContext:aws:dynamodb:tableName": name}
        there |= {"kms:EncryptionContext:aws:dynamodb:subscriberId": account}
        wanted = Permission("kms:Decrypt", KEY).with_keys(there)
        assert allows(policy, wanted)
        assert not allows(policy, wanted.with_keys({"kms:ViaService": f"dynamodb.{REGION}.amazonaws.com"}))


@pytest.mark.parametrize("suffix", ["", "-staging"])
def test_who_may_retire_sees_the_rules_of_the_deployment_and_no_other(suffix: str) -> None:
    policy, rules = of_people("Apply", NameSuffix=suffix), stack(NameSuffix=suffix).resources("AWS::Events::Rule")
    for rule in [one["Name"] for one in rules.values()]:
        assert allows(policy, Permission("events:DescribeRule", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{rule}"))
        assert not allows(policy, Permission("events:DescribeRule", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{rule}2"))


def test_plan_reads_the_planning_secret_and_apply_the_editing_one() -> None:
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
    # What `-*` would open: a secret with a longer name.
    reading("prod/elephant/cloudflare-admin"),
    Permission("secretsmanager:PutSecretValue", secret()),
    replace(UPDATE, resource=table("other")),
    replace(UPDATE, resource=table(f"{TABLE}-staging")),
    replace(GET, resource=table("other")),
    replace(QUERY, resource=table(f"{TABLE}/index/other")),
    Permission("dynamodb:PutItem", table(TABLE)),
    Permission("dynamodb:DeleteItem", table(TABLE)),
    Permission("ec2:TerminateInstances", "*"),
    Permission("kms:Decrypt", KEY),
]


@pytest.mark.parametrize("denied", NOT_ALLOWED, ids=lambda one: f"{one.action} {one.resource.rpartition(':')[2]}")
def test_nobody_may_touch_anything_else(denied: Permission) -> None:
    assert not allows(of_the_role(**WITH_INDEX), by_the_function(denied))
    assert not allows(of_people("Plan", "Apply", "Doctor", **WITH_INDEX), denied)


def test_machines_alone_are_seen_everywhere() -> None:
    assert wide_open(of_the_role(**WITH_INDEX)) == {"ec2:DescribeInstances"}
    assert wide_open(of_people("Plan", "Apply", **WITH_INDEX)) == {"ec2:DescribeInstances"}


def test_no_policy_names_an_action_by_a_pattern() -> None:
    everybody = [*of_the_role(**WITH_INDEX), *of_people("Plan", "Apply", "Doctor", **WITH_INDEX)]
    assert [action for action in actions(everybody) if "*" in action] == []
    assert {statement["Effect"] for statement in everybody} == {"Allow"}


KEYS = {"SecretKmsKeyArn": KEY, "TableKmsKeyArn": KEY}


def everything() -> list[Statement]:
    """The role with and without an index, and with keys."""
    return [*of_the_role(**KEYS), *of_the_role(**KEYS, StatusIndex=INDEX)]


@pytest.mark.parametrize("name", NARROWED)
def test_role_allows_what_the_function_does_and_no_variant(name: str) -> None:
    wanted, narrower = NARROWED[name]
    assert allows(everything(), wanted)
    assert [one for one in variants(wanted, narrower) if allows(everything(), one)] == []


@pytest.mark.parametrize(("sid", "operator", "key"), [(s["Sid"], *one) for s in everything() for one in conditions(s)])
def test_every_condition_of_the_role_refuses_something_by_itself(sid: str, operator: str, key: str) -> None:
    weaker = [without(one, operator, key) if one["Sid"] == sid else one for one in everything()]
    refused = [one for wanted, narrower in NARROWED.values() for one in variants(wanted, narrower)]
    assert [one for one in refused if allows(weaker, one)] != []


@pytest.mark.parametrize("name", [name for name in NARROWED if name != "log"])
def test_people_are_narrowed_by_the_same_conditions_but_the_functions(name: str) -> None:
    people = [*of_people("Plan", "Apply", **KEYS), *of_people("Plan", **KEYS, StatusIndex=INDEX)]
    wanted, narrower = NARROWED[name]
    assert allows(people, wanted.with_keys({"lambda:SourceFunctionArn": None}))
    assert [one for one in narrower if allows(people, wanted.with_keys(one))] == []


def test_who_may_plan_decrypts_the_secret_for_planning_too() -> None:
    planning = "prod/elephant/cloudflare-read"
    plan = of_people("Plan", PlanSecretName=planning, **KEYS)
    for name in (planning, SECRET):
        assert allows(plan, decrypting("secretsmanager", SecretARN=secret(name)))


def test_a_key_is_used_only_when_it_is_named() -> None:
    for policy in (of_the_role(), of_people("Plan", "Apply", "Doctor")):
        assert not allows(policy, SECRET_DECRYPTED)
        assert not allows(policy, TABLE_DECRYPTED)


def test_another_deployments_function_has_no_use_of_the_role() -> None:
    staging = of_the_role(NameSuffix="-staging")
    assert allows(staging, by_the_function(SEEN, "ElephantDNSWatchdog-staging"))
    assert allows(staging, by_the_function(SEEN, "ElephantDNSWatchdog-staging:7"))
    assert not allows(staging, SEEN)


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


IN_SUBNETS = {"SubnetIds": "subnet-01234567", "SecurityGroupIds": "sg-01234567"}


def test_lambda_connects_the_function_to_subnets_and_the_code_cannot() -> None:
    connect = Permission("ec2:CreateNetworkInterface", "*")
    assert allows(of_the_role(**IN_SUBNETS), connect)
    assert not allows(of_the_role(**IN_SUBNETS), by_the_function(connect))
    assert not allows(of_the_role(), connect)
