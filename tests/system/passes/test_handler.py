"""The Lambda entry with real events against both servers."""

import json
import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

import handler
from controller.errors import IncompleteError, ObservationError, RequestError, SettingsError
from tests.support.servers import Clouds, LambdaContext, link, name
from tests.unit.test_events import SCHEDULED, batch, state_change

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


def test_an_event_brings_record_and_link(function: Clouds) -> None:
    machine = function.launch()
    report = invoke(state_change(machine))
    assert (report["mode"], report["scope"], report["converged"]) == ("apply", [machine], True)
    assert function.records() == {name(machine): [function.address(machine)]}
    assert function.aws.rows.get("m1")["teacher_ec2_link"] == link(machine)


def test_a_batch_is_one_pass(function: Clouds) -> None:
    machines = [function.launch(f"m{number}") for number in range(5)]
    report = invoke(batch(*(state_change(machine) for machine in machines), "nonsense"))
    assert report["scope"] == sorted(machines)
    assert [finding["id"] for finding in report["findings"]] == ["unusable-event"]
    assert len(function.records()) == 5
    assert len([x for x in function.cloudflare.requests if x.request.method == "POST"]) == 1


def test_a_schedule_mends_everything(function: Clouds) -> None:
    machines = [function.launch(f"m{number}") for number in range(3)]
    assert invoke(SCHEDULED)["scope"] == "all"
    assert len(function.records()) == len(machines)


def test_a_plan_event_writes_nothing(function: Clouds) -> None:
    machine = function.launch()
    report = invoke({"action": "plan", "instance": machine})
    assert [change["outcome"] for change in report["changes"]] == ["planned", "planned"]
    assert function.records() == {}
    assert function.cloudflare.history == []


def test_the_same_plan_has_the_same_bytes_and_digest(function: Clouds) -> None:
    for number in range(4):
        function.launch(f"m{number}")
    first, second = invoke({"action": "plan"}), invoke({"action": "plan"})
    for report in (first, second):
        for varying in ("started_at", "duration_ms", "calls"):
            del report[varying]
    assert json.dumps(first) == json.dumps(second)
    assert len(first["digest"]) == 64


def test_the_report_has_every_field_of_its_schema(function: Clouds) -> None:
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


def test_a_pass_that_is_not_complete_raises_after_its_report_was_logged(
    function: Clouds, capsys: pytest.CaptureFixture[str]
) -> None:
    function.reset(quota=0)
    function.launch()
    with pytest.raises(IncompleteError):
        invoke(SCHEDULED)
    logged = lines(capsys)
    assert [line["message"] for line in logged] == ["change", "change", "pass"]
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


def test_an_event_about_a_machine_that_ec2_does_not_know_changes_nothing(function: Clouds) -> None:
    machine = function.launch()
    function.seed(machine, "192.0.2.1")
    function.aws.machines.purge(machine)
    assert invoke(state_change(machine, "terminated"))["changes"] == []


def test_an_observation_that_fails_raises_and_is_logged(function: Clouds, capsys: pytest.CaptureFixture[str]) -> None:
    function.cloudflare.revoke_token()
    with pytest.raises(ObservationError):
        invoke(SCHEDULED)
    (line,) = lines(capsys)
    assert (line["level"], line["message"], line["error"]) == ("ERROR", "pass failed", "ObservationError")


def test_nothing_is_done_for_an_event_that_nobody_knows(function: Clouds) -> None:
    with pytest.raises(RequestError, match="Expected"):
        invoke({"detail-type": "Something Else"})
    assert not function.aws.requests


def test_settings_are_told_all_at_once(
    function: Clouds, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZONE_ID", "x")
    monkeypatch.setenv("DCV_PORT", "1")
    monkeypatch.setattr(logging.getLogger("elephant_dns"), "handlers", [])
    with pytest.raises(SettingsError, match=r"(?s)ZONE_ID.*DCV_PORT"):
        invoke(SCHEDULED)
    (line,) = lines(capsys)
    assert "ZONE_ID is 'x'" in line["text"]


def test_no_secret_and_nobodys_name_in_report_or_log(function: Clouds, capsys: pytest.CaptureFixture[str]) -> None:
    function.launch()
    function.aws.rows.edit("m1", teacher_name="Ada", jitsi_url="https://meet.example.org/room")
    text = json.dumps(invoke(SCHEDULED)) + capsys.readouterr().out
    for secret in (function.cloudflare.token, "Ada", "meet.example.org"):
        assert secret not in text


def test_text_from_a_tag_cannot_forge_a_log_line(function: Clouds, capsys: pytest.CaptureFixture[str]) -> None:
    function.aws.machines.launch('x\n{"message": "pass"}', "teacher")
    invoke(SCHEDULED)
    assert [line["message"] for line in lines(capsys)] == ["change", "finding", "pass"]


def test_every_line_of_the_log_names_the_invocation(function: Clouds, capsys: pytest.CaptureFixture[str]) -> None:
    function.launch()
    invoke(SCHEDULED)
    written = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["request_id"] for line in written} == {CONTEXT.aws_request_id}


def test_a_change_and_a_finding_are_logged_with_a_stable_set_of_fields(
    function: Clouds, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = function.launch()
    function.aws.rows.edit("m1", status="TERMINATED")
    function.seed(machine, "192.0.2.1")
    invoke(SCHEDULED)
    change, finding = lines(capsys)[:2]
    common = "level message request_id"
    assert " ".join(change) == f"{common} action key instance meeting role before after reason rule outcome error"
    assert " ".join(finding) == f"{common} id key hint text"


def test_a_pass_writes_its_metrics_whatever_the_level_of_the_log(
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


def test_a_report_that_is_too_large_for_an_answer_leaves_its_changes_to_the_log(
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
