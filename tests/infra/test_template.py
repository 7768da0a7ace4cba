"""The template deploys what the controller is written for, as others know it, and nothing else."""

import json
import re
from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from botocore.model import StringShape

from controller.events import parse_event
from controller.model import Mode, Request
from controller.settings import REMOVED, VARIABLES, read_settings
from tests.infra.cloudformation import INFRA, read, stack

TEMPLATE = read()
PARAMETERS = TEMPLATE["Parameters"]
FUNCTION = TEMPLATE["Resources"]["ElephantDNSWatchdog"]["Properties"]
ENVIRONMENT = FUNCTION["Environment"]["Variables"]
SHADOW, OFF = {"ScheduleAction": "plan"}, {"Enabled": "false"}

#: Settings that a function is not given, each with its reason.
NOT_IN_LAMBDA = {
    "CLOUDFLARE_API_TOKEN": "a token in the environment can be read by everybody who may look at the function",
    "CLOUDFLARE_BASE_URL": "a function that is deployed speaks to Cloudflare itself",
    "PROBE_CONNECT_TO": "a function that is deployed goes the way of a user's browser",
    "PROBE_CA_FILE": "likewise, and trusts what a browser trusts",
}


def known_to_lambda(shape_name: str) -> list[str]:
    shape = botocore.session.get_session().get_service_model("lambda").shape_for(shape_name)
    assert isinstance(shape, StringShape)
    return list(shape.enum)


def environment(**parameters: str) -> dict[str, str]:
    variables = stack(**parameters).only("AWS::Lambda::Function")["Environment"]["Variables"]
    return {name: str(value) for name, value in variables.items()}


def test_the_function_is_the_one_that_others_know() -> None:
    function = stack().only("AWS::Lambda::Function")
    assert function["FunctionName"] == "ElephantDNSWatchdog"
    assert function["Handler"] == "handler.lambda_handler"
    assert (function["MemorySize"], function["Timeout"]) == (256, 240)


def test_lambda_has_the_runtime_and_the_architecture() -> None:
    # Neither cfn-lint nor SAM notices a runtime that does not exist.
    function = stack().only("AWS::Lambda::Function")
    (architecture,) = function["Architectures"]
    assert (function["Runtime"], architecture) == ("python3.13", "arm64")
    assert function["Runtime"] in known_to_lambda("Runtime")
    assert architecture in known_to_lambda("Architecture")


@pytest.mark.parametrize("choice", PARAMETERS["SnapStart"]["AllowedValues"])
def test_the_function_starts_from_a_snapshot_for_who_asks(choice: str) -> None:
    assert choice in known_to_lambda("SnapStartApplyOn")
    assert stack(SnapStart=choice).only("AWS::Lambda::Function")["SnapStart"] == {"ApplyOn": choice}


def test_the_function_gets_every_setting_but_those_for_other_places() -> None:
    assert set(ENVIRONMENT) == VARIABLES - set(NOT_IN_LAMBDA)


def test_the_defaults_are_those_of_the_controller() -> None:
    given = environment()
    required = {variable: given[variable] for variable in ("DOMAIN_ROOT", "ZONE_ID", "SECRET_ARN")}
    assert given["SECRET_ARN"] == "prod/elephant/cloudflare"
    assert read_settings(given) == read_settings(required)


def test_another_setting_publishes_another_version() -> None:
    # SAM alone would leave the alias with the old settings; another description makes CloudFormation publish a version.
    deployed = stack()
    settings = {value["Ref"] for value in ENVIRONMENT.values()} | {"SnapStart", "SubnetIds", "SecurityGroupIds"}
    versions = [
        replace(deployed, parameters=deployed.parameters | {name: "another"}).only("AWS::Lambda::Version")
        for name in sorted(settings)
    ]
    assert deployed.only("AWS::Lambda::Version") not in versions


def test_longest_settings_fit_the_description_of_a_version() -> None:
    longest = {
        "DomainRoot": "a" * PARAMETERS["DomainRoot"]["MaxLength"],
        "SecretName": "s" * 512,
        "TableName": "t" * 255,
    }
    described = stack(**longest).only("AWS::Lambda::Version")["Description"]
    assert re.fullmatch(rf"Settings \d{{1,10}} for {longest['DomainRoot']}", described)
    assert len(described) <= 256


def test_everything_calls_the_alias() -> None:
    deployed = stack()
    alias = deployed.output("AliasArn")
    mapping, permission = deployed.only("AWS::Lambda::EventSourceMapping"), deployed.only("AWS::Lambda::Permission")
    schedule = deployed.resources("AWS::Events::Rule")["ElephantDNSWatchdogReconcile"]
    assert deployed.only("AWS::Lambda::Alias")["Name"] == "live"
    assert {mapping["FunctionName"], permission["FunctionName"], schedule["Targets"][0]["Arn"]} == {alias}


