"""What is said beside the result: what failed, and a log for programs."""

import json
import re
from datetime import datetime
from typing import Any

import pytest

import handler
from controller.cli import cli
from tests.support.build import name
from tests.support.lambda_runtime import LambdaContext
from tests.support.servers import Clouds, refusal
from tests.system.cli.process import at_a_terminal, run, run_alone
from tests.system.cli.test_passes import vanished
from tests.system.cli.test_usage import COMMANDS


def lines(text: str) -> list[dict[str, Any]]:
    """Return the lines of a log; raises where one is not JSON, or has no time or level."""
    found = [json.loads(line) for line in text.splitlines()]
    for line in found:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["timestamp"])
        assert datetime.fromisoformat(line["timestamp"]).tzinfo is not None
        assert line["level"] in ("DEBUG", "INFO", "WARNING", "ERROR")
    return found


def messages(text: str) -> list[str]:
    return [line["message"] for line in lines(text)]


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_json_log_records_each_change_finding_and_pass(clouds: Clouds, quiet: list[str]) -> None:
    machine = clouds.launch()
    clouds.aws.rows.put("odd", status="?")
    done = run(clouds, "apply", "--yes", "--log-format", "json", *quiet)
    assert done.returncode == 0
    assert messages(done.stderr) == ["change", "change", "finding", "pass"]
    record, link, finding, whole = lines(done.stderr)
    assert (record["action"], record["key"], record["outcome"]) == ("create-record", name(machine), "applied")
    assert (link["action"], link["after"]["status"]) == ("write-link", "DNS_WRITTEN")
    assert (finding["id"], finding["level"]) == ("odd-row", "WARNING")
    assert (whole["schema"], whole["complete"], whole["level"]) == ("elephant-dns/report/v1", True, "INFO")
    assert done.stdout.startswith("apply")
    assert done.stdout.endswith("; 1 finding.\n")


def test_json_log_has_the_lines_that_the_function_writes(clouds: Clouds, capsys: pytest.CaptureFixture[str]) -> None:
    clouds.launch()
    clouds.aws.rows.put("odd", status="?")
    with clouds.exported():
        handler.lambda_handler({"action": "plan"}, LambdaContext())
        clouds.forget_function()
    function = lines("".join(line for line in capsys.readouterr().out.splitlines(True) if '"_aws"' not in line))
    command = lines(run_alone(clouds, "plan", "--log-format", "json").stderr)
    assert len(function) == len(command) == 4
    assert [line.pop("request_id") for line in function] == [LambdaContext().aws_request_id] * 4
    for one, other in zip(function, command, strict=True):
        assert list(one) == list(other)
        varying = ("timestamp", "started_at", "duration_ms", "calls")
        assert {key: one[key] for key in one if key not in varying} == {k: other[k] for k in other if k not in varying}


def test_json_log_says_why_a_pass_failed_and_nothing_else(clouds: Clouds) -> None:
    done = run(clouds, "apply", "--yes", "--quiet", "--log-format", "json", CLOUDFLARE_API_TOKEN="cfut_wrong")
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = lines(done.stderr)
    assert (line["level"], line["message"]) == ("ERROR", "pass failed")
    assert "Zone > DNS > Edit" in line["hint"]
    assert "cfut_wrong" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        (["plan"], {"DOMAIN_ROOT": "", "LOG_LEVEL": "loud"}, "LOG_LEVEL is 'loud'"),
        (["apply"], {}, "pass --yes"),
        (["retire"], {}, "pass --yes"),
        (["plan", "--instance", "foo"], {}, "'foo'"),
        (["explain", "nobody"], {}, "Unknown name nobody"),
        (["plan", "--instance", "i-0123456789abcdef0"], {}, "No machine of this deployment"),
    ],
)
def test_json_log_holds_every_complaint(
    clouds: Clouds, arguments: list[str], settings: dict[str, str], said: str
) -> None:
    done = run(clouds, *arguments, "--log-format", "json", **settings)
    assert said in " ".join(line.get("text", "") for line in lines(done.stderr))


