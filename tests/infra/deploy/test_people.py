"""The people's policies, each tried by the command that it is for, on the deployed stack."""

import json

import pytest

from tests.infra.deploy.account import Account
from tests.infra.deploy.deployment import Deployment
from tests.infra.deploy.people import Person, deploy_policies, hire
from tests.support.build import link

pytestmark = [pytest.mark.deploy, pytest.mark.xdist_group("one emulator")]


@pytest.fixture(scope="session")
def policies(account: Account) -> dict[str, str]:
    """The stack of policies beside the watchdog's."""
    return deploy_policies(account)


@pytest.fixture(scope="session")
def planner(account: Account, policies: dict[str, str]) -> Person:
    return hire(account, "planner", policies["PlanPolicyArn"])


@pytest.fixture(scope="session")
def applier(account: Account, policies: dict[str, str]) -> Person:
    return hire(account, "applier", policies["PlanPolicyArn"], policies["ApplyPolicyArn"])


EMULATOR_ASKS = ["events:ListTargetsByRule", "lambda:PutFunctionConcurrency"]


@pytest.fixture(scope="session")
def doctor(account: Account, policies: dict[str, str]) -> Person:
    """AWS asks for ListTargetsByRule on the rule, as the policy has it; the emulator asks for it on everything.

    It also takes the reading of a function's concurrency for a write.
    """
    person = hire(account, "doctor", policies["PlanPolicyArn"], policies["DoctorPolicyArn"])
    statement = {"Effect": "Allow", "Action": EMULATOR_ASKS, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    account.client("iam").put_user_policy(UserName="doctor", PolicyName="Emulator", PolicyDocument=document)
    return person


def test_who_may_plan_can_plan_but_write_no_meeting(deployed: Deployment, planner: Person) -> None:
    deployed.account.launch("m1")
    assert planner.run("plan", "--detailed-exitcode").returncode == 2
    applied = planner.run("apply", "--yes")
    assert applied.returncode == 1
    assert "Allow the action dynamodb:UpdateItem" in " ".join(applied.stdout.split())
    assert deployed.account.row("m1")["status"] == "LAUNCHED"


def test_who_may_apply_can_apply(deployed: Deployment, applier: Person) -> None:
    machine = deployed.account.launch("m1")
    assert applier.run("apply", "--yes").returncode == 0
    assert deployed.account.row("m1")["teacher_ec2_link"] == link(machine)


def test_doctor_finds_no_fault_with_a_deployed_template(deployed: Deployment, doctor: Person) -> None:
    examined = doctor.run("doctor", "--format", "json")
    assert examined.returncode == 0
    # Stacks of other tests that only plan share the table, and the doctor cannot see that they only plan. The queues
    # refuse calls in the clear, and the command speaks to the emulator in the clear.
    excused = {"table-users", "trigger-permission"}
    checks = json.loads(examined.stdout)["checks"]
    assert [(one["id"], one["fix"]) for one in checks if one["status"] != "pass" and one["id"] not in excused] == []
