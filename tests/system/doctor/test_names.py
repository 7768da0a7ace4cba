"""Names that the template gives and that somebody else has: found before CloudFormation finds them."""

import pytest

from controller.doctor.diagnosis import Check, Status
from controller.events import STATE_CHANGE
from controller.template import FUNCTION, QUEUES, RULES
from tests.infra.cloudformation import stack
from tests.support.servers import Clouds
from tests.system.doctor.deployed import Deployment, deny, function, looked, of_part

#: As the written guide has it: these events carry no tags.
GUIDE = {
    "source": ["aws.ec2"],
    "detail-type": [STATE_CHANGE],
    "detail": {"state": ["running", "stopping", "stopped", "terminated"], "tags": {"Project": ["Elephant"]}},
}
CONSOLE = "lambda_function.lambda_handler"


def said(clouds: Clouds, name: str = FUNCTION) -> Check:
    (check,) = of_part("stack-names", looked(clouds, name))
    return check


def test_names_looked_at_are_those_of_the_template() -> None:
    deployed = stack(NameSuffix="-x")
    assert {rule["Name"] for rule in deployed.resources("AWS::Events::Rule").values()} == {
        f"{name}-x" for name in RULES
    }
    assert {queue["QueueName"] for queue in deployed.resources("AWS::SQS::Queue").values()} == {
        f"{name}-x" for name in QUEUES
    }
    assert deployed.only("AWS::Lambda::Function")["FunctionName"] == f"{FUNCTION}-x"
    assert deployed.only("AWS::Logs::LogGroup")["LogGroupName"] == f"/elephant-dns/{FUNCTION}-x"


def test_free_names_pass(clouds: Clouds) -> None:
    assert said(clouds).status is Status.PASS


def test_first_version_by_hand_takes_the_templates_names(clouds: Clouds, deployment: Deployment) -> None:
    deployment.rule("ElephantEC2StateWatch", deployment.function(runs=CONSOLE), pattern=GUIDE)
    check = said(clouds)
    assert check.status is Status.WARN
    assert check.seen.endswith("template: function ElephantDNSWatchdog, rule ElephantEC2StateWatch.")
    assert "NameSuffix" in check.fix
    assert said(clouds, f"{FUNCTION}-next").status is Status.PASS


def test_rest_of_an_earlier_stack_is_found_without_a_function(clouds: Clouds, deployment: Deployment) -> None:
    deployment.of("sqs").create_queue(QueueName=f"{QUEUES[1]}-next")
    deployment.of("logs").create_log_group(logGroupName=f"/elephant-dns/{FUNCTION}-next")
    assert said(clouds).status is Status.PASS
    taken = said(clouds, f"{FUNCTION}-next").seen.partition("template: ")[2]
    assert taken == f"queue {QUEUES[1]}-next, log group /elephant-dns/{FUNCTION}-next."


def test_names_of_this_program_are_the_deployments_own(clouds: Clouds, deployment: Deployment) -> None:
    deployment.whole()
    assert said(clouds).status is Status.PASS


def test_function_of_another_name_is_skipped(clouds: Clouds) -> None:
    assert said(clouds, "Another").status is Status.SKIP


@pytest.mark.parametrize(
    ("operation", "action"),
    [("DescribeRule", "events:DescribeRule"), ("GetQueueUrl", "sqs:GetQueueUrl"), ("DescribeLogGroups", "logs:D")],
)
def test_denied_look_at_names_warns_and_names_the_action(clouds: Clouds, operation: str, action: str) -> None:
    deny(clouds, operation)
    check = said(clouds)
    assert (check.status, action in check.fix) == (Status.WARN, True)


def test_rule_of_the_guide_never_fires_and_must_not_be_repaired(clouds: Clouds, deployment: Deployment) -> None:
    deployment.rule("ElephantEC2StateWatch", deployment.function(runs=CONSOLE), pattern=GUIDE)
    (check,) = [check for check in function(clouds) if check.id == "state-changes"]
    assert check.status is Status.FAIL
    assert "Rule ElephantEC2StateWatch never fires: it asks for detail.tags, which AWS never sends" in check.seen
    assert check.fix.startswith("Leave it so")
    rest = [check.id for check in function(clouds) if check.status is Status.SKIP]
    assert rest == ["function-timeout", "function-settings", "tag-changes", "schedule", "trigger-permission"]