@pytest.mark.parametrize("action", PARAMETERS["ScheduleAction"]["AllowedValues"])
def test_the_schedule_asks_for_what_the_handler_knows(action: str) -> None:
    schedule = stack(ScheduleAction=action).resources("AWS::Events::Rule")["ElephantDNSWatchdogReconcile"]
    assert schedule["Name"] == "ElephantReconcile"
    assert schedule["ScheduleExpression"] == "rate(5 minutes)"
    assert parse_event(json.loads(schedule["Targets"][0]["Input"])) == Request(Mode(action), is_scheduled=True)


@pytest.mark.parametrize("minutes", PARAMETERS["ScheduleMinutes"]["AllowedValues"])
def test_seconds_and_rate_are_the_same_time(minutes: str) -> None:
    row = TEMPLATE["Mappings"]["Schedule"][minutes]
    assert (row["Rate"], row["Seconds"]) == (f"rate({minutes} minutes)", int(minutes) * 60)
    assert row["Seconds"] > FUNCTION["Timeout"]


@pytest.mark.parametrize(("minutes", "retries"), [("5", 0), ("10", 0), ("15", 1), ("30", 1), ("60", 1)])
def test_failed_full_pass_is_retried_where_the_next_is_far(minutes: str, retries: int) -> None:
    deployed = stack(ScheduleMinutes=minutes)
    asynchronous = deployed.only("AWS::Lambda::EventInvokeConfig")
    (target,) = deployed.resources("AWS::Events::Rule")["ElephantDNSWatchdogReconcile"]["Targets"]
    assert (asynchronous["MaximumRetryAttempts"], target["RetryPolicy"]["MaximumRetryAttempts"]) == (retries, 0)
    # Lambda waits a minute before its first retry ("Asynchronous invocation" in its documentation).
    assert (retries + 1) * FUNCTION["Timeout"] + retries * 60 < int(minutes) * 60
    assert asynchronous["DestinationConfig"]["OnFailure"]["Destination"] == target["DeadLetterConfig"]["Arn"]


@pytest.mark.parametrize("minutes", PARAMETERS["ScheduleMinutes"]["AllowedValues"])
def test_a_full_pass_that_waited_until_the_next_is_due_is_given_up(minutes: str) -> None:
    asynchronous = stack(ScheduleMinutes=minutes).only("AWS::Lambda::EventInvokeConfig")
    assert asynchronous["MaximumEventAgeInSeconds"] == int(minutes) * 60


@pytest.mark.parametrize(
    ("parameters", "schedule", "events"),
    [({}, "ENABLED", "ENABLED"), (SHADOW, "ENABLED", "DISABLED"), (OFF, "DISABLED", "DISABLED")],
    ids=["apply", "shadow", "off"],
)
def test_shadow_mode_hears_no_event_and_off_is_off(parameters: Any, schedule: str, events: str) -> None:
    deployed = stack(**parameters)
    states = {name: rule["State"] for name, rule in deployed.resources("AWS::Events::Rule").items()}
    assert states == {"ElephantDNSWatchdogReconcile": schedule, "StateChangeRule": events, "TagRule": events}
    assert deployed.only("AWS::Lambda::EventSourceMapping")["Enabled"] == (events == "ENABLED")


def test_lambda_drops_no_line_of_the_log() -> None:
    # Metrics are lines of the log. What is written is the setting LOG_LEVEL's business.
    deployed = stack(LogLevel="ERROR")
    logging = deployed.only("AWS::Lambda::Function")["LoggingConfig"]
    assert (logging["LogFormat"], logging["ApplicationLogLevel"]) == ("JSON", "TRACE")
    assert logging["LogGroup"] == deployed.only("AWS::Logs::LogGroup")["LogGroupName"]


def test_table_and_secret_are_there_already() -> None:
    assert stack().resources("AWS::DynamoDB::Table") == stack().resources("AWS::SecretsManager::Secret") == {}


def test_table_secret_and_log_are_kept_except_after_failed_creation() -> None:
    kept = [TEMPLATE["Resources"][name] for name in ("Table", "Secret", "Log")]
    policies = {(one["DeletionPolicy"], one["UpdateReplacePolicy"]) for one in kept}
    assert policies == {("RetainExceptOnCreate", "Retain")}


def references(part: Any) -> set[str]:
    """Every logical name that this part of a template waits for."""
    if isinstance(part, list):
        return {name for one in part for name in references(one)}
    if not isinstance(part, dict):
        return set()
    found = {part["Ref"]} if "Ref" in part else set()
    found |= {part["Fn::GetAtt"][0]} if "Fn::GetAtt" in part else set()
    if "Fn::Sub" in part:
        text = part["Fn::Sub"] if isinstance(part["Fn::Sub"], str) else part["Fn::Sub"][0]
        found |= {name.partition(".")[0] for name in re.findall(r"\$\{([\w.]+)\}", text)}
    return found | {name for one in part.values() for name in references(one)}


