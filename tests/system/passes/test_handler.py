"""The Lambda entry with real events against both servers."""

import json
import logging
import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

import handler
from controller import __version__
from controller.errors import IncompleteError, ObservationError, RequestError, SettingsError
from controller.sandbox.cloudflare import Proceed, Reply
from controller.sandbox.cloudflare import Request as Sent
from tests.support.build import link, name
from tests.support.events import SCHEDULED, batch, state_change
from tests.support.lambda_runtime import LambdaContext
from tests.support.servers import Clouds
from tests.system.faults.aws_kinds import JSON_TYPE
from tests.system.faults.calls import UPDATE, operation

pytestmark = pytest.mark.usefixtures("requests_judged")

CONTEXT = LambdaContext()


@pytest.fixture
def function(clouds: Clouds) -> Iterator[Clouds]:
    """A function that has just been deployed."""
    with clouds.exported():
        yield clouds
        clouds.forget_function()


def invoke(event: Any) -> dict[str, Any]:
    """The answer, as Lambda serialises it."""
    answer = json.loads(json.dumps(handler.lambda_handler(event, CONTEXT)))
    assert isinstance(answer, dict)
    return answer


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What went to the log, without the metrics."""
    return [line for line in map(json.loads, capsys.readouterr().out.splitlines()) if "_aws" not in line]


def test_event_creates_record_and_link(function: Clouds) -> None:
    machine = function.launch()
    report = invoke(state_change(machine))
    assert (report["mode"], report["scope"], report["converged"]) == ("apply", [machine], True)
    assert function.records() == {name(machine): [function.address(machine)]}
    assert function.aws.rows.get("m1")["teacher_ec2_link"] == link(machine)


def test_batch_is_one_pass(function: Clouds, capsys: pytest.CaptureFixture[str]) -> None:
    machines = [function.launch(f"m{number}") for number in range(5)]
    answer = invoke(batch(*(state_change(machine) for machine in machines), "nonsense"))
    assert answer == {"batchItemFailures": []}
    logged = lines(capsys)
    assert logged[-1]["scope"] == sorted(machines)
    assert [line["id"] for line in logged if line["message"] == "finding"] == ["unusable-event"]
    assert len(function.records()) == 5
    assert len([x for x in function.cloudflare.requests if x.request.method == "POST"]) == 1


def one_refused(function: Clouds) -> tuple[str, str]:
    """A full zone and two machines: one with its record, and one that Cloudflare refuses a record for."""
    function.reset(quota=1)
    served, refused = function.launch("m1"), function.launch("m2")
    function.seed(served, function.address(served) or "")
    return served, refused


def test_batch_returns_the_messages_of_failed_machines_alone(function: Clouds) -> None:
    served, refused = one_refused(function)
    stranger = function.aws.machines.launch(tags={})
    events = [state_change(machine) for machine in (refused, served, stranger, refused)]
    answer = invoke(batch(*events, "nonsense"))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}, {"itemIdentifier": "m3"}]}
    assert function.records().keys() == {name(served)}


def test_batch_returns_the_message_of_a_row_that_was_not_written(function: Clouds) -> None:
    machines = [function.launch("m1"), function.launch("m2")]

    def refuse(request: Sent, proceed: Proceed) -> Reply:
        is_write = operation(request) == UPDATE and b"m2" in request.content
        return Reply.text(400, '{"__type": "#SomethingNew"}', JSON_TYPE) if is_write else proceed()

    function.aws.intercept = refuse
    assert invoke(batch(*map(state_change, machines))) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}


def test_message_that_comes_again_after_the_fix_is_done(function: Clouds) -> None:
    _, refused = one_refused(function)
    message = batch(state_change(refused))
    assert invoke(message)["batchItemFailures"]
    function.aws.machines.stop(refused)  # the message is stale as well by now
    message["Records"][0]["attributes"] = {"ApproximateReceiveCount": "2"}
    assert invoke(message) == {"batchItemFailures": []}


def test_message_delivered_twice_in_a_batch_is_returned_once(function: Clouds) -> None:
    _, refused = one_refused(function)
    event = batch(state_change(refused))
    event["Records"] *= 2
    assert invoke(event) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}


@pytest.mark.parametrize("id", [None, "", 5])
def test_batch_is_returned_whole_if_the_failed_message_has_no_id(function: Clouds, id: object) -> None:
    served, refused = one_refused(function)
    event = batch(state_change(served), state_change(refused))
    event["Records"][1]["messageId"] = id
    with pytest.raises(IncompleteError):
        invoke(event)


def test_one_id_is_enough_for_a_machine_with_two_messages(function: Clouds) -> None:
    _, refused = one_refused(function)
    event = batch(state_change(refused), state_change(refused))
    del event["Records"][0]["messageId"]
    assert invoke(event) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}


def test_batch_is_returned_whole_if_the_pass_fails(function: Clouds) -> None:
    function.cloudflare.revoke_token()
    with pytest.raises(ObservationError):
        invoke(batch(state_change(function.launch())))


@pytest.mark.parametrize("how", ["event", "command"])
def test_direct_invocation_is_not_a_batch(function: Clouds, how: str) -> None:
    _, refused = one_refused(function)
    event = state_change(refused) if how == "event" else {"action": "apply", "instance": refused}
    with pytest.raises(IncompleteError):
        invoke(event)


def test_error_names_the_first_failure_its_cause_and_the_rest(function: Clouds) -> None:
    function.reset(quota=0)
    machines = [function.launch(f"m{number}", age=timedelta(hours=9 - number)) for number in range(3)]
    with pytest.raises(IncompleteError) as caught:
        invoke(SCHEDULED)
    first, rest = caught.value.message.split(": ", 1)
    assert first == f"create-record {name(machines[0])} failed"
    assert "The zone is full" in rest
    assert rest.endswith("2 more failed. 3 more were not reached.")


def test_error_of_one_failure_says_nothing_of_others(function: Clouds) -> None:
    function.launch()
    function.aws.intercept = lambda request, proceed: (
        Reply.text(400, '{"__type": "#SomethingNew", "message": "Said AWS."}', JSON_TYPE)
        if operation(request) == UPDATE
        else proceed()
    )
    with pytest.raises(IncompleteError, match=r"^write-link m1 failed: .*SomethingNew Said AWS") as caught:
        invoke(SCHEDULED)
    assert "more" not in caught.value.message


def test_error_fits_a_dead_letter_message_and_its_line(function: Clouds) -> None:
    meeting = "m\n" + "x" * 900
    function.launch(meeting)
    text = json.dumps({"__type": "#SomethingNew", "message": "y" * 3000})
    function.aws.intercept = lambda request, proceed: (
        Reply.text(400, text, JSON_TYPE) if operation(request) == UPDATE else proceed()
    )
    with pytest.raises(IncompleteError) as caught:
        invoke(SCHEDULED)
    assert len(str(caught.value)) < 1_000
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("seconds", [0.0, 2.998, 3.0, 4.999])
def test_time_out_that_leaves_no_time_is_named(function: Clouds, seconds: float) -> None:
    shown = math.ceil(seconds)
    with pytest.raises(SettingsError, match=f"The function's time-out is {shown} s; a pass needs at least 6 s"):
        handler.lambda_handler(SCHEDULED, LambdaContext(seconds=seconds))
    assert not function.aws.requests


def test_time_out_just_long_enough_gets_a_pass(function: Clouds) -> None:
    assert handler.lambda_handler({"action": "plan"}, LambdaContext(seconds=10))["converged"]


def test_schedule_fixes_everything(function: Clouds) -> None:
    machines = [function.launch(f"m{number}") for number in range(3)]
    assert invoke(SCHEDULED)["scope"] == "all"
    assert len(function.records()) == len(machines)


def test_plan_event_writes_nothing(function: Clouds) -> None:
    machine = function.launch()
    report = invoke({"action": "plan", "instance": machine})
    assert [change["outcome"] for change in report["changes"]] == ["planned", "planned"]
    assert function.records() == {}
    assert function.cloudflare.history == []


def test_same_plan_has_the_same_bytes_and_digest(function: Clouds) -> None:
    for number in range(4):
        function.launch(f"m{number}")
    first, second = invoke({"action": "plan"}), invoke({"action": "plan"})
    for report in (first, second):
        for varying in ("started_at", "duration_ms", "calls"):
            del report[varying]
    assert json.dumps(first) == json.dumps(second)
    assert len(first["digest"]) == 64


def test_report_has_every_field_of_its_schema(function: Clouds) -> None:
    function.launch()
    report = invoke(SCHEDULED)
    assert list(report) == [
        "schema",
        "mode",
        "scope",
        "target",
        "started_at",
        "duration_ms",
        "observed",
        "digest",
        "cells",
        "changes",
        "findings",
        "guard",
        "summary",
        "calls",
        "complete",
        "converged",
    ]
    assert report["schema"] == "elephant-dns/report/v1"
    assert report["target"]["owner"] == "123456789012/us-west-2"
    assert report["observed"] == {"instances": 1, "records": 0, "meetings": 1}
    assert report["calls"] == {"ec2": 1, "dynamodb": 3, "cloudflare": 3, "secretsmanager": 1}
    assert report["summary"] == {
        "create-record": 1,
        "update-record": 0,
        "delete-record": 0,
        "write-link": 1,
        "clear-link": 0,
        "terminate-meeting": 0,
        "failed": 0,
        "guarded": 0,
        "superseded": 0,
        "not-reached": 0,
    }


def test_incomplete_pass_raises_after_logging_its_report(function: Clouds, capsys: pytest.CaptureFixture[str]) -> None:
    function.reset(quota=0)
    function.launch()
    with pytest.raises(IncompleteError):
        invoke(SCHEDULED)
    logged = lines(capsys)
    assert [line["message"] for line in logged] == ["change", "change", "pass"]
    assert logged[-1]["release"] == __version__
    assert [line.get("outcome") for line in logged[:2]] == ["failed", "not-reached"]
    assert logged[-1]["complete"] is False


def test_tripped_guard_alone_does_not_fail_the_function(function: Clouds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OWNER_ID", "classroom")
    function.seed(function.launch(), "192.0.2.1", comment="elephant-dns:classroom")
    function.aws.machines.purge(*function.aws.machines.all())
    held = invoke(SCHEDULED)
    assert (held["complete"], held["converged"], held["guard"]["tripped"]) == (True, False, True)
    assert "force" in held["guard"]["reason"]
    assert invoke({"action": "apply", "force": True})["converged"]


def test_event_of_an_instance_unknown_to_ec2_changes_nothing(function: Clouds) -> None:
    machine = function.launch()
    function.seed(machine, "192.0.2.1")
    function.aws.machines.purge(machine)
    assert invoke(state_change(machine, "terminated"))["changes"] == []


def test_failed_observation_raises_and_is_logged(function: Clouds, capsys: pytest.CaptureFixture[str]) -> None:
    function.cloudflare.revoke_token()
    with pytest.raises(ObservationError):
        invoke(SCHEDULED)
    (line,) = lines(capsys)
    assert (line["level"], line["message"], line["error"]) == ("ERROR", "pass failed", "ObservationError")


def test_unknown_event_does_nothing(function: Clouds) -> None:
    with pytest.raises(RequestError, match="Expected"):
        invoke({"detail-type": "Something Else"})
    assert not function.aws.requests


def test_malformed_settings_are_reported_all_at_once(
    function: Clouds, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZONE_ID", "x")
    monkeypatch.setenv("DCV_PORT", "1")
    monkeypatch.setattr(logging.getLogger("elephant_dns"), "handlers", [])
    with pytest.raises(SettingsError, match=r"(?s)ZONE_ID.*DCV_PORT"):
        invoke(SCHEDULED)
    (line,) = lines(capsys)
    assert "ZONE_ID is 'x'" in line["text"]


def test_report_and_log_hold_no_secret_and_no_name(function: Clouds, capsys: pytest.CaptureFixture[str]) -> None:
    function.launch()
    function.aws.rows.edit("m1", teacher_name="Ada", jitsi_url="https://meet.example.org/room")
    text = json.dumps(invoke(SCHEDULED)) + capsys.readouterr().out
    for secret in (function.cloudflare.token, "Ada", "meet.example.org"):
        assert secret not in text


def test_text_from_a_tag_cannot_forge_a_log_line(function: Clouds, capsys: pytest.CaptureFixture[str]) -> None:
    function.aws.machines.launch('x\n{"message": "pass"}', "teacher")
    invoke(SCHEDULED)
    assert [line["message"] for line in lines(capsys)] == ["change", "finding", "pass"]


def test_every_log_line_names_the_invocation(function: Clouds, capsys: pytest.CaptureFixture[str]) -> None:
    function.launch()
    invoke(SCHEDULED)
    written = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["request_id"] for line in written} == {CONTEXT.aws_request_id}


def test_change_and_finding_have_stable_log_fields(function: Clouds, capsys: pytest.CaptureFixture[str]) -> None:
    machine = function.launch()
    function.aws.rows.edit("m1", status="TERMINATED")
    function.seed(machine, "192.0.2.1")
    invoke(SCHEDULED)
    change, finding = lines(capsys)[:2]
    common = "timestamp level message request_id"
    assert " ".join(change) == f"{common} action key instance meeting role before after reason rule outcome error"
    assert " ".join(finding) == f"{common} id key hint text"


def test_metrics_are_written_at_any_log_level(
    function: Clouds, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOG_LEVEL", "CRITICAL")
    machine = function.launch()
    event = state_change(machine) | {"time": "2026-01-31T12:00:00Z"}
    report = invoke(event)
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert line["FunctionName"] == "ElephantDNSWatchdog"
    assert line["ChangesApplied"] == 2
    assert line["CloudflareCalls"] == report["calls"]["cloudflare"]
    (waited,) = line["SecondsToRecord"]
    ended = datetime.fromisoformat(report["started_at"]).timestamp() + report["duration_ms"] / 1000
    assert waited == pytest.approx(ended - datetime.fromisoformat(event["time"]).timestamp(), abs=1)
    assert "FullPassSucceeded" not in line


def test_report_too_large_for_an_answer_is_cut(
    function: Clouds, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        function.launch(f"m{number}")
    monkeypatch.setattr(handler, "ANSWER_LIMIT", 2_000)
    answer = invoke(SCHEDULED)
    assert (answer["converged"], answer["changes"], answer["summary"]["create-record"]) == (True, [], 3)
    (finding,) = answer["findings"]
    assert finding["id"] == "report-cut"
    assert "6 changes and 0 findings are left out" in finding["message"]
    assert [line["message"] for line in lines(capsys)].count("change") == 6
