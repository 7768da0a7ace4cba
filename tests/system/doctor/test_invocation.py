"""``--invoke``: the function's plan beside one that is computed here."""

from collections.abc import Callable
from typing import Any

import pytest

from controller.bootstrap import Controller
from controller.doctor.diagnosis import Check, Status, side_by_side
from controller.doctor.examine import PARTS
from controller.events import parse_event
from controller.report.as_json import as_dict
from controller.sandbox.cloudflare import Reply
from tests.support.servers import Clouds
from tests.system.doctor.deployed import FUNCTION, Deployment, deny, instead, looked
from tests.system.faults.calls import Scene

(CHECKS,) = [part.checks for part in PARTS if "invocation" in part.ids]


def invoked(clouds: Clouds, *, invoke: bool = True) -> list[Check]:
    with clouds.exported():
        return list(CHECKS(looked(clouds, FUNCTION, invoke)))


def program(controller: Controller) -> Callable[[Any], Any]:
    """What the deployed function does with an event, with a controller of its own."""
    return lambda event: as_dict(controller.run(parse_event(event), 60))


def deployed(clouds: Clouds, deployment: Deployment, **changes: str) -> None:
    deployment.whole()
    clouds.aws.functions.programs[FUNCTION] = program(clouds.controller(**changes))


def test_a_plan_that_is_the_same_passes(clouds: Clouds, deployment: Deployment) -> None:
    clouds.launch()
    deployed(clouds, deployment)
    records, rows = clouds.cloudflare.records(), clouds.aws.rows.all()
    (said,) = invoked(clouds)
    assert (said.status, "plans as a pass from here does: 2 changes" in said.seen) == (Status.PASS, True)
    assert (clouds.cloudflare.records(), clouds.aws.rows.all()) == (records, rows), "a plan writes nothing"


def test_the_alias_that_is_started_is_invoked_for_a_plan(clouds: Clouds, deployment: Deployment) -> None:
    deployed(clouds, deployment)
    invoked(clouds)
    (asked,) = [e.request for e in clouds.aws.requests if e.request.path.endswith("/invocations")]
    assert "live" in asked.target
    assert asked.json == {"action": "plan"}


def test_nothing_is_invoked_without_the_option(clouds: Clouds, deployment: Deployment) -> None:
    deployed(clouds, deployment)
    assert invoked(clouds, invoke=False) == []
    assert not [e for e in clouds.aws.requests if "invocations" in e.request.path]


@pytest.mark.parametrize(
    ("there", "seen"),
    [
        ({"OWNER_ID": "123456789012/us-west-2/x"}, "owner is 123456789012/us-west-2 here and 123456789012/us-west-2/x"),
        ({"DOMAIN_ROOT": "meet.example.com"}, "domain_root is example.com here and meet.example.com there"),
        ({"TABLE_NAME": "elephant-staging"}, "table is elephant-meetings here and elephant-staging there"),
    ],
)
def test_a_plan_for_another_deployment_fails(
    clouds: Clouds, deployment: Deployment, there: dict[str, str], seen: str
) -> None:
    if "TABLE_NAME" in there:
        clouds.aws.make_table(there["TABLE_NAME"])
    deployed(clouds, deployment, **there)
    (said,) = invoked(clouds)
    assert (said.status, seen in said.seen) == (Status.FAIL, True), said.seen


def test_a_plan_of_other_changes_fails(clouds: Clouds, deployment: Deployment) -> None:
    clouds.seed("i-0123456789abcdef0", "192.0.2.1")
    deployed(clouds, deployment, GRACE_SECONDS="86400")
    (said,) = invoked(clouds)
    assert (said.status, "plans 0 changes, and a pass from here 1 others" in said.seen) == (Status.FAIL, True)
    assert "GRACE_SECONDS" in said.fix


def test_a_world_that_changes_between_is_looked_at_again(clouds: Clouds, deployment: Deployment) -> None:
    deployed(clouds, deployment)
    run = clouds.aws.functions.programs[FUNCTION]

    def launch_then_run(event: Any) -> Any:
        clouds.launch()
        return run(event)

    clouds.aws.functions.programs[FUNCTION] = launch_then_run
    (said,) = invoked(clouds)
    assert (said.status, "2 changes" in said.seen) == (Status.PASS, True)


def test_a_world_that_never_rests_is_a_warning(clouds: Clouds, deployment: Deployment) -> None:
    deployed(clouds, deployment)
    run = clouds.aws.functions.programs[FUNCTION]

    def launch_around(event: Any) -> Any:
        clouds.launch("m1")
        answer = run(event)
        clouds.launch("m2")
        return answer

    clouds.aws.functions.programs[FUNCTION] = launch_around
    assert invoked(clouds)[0].status is Status.WARN


def test_an_error_of_the_function_fails_with_its_text(clouds: Clouds, deployment: Deployment) -> None:
    deployed(clouds, deployment, CLOUDFLARE_API_TOKEN="cfut_wrong")
    (said,) = invoked(clouds)
    assert said.status is Status.FAIL
    assert 'fails at {"action": "plan"}: ' in said.seen
    assert "cfut_wrong" not in said.seen


@pytest.mark.parametrize("answer", [{"statusCode": 200}, None, [1], {"schema": "elephant-dns/report/v0"}])
def test_an_answer_that_is_not_a_report_fails(clouds: Clouds, deployment: Deployment, answer: Any) -> None:
    deployment.whole()
    clouds.aws.functions.programs[FUNCTION] = lambda event: answer
    (said,) = invoked(clouds)
    assert (said.status, "another program" in said.seen) == (Status.FAIL, True)


def test_another_program_is_never_invoked(clouds: Clouds, deployment: Deployment) -> None:
    deployment.function(runs="lambda_function.lambda_handler")
    clouds.aws.functions.programs[FUNCTION] = lambda event: pytest.fail("was invoked")
    look = looked(clouds, FUNCTION, True)
    (said,) = side_by_side([part for part in PARTS if "invocation" in part.ids], look, look.budget)
    assert (said.status, "another program" in said.seen) == (Status.SKIP, True)
    assert not [e for e in clouds.aws.requests if "invocations" in e.request.path]


def test_an_invocation_that_is_denied_names_the_action(clouds: Clouds, deployment: Deployment) -> None:
    deployed(clouds, deployment)
    deny(clouds, "POST invocations")
    (said,) = invoked(clouds)
    assert said.status is Status.WARN
    assert said.fix.startswith("Allow the action lambda:InvokeFunction on function ElephantDNSWatchdog:live.")


def test_an_answer_that_cannot_be_read_fails(clouds: Clouds, deployment: Deployment) -> None:
    def cut(scene: Scene) -> Reply:
        return Reply.text(200, '{"schema": ', "application/json")

    deployed(clouds, deployment)
    instead(clouds, ["POST invocations"], cut)
    assert invoked(clouds)[0].status is Status.FAIL