def test_json_log_has_no_room_for_a_question(clouds: Clouds) -> None:
    clouds.launch()
    code, text = at_a_terminal(clouds, ["apply", "--log-format", "json"])
    assert (code, "pass --yes" in lines(text)[0]["text"]) == (64, True)


@pytest.mark.parametrize(("level", "expected"), [("ERROR", []), ("warning", ["finding"])])
def test_log_level_counts_on_the_command_line(clouds: Clouds, level: str, expected: list[str]) -> None:
    clouds.aws.rows.put("odd", status="?")
    done = run(clouds, "plan", "--log-format", "json", LOG_LEVEL=level)
    assert messages(done.stderr) == expected


def test_log_level_debug_shows_calls_as_verbose_does(clouds: Clouds) -> None:
    for done in (run(clouds, "plan", "-v"), run(clouds, "plan", LOG_LEVEL="debug")):
        assert re.search(r"^dynamodb Scan.*: 200, \d+ ms$", done.stderr, re.MULTILINE), done.stderr
    done = run(clouds, "plan", "-v", "--log-format", "json", LOG_LEVEL="ERROR")
    calls = [line for line in lines(done.stderr) if line["message"] == "call"]
    assert {"ec2", "dynamodb", "cloudflare"} <= {call["service"] for call in calls}
    assert clouds.cloudflare.token not in done.stderr


@pytest.mark.parametrize(
    "arguments", [["-v", "plan"], ["explain", "m1", "-v"], ["--deadline", "60", "-v", "doctor", "--quiet"]]
)
def test_options_stand_before_or_after_the_command(clouds: Clouds, arguments: list[str]) -> None:
    clouds.launch()
    assert re.search(r"^ec2 DescribeInstances.*: 200, \d+ ms$", run(clouds, *arguments).stderr, re.MULTILINE)


def test_option_after_the_command_wins(clouds: Clouds) -> None:
    clouds.launch()
    done = run(clouds, "--log-format", "json", "--quiet", "plan", "--log-format", "text")
    assert (done.stdout, done.stderr) == ("plan: records 1 to create; links 1 to write; 0 findings.\n", "")


def test_every_command_has_the_same_options() -> None:
    common = {"deadline", "verbose", "quiet", "log_format"}
    for command in (cli, *(cli.commands[command] for command in COMMANDS)):
        assert common <= {parameter.name for parameter in command.params}


def test_quiet_says_what_failed_and_why(clouds: Clouds) -> None:
    clouds.reset(quota=0)
    machine = clouds.launch()
    done = run(clouds, "apply", "--yes", "--quiet")
    assert (done.returncode, done.stderr) == (1, "")
    said = " ".join(done.stdout.split())
    assert said.startswith("apply: 1 failed (records 1 to create), 1 not-reached (links 1 to write); 0 findings.")
    assert f"+ create record {name(machine)} [failed] ! " in said
    assert "larger Cloudflare plan" in said
    assert "+ write link m1 teacher [not-reached] ! " in said


def test_quiet_says_why_the_guard_has_tripped(clouds: Clouds) -> None:
    done = run(clouds, "apply", "--yes", "--quiet", **vanished(clouds))
    assert (done.returncode, "--force" in done.stdout) == (3, True)
    assert "\nGUARD: " in done.stdout


def test_quiet_retire_says_what_failed_and_why(clouds: Clouds) -> None:
    machine = clouds.launch()
    clouds.apply()
    denied = refusal(403, 10000, "no")
    clouds.cloudflare.intercept = lambda request, proceed: proceed() if request.method == "GET" else denied
    done = run(clouds, "retire", "--yes", "--quiet")
    assert done.returncode == 1
    assert f"- delete record {name(machine)}  [failed]" in done.stdout
    assert "Zone > DNS > Edit" in " ".join(done.stdout.split())
