"""An engineer on call may run what the pages say, and nothing that they do not say."""

import re
import shlex
from pathlib import Path

import pytest

from tests.infra.cloudformation import ACCOUNT, REGION, stack
from tests.infra.iam import Permission, allows, conditions, function, without
from tests.infra.test_rights import actions, of_people, wide_open

DOCS = Path(__file__).parents[2] / "docs"
#: What only people who deploy run, and where the pages say so.
DEPLOYERS = {
    "cloudformation:DeleteStack",
    "cloudformation:Deploy",
    "cloudformation:Package",
    "dynamodb:DescribeTable",
    "dynamodb:UpdateTable",
    "events:DeleteRule",
    "events:RemoveTargets",
    "lambda:DeleteFunction",
    "lambda:GetFunction",
    "logs:DeleteLogGroup",
    "secretsmanager:CreateSecret",
    "secretsmanager:PutSecretValue",
}
#: How an option names the resource of a call.
NAMES = {
    "--queue-name": "sqs:{region}:{account}:{name}",
    "--log-group-name": "logs:{region}:{account}:log-group:{name}:*",
    "--function-name": "lambda:{region}:{account}:function:{name}",
    "--name": "events:{region}:{account}:rule/{name}",
}


def commands(page: str) -> list[str]:
    """Every command of the AWS command line on this page."""
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8").replace("\\\n", " ")
    blocks = re.findall(r"^(?:[A-Z]+=\$\()?(aws \w+ [a-z-]+.*)$", text, re.MULTILINE)
    return blocks + [" ".join(one.split()) for one in re.findall(r"`(aws [^`]+)`", text)]


def action(command: str) -> str:
    """The IAM action that it needs, by its own name."""
    _, service, operation, *_ = command.split()
    return f"{service}:{operation.title().replace('-', '')}"


def resource(command: str) -> str | None:
    """The resource that it names, if it names one."""
    service = command.split()[1]
    for option, form in NAMES.items():
        found = re.search(rf"{option} (\S+)", command)
        if found and form.startswith(service):
            return f"arn:aws:{form.format(region=REGION, account=ACCOUNT, name=found[1])}"
    return None


ON_CALL = of_people("Plan", "Apply", "Doctor", "Operate")
OF_PAGES = sorted(
    {one for page in ("runbook", "install", "migrate", "operate", "uninstall", "terraform") for one in commands(page)}
)
RUN = [one for one in OF_PAGES if action(one) not in DEPLOYERS]


def test_pages_have_commands_of_each_kind() -> None:
    assert {one.split()[1] for one in RUN} == {"cloudwatch", "events", "lambda", "logs", "sqs"}
    assert {action(one) for one in OF_PAGES} >= DEPLOYERS


@pytest.mark.parametrize("command", RUN)
def test_command_of_a_page_is_allowed_on_call(command: str) -> None:
    shlex.split(command.removesuffix(")"))
    assert action(command) in actions(ON_CALL)
    if (named := resource(command)) and action(command) != "lambda:ListEventSourceMappings":
        assert allows(ON_CALL, Permission(action(command), named))


def test_runbook_asks_for_nothing_that_only_deployers_may() -> None:
    assert {action(one) for one in commands("runbook")} & DEPLOYERS == set()


def test_operate_allows_no_action_without_a_command() -> None:
    unused = actions(of_people("Operate")) - {action(one) for one in RUN}
    assert unused == {"sqs:GetQueueAttributes"}  # the console's count of messages


def test_operate_neither_invokes_the_function_nor_changes_its_code() -> None:
    assert "lambda:InvokeFunction" not in actions(of_people("Operate"))
    assert {"lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"} & actions(ON_CALL) == set()


def test_operate_is_unrestricted_only_where_aws_cannot_restrict() -> None:
    assert wide_open(of_people("Operate")) == {
        "cloudwatch:DescribeAlarmHistory",
        "cloudwatch:DescribeAlarms",
        "lambda:ListEventSourceMappings",
        "logs:GetQueryResults",
    }


@pytest.mark.parametrize("suffix", ["", "-staging"])
def test_operate_is_about_what_the_template_deploys(suffix: str) -> None:
    deployed, policy = stack(NameSuffix=suffix), of_people("Operate", NameSuffix=suffix)
    for name in ("StateChanges", "StateChangeDeadLetters", "ReconcileDeadLetters"):
        arn = deployed.resolve({"Fn::GetAtt": [name, "Arn"]})
        assert allows(policy, Permission("sqs:PurgeQueue", arn))
        assert allows(policy, Permission("sqs:ReceiveMessage", arn)) == (name != "StateChanges")
        assert not allows(policy, Permission("sqs:PurgeQueue", f"{arn}2"))
    for rule in deployed.resources("AWS::Events::Rule").values():
        assert allows(policy, Permission("events:EnableRule", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{rule['Name']}"))
    log = deployed.resolve({"Fn::GetAtt": ["Log", "Arn"]})
    assert allows(policy, Permission("logs:StartQuery", log))
    assert allows(policy, Permission("lambda:UpdateAlias", function(deployed.output("FunctionName"))))


def test_operate_switches_the_mapping_of_this_function_alone() -> None:
    mapping = Permission(
        "lambda:UpdateEventSourceMapping", f"arn:aws:lambda:{REGION}:{ACCOUNT}:event-source-mapping:1-2"
    )
    own = mapping.with_keys({"lambda:FunctionArn": function("ElephantDNSWatchdog:live")})
    other = mapping.with_keys({"lambda:FunctionArn": function("another:live")})
    policy = of_people("Operate")
    assert (allows(policy, own), allows(policy, other)) == (True, False)
    (narrowed,) = [one for one in policy if conditions(one)]
    assert allows([without(narrowed, *conditions(narrowed)[0])], other)
