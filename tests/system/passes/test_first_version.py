"""Where the event-only version failed its users: each of its failings, and that it stays fixed."""

from datetime import timedelta

import pytest

from controller.errors import ObservationError
from controller.events import parse_event
from controller.model import Mode
from controller.model import Request as Wanted
from controller.sandbox.cloudflare import Proceed, Reply, Request
from handler import lambda_handler
from tests.support.build import link, name
from tests.support.events import state_change
from tests.support.lambda_runtime import LambdaContext
from tests.support.servers import Clouds, outcomes, refusal

pytestmark = pytest.mark.usefixtures("requests_judged")


def test_1_event_without_tags_is_enough_because_ec2_has_them(clouds: Clouds) -> None:
    """That the deployed rule matches such an event, and the first version's did not, is tested with the template."""
    machine = clouds.launch()
    event = state_change(machine)
    assert event["detail"].keys() == {"instance-id", "state"}
    request = parse_event(event)
    assert clouds.controller().run(request, 30).converged
    assert clouds.records().keys() == {name(machine)}


def test_2_an_event_that_was_lost_is_made_good_by_the_schedule(clouds: Clouds) -> None:
    machine = clouds.launch()
    gone = clouds.launch("m2", "student", state="terminated")
    clouds.seed(gone, "198.51.100.1")
    report = clouds.apply()
    assert report.complete
    assert clouds.records() == {name(machine): [clouds.address(machine)]}
    assert clouds.aws.rows.get("m1")["teacher_ec2_link"] == link(machine)


def test_3_running_without_an_address_is_taken_up_when_it_comes(clouds: Clouds) -> None:
    machine = clouds.launch(address=None)
    assert not clouds.apply(machine).results
    clouds.aws.machines.set_address(machine, "192.0.2.44")
    clouds.apply()
    assert clouds.records() == {name(machine): ["192.0.2.44"]}


def test_4_a_write_that_cloudflare_refuses_writes_no_link(clouds: Clouds) -> None:
    clouds.launch()

    def refuse(request: Request, proceed: Proceed) -> Reply:
        return refusal(400, 9000, "DNS name is invalid.") if request.method == "POST" else proceed()

    clouds.cloudflare.intercept = refuse
    report = clouds.apply()
    assert outcomes(report) == [("create-record", "failed"), ("write-link", "not-reached")]
    assert not report.complete
    assert clouds.aws.rows.get("m1") == {
        "id": "m1",
        "status": "LAUNCHED",
        "teacher_ec2_id": report.results[0].change.instance,
    }


def test_5_late_or_repeated_event_keeps_healthy_and_in_progress(clouds: Clouds) -> None:
    machine = clouds.launch()
    clouds.apply(machine)
    for status in ("HEALTHY", "IN_PROGRESS"):
        clouds.aws.rows.edit("m1", status=status)
        assert not clouds.apply(machine).results
        clouds.aws.rows.edit("m1", teacher_ec2_link="https://elsewhere.example.org")
        assert clouds.apply(machine).converged
        assert (clouds.aws.rows.get("m1")["status"], clouds.aws.rows.get("m1")["teacher_ec2_link"]) == (
            status,
            link(machine),
        )


def test_6_end_of_one_role_does_not_end_the_meeting(clouds: Clouds) -> None:
    teacher, student = clouds.launch(), clouds.launch(role="student")
    clouds.apply()
    clouds.aws.rows.edit("m1", status="IN_PROGRESS")
    clouds.aws.machines.terminate(student)
    clouds.apply(student)
    row = clouds.aws.rows.get("m1")
    assert (row["status"], row["teacher_ec2_link"], "student_ec2_link" in row) == ("IN_PROGRESS", link(teacher), False)


def test_7_no_phantom_row_is_created(clouds: Clouds) -> None:
    machine = clouds.aws.machines.launch("nobody", "teacher")
    report = clouds.apply(machine)
    assert clouds.aws.rows.all() == {}
    assert [finding.id for finding in report.findings] == ["missing-meeting"]


def test_8_stop_removes_the_record_and_start_brings_new_address(clouds: Clouds) -> None:
    machine = clouds.launch()
    clouds.apply(machine)
    first = clouds.address(machine)
    clouds.aws.machines.stop(machine)
    clouds.apply(machine)
    assert clouds.records() == {}
    assert "teacher_ec2_link" not in clouds.aws.rows.get("m1")
    clouds.aws.machines.start(machine)
    clouds.apply(machine)
    assert clouds.records() == {name(machine): [clouds.address(machine)]}
    assert clouds.address(machine) != first


def test_9_all_records_of_a_name_are_looked_at(clouds: Clouds) -> None:
    machine = clouds.launch(address="192.0.2.1")
    for content in ("192.0.2.2", "192.0.2.1", "192.0.2.3"):
        clouds.seed(machine, content)
    clouds.apply()
    assert clouds.records() == {name(machine): ["192.0.2.1"]}


def test_10_failure_is_raised_so_that_lambda_tries_again(clouds: Clouds) -> None:
    machine = clouds.launch()
    clouds.cloudflare.revoke_token()
    with clouds.exported(), pytest.raises(ObservationError):
        lambda_handler(state_change(machine), LambdaContext())
    clouds.forget_function()


def test_11_the_secret_is_read_once_and_a_record_costs_two_calls(clouds: Clouds) -> None:
    controller = clouds.controller()
    for number in range(3):
        machine = clouds.launch(f"m{number}", age=timedelta(seconds=9))
        clouds.cloudflare.requests.clear()
        report = controller.run(Wanted(Mode.APPLY, frozenset({machine})), 30)
        assert report.converged
        if number:
            assert report.calls.get("cloudflare") == 2
            assert report.calls.get("secretsmanager") is None
    assert clouds.aws.operations().count("GetSecretValue") == 1