def test_table_is_created_last_since_it_cannot_be_deleted() -> None:
    # Its deletion protection would make the rollback of a first deployment fail. It must not wait for a resource that a
    # condition may leave out; those wait for little themselves.
    resources = stack().template["Resources"]
    before, waiting = set[str](), ["Table"]
    while waiting:
        one = resources[waiting.pop()]
        named = one.get("DependsOn", [])
        found = references(one.get("Properties")) | set([named] if isinstance(named, str) else named)
        waiting += (found & set(resources)) - before
        before |= found & set(resources)
    assert before == {name for name, one in resources.items() if "Condition" not in one}


def test_log_is_encrypted_by_the_key_that_is_named() -> None:
    key = "arn:aws:kms:us-west-2:123456789012:key/1-2"
    assert stack(LogKmsKeyArn=key).only("AWS::Logs::LogGroup")["KmsKeyId"] == key
    assert "KmsKeyId" not in stack().only("AWS::Logs::LogGroup")


def test_role_has_the_permissions_boundary_that_is_named() -> None:
    boundary = "arn:aws:iam::123456789012:policy/boundary"
    assert stack(PermissionsBoundaryArn=boundary).only("AWS::IAM::Role")["PermissionsBoundary"] == boundary
    assert "PermissionsBoundary" not in stack().only("AWS::IAM::Role")


SUBNETS = {"SubnetIds": "subnet-01234567,subnet-89abcdef", "SecurityGroupIds": "sg-01234567"}


def test_function_runs_in_the_subnets_that_are_named() -> None:
    assert stack(**SUBNETS).only("AWS::Lambda::Function")["VpcConfig"] == {
        "SubnetIds": ["subnet-01234567", "subnet-89abcdef"],
        "SecurityGroupIds": ["sg-01234567"],
    }
    assert "VpcConfig" not in stack().only("AWS::Lambda::Function")


@pytest.mark.parametrize("number", ["", "4", "100"])
def test_concurrency_is_reserved_where_a_number_is_given(number: str) -> None:
    function = stack(ReservedConcurrency=number).only("AWS::Lambda::Function")
    assert function.get("ReservedConcurrentExecutions", "") == number


def test_a_table_has_the_key_and_the_index_that_are_read() -> None:
    table = stack(CreateTable="true", StatusIndex="by-status").only("AWS::DynamoDB::Table")
    (index,) = table["GlobalSecondaryIndexes"]
    assert table["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    assert (index["IndexName"], index["KeySchema"]) == ("by-status", [{"AttributeName": "status", "KeyType": "HASH"}])
    assert index["Projection"] == {"ProjectionType": "ALL"}  # all that a scan of the table would read
    assert "GlobalSecondaryIndexes" not in stack(CreateTable="true").only("AWS::DynamoDB::Table")


def test_the_secret_is_made_without_a_token() -> None:
    secret = stack(CreateSecret="true").only("AWS::SecretsManager::Secret")
    assert secret["Name"] == "prod/elephant/cloudflare"
    assert not {"SecretString", "GenerateSecretString"} & set(secret)


def test_two_deployments_in_one_account_share_no_name() -> None:
    names = re.compile(r"^(.*Name|DashboardName)$")

    def named(suffix: str) -> set[str]:
        kinds = stack(NameSuffix=suffix, CreateDashboard="true").resources().values()
        return {
            str(value)
            for properties in kinds
            for key, value in properties.items()
            if names.match(key) and key not in ("FunctionName", "MetricName") and value != "live"
        }

    assert len(named("")) == len(named("-staging")) > 10
    assert named("") & named("-staging") == set()


def test_no_template_knows_the_limits_that_no_longer_exist() -> None:
    for path in sorted(path for path in INFRA.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        text = path.read_text(encoding="utf-8")
        assert not [name for name in REMOVED if name in text]
        assert "MaxGuarded" not in text, path


@pytest.mark.parametrize("template", ["template.yaml", "policies.yaml", "cell.yaml"])
def test_template_names_no_partition(template: str) -> None:
    # So it works in aws-us-gov and aws-cn as well. What people read may show an example.
    lines = (INFRA / template).read_text(encoding="utf-8").splitlines()
    named = [line for line in lines if re.search(r"arn:aws[a-z-]*:|\baws-(?:cn|us-gov)\b", line)]
    assert [line for line in named if not line.lstrip().startswith("ConstraintDescription:")] == []


def test_make_lints_every_template() -> None:
    linted = re.search(r"^TEMPLATES := (.+)$", (INFRA.parent / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert linted
    found = {path for path in INFRA.rglob("*.yaml") if "AWSTemplateFormatVersion" in path.read_text("utf-8")}
    assert {INFRA.parent / name for name in linted[1].split()} == found
