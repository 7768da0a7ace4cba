"""The command line as a user runs it: a process of its own, its exit code and both of its outputs."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.clouds import Clouds, name

COMMAND = (sys.executable, "-m", "controller")
# A Ctrl-C is a signal only to the process whose controlling terminal it is typed at.
AT_ITS_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


def run(clouds: Clouds, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run a command with an environment of its own."""
    environment = {"PATH": os.environ["PATH"], **clouds.environment(**changes)}
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )


def at_a_terminal(clouds: Clouds, arguments: Sequence[str], answer: str) -> tuple[int, str]:
    """Run a command at a terminal of its own, and answer its question."""
    terminal, child = pty.openpty()
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm", **clouds.environment()}
    command = [sys.executable, "-c", AT_ITS_TERMINAL, *COMMAND, *arguments]
    process = subprocess.Popen(
        command, env=environment, stdin=child, stdout=child, stderr=child, start_new_session=True
    )
    os.close(child)
    text = read_until(terminal, b"[y/N]")
    os.write(terminal, answer.encode())
    text += read_until(terminal, None)
    os.close(terminal)
    return process.wait(60), text.decode()


def read_until(terminal: int, end: bytes | None) -> bytes:
    """What the terminal shows until the other side closes it, or until this."""
    text = b""
    while end is None or end not in text:
        try:
            text += os.read(terminal, 65536)
        except OSError:  # the other side is closed
            break
    return text


def test_plan_shows_what_would_be_done_and_does_nothing(clouds: Clouds) -> None:
    machine = clouds.launch(address="192.0.2.7")
    done = run(clouds, "plan")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"+ create record {name(machine)}" in done.stdout
    assert "content: 192.0.2.7" in done.stdout
    assert "status: LAUNCHED → DNS_WRITTEN" in done.stdout
    assert "plan: create record 1, write link 1; 0 findings." in done.stdout
    assert "\x1b" not in done.stdout, "colours on a terminal only"
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert clouds.cloudflare.history == []


def test_plan_tells_by_its_exit_code_when_asked(clouds: Clouds) -> None:
    assert run(clouds, "plan", "--detailed-exitcode").returncode == 0
    clouds.launch()
    assert run(clouds, "plan").returncode == 0
    assert run(clouds, "plan", "--detailed-exitcode").returncode == 2


def test_json_alone_on_stdout_or_in_a_file(clouds: Clouds, tmp_path: Path) -> None:
    clouds.launch()
    report = json.loads(run(clouds, "plan", "--format", "json").stdout)
    done = run(clouds, "plan", "--format", "json", "--output", str(tmp_path / "plan.json"))
    assert done.stdout == ""
    assert json.loads((tmp_path / "plan.json").read_text())["digest"] == report["digest"]
    assert report["schema"] == "elephant-dns/report/v1"
    applied = run(clouds, "apply", "--yes", "--format", "json")
    assert json.loads(applied.stdout)["converged"] is True
    assert "create record" in applied.stderr, "the plan is shown before it is applied"


def test_apply_does_it_and_shows_outcomes(clouds: Clouds) -> None:
    machine = clouds.launch()
    done = run(clouds, "apply", "--yes")
    assert done.returncode == 0
    assert f"create record {name(machine)}  [applied]" in done.stdout
    assert clouds.records().keys() == {name(machine)}
    again = run(clouds, "apply", "--yes")
    assert (again.returncode, "Nothing to do" in again.stdout) == (0, True)


def test_one_instance_only(clouds: Clouds) -> None:
    machine, _ = clouds.launch(), clouds.launch("m2")
    run(clouds, "apply", "--yes", "--instance", machine)
    assert clouds.records().keys() == {name(machine)}


def test_apply_without_anybody_to_answer_does_nothing(clouds: Clouds) -> None:
    clouds.launch()
    done = run(clouds, "apply")
    assert done.returncode == 1
    assert "--yes" in done.stderr
    assert clouds.records() == {}


@pytest.mark.parametrize(("answer", "code", "records"), [("y\n", 0, 1), ("n\n", 1, 0), ("\n", 1, 0), ("\x03", 130, 0)])
def test_apply_asks(clouds: Clouds, answer: str, code: int, records: int) -> None:
    clouds.launch()
    ended, text = at_a_terminal(clouds, ["apply"], answer)
    assert ended == code
    assert len(clouds.records()) == records
    assert "Apply these changes?" in text
    assert "\x1b[32m+" in text, "colours on a terminal"


def test_expect_binds_an_apply_to_the_plan_that_was_reviewed(clouds: Clouds) -> None:
    clouds.launch()
    digest = json.loads(run(clouds, "plan", "--format", "json").stdout)["digest"]
    clouds.launch("m2")
    done = run(clouds, "apply", "--yes", "--expect", digest)
    assert (done.returncode, clouds.records()) == (1, {})
    assert "no longer the one that was reviewed" in done.stderr
    digest = json.loads(run(clouds, "plan", "--format", "json").stdout)["digest"]
    assert run(clouds, "apply", "--yes", "--expect", digest).returncode == 0
    assert len(clouds.records()) == 2


def test_the_guard_has_its_own_exit_code_and_names_the_way_through(clouds: Clouds) -> None:
    clouds.seed(clouds.launch(), "192.0.2.1")
    clouds.aws.machines.purge(*clouds.aws.machines.all())
    assert run(clouds, "plan", "--detailed-exitcode").returncode == 2
    done = run(clouds, "apply", "--yes")
    assert done.returncode == 3
    assert "--force" in done.stdout
    assert run(clouds, "apply", "--yes", "--force").returncode == 0
    assert clouds.records() == {}


def test_a_failed_change_is_exit_1(clouds: Clouds) -> None:
    clouds.reset(quota=0)
    clouds.launch()
    done = run(clouds, "apply", "--yes")
    assert done.returncode == 1
    assert "[failed]" in done.stdout
    assert "larger Cloudflare plan" in " ".join(done.stdout.split())


def test_an_error_is_one_message_and_exit_1(clouds: Clouds) -> None:
    done = run(clouds, "plan", CLOUDFLARE_API_TOKEN="cfut_wrong")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Zone > DNS > Edit" in done.stderr
    assert "Traceback" not in done.stderr
    assert "cfut_wrong" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["plan", "--instance", "i-XYZ"],
        ["plan", "--format", "yaml"],
        ["destroy"],
        ["apply", "--nonsense"],
        ["plan", "--deadline", "0"],
    ],
)
def test_wrong_usage_is_exit_64(clouds: Clouds, arguments: list[str]) -> None:
    done = run(clouds, *arguments)
    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr


def test_wrong_settings_are_exit_64_all_at_once(clouds: Clouds) -> None:
    done = run(clouds, "plan", DOMAIN_ROOT="", ZONE_ID="x")
    assert done.returncode == 64
    assert "DOMAIN_ROOT is not set" in done.stderr
    assert "ZONE_ID is 'x'" in done.stderr


def test_verbose_shows_the_calls_and_quiet_only_the_result(clouds: Clouds) -> None:
    clouds.launch()
    calls = [json.loads(line) for line in run(clouds, "plan", "-v").stderr.splitlines()]
    assert {call["service"] for call in calls} >= {"ec2", "dynamodb", "cloudflare"}
    assert clouds.cloudflare.token not in json.dumps(calls)
    done = run(clouds, "apply", "--yes", "--quiet")
    assert (done.stdout, done.stderr) == ("apply: 2 applied (create record 1, write link 1); 0 findings.\n", "")


def test_a_forced_plan_has_the_digest_that_a_forced_apply_expects(clouds: Clouds) -> None:
    clouds.seed(clouds.launch(), "192.0.2.1")
    clouds.aws.machines.purge(*clouds.aws.machines.all())
    digest = json.loads(run(clouds, "plan", "--force", "--format", "json").stdout)["digest"]
    assert run(clouds, "apply", "--yes", "--force", "--expect", digest).returncode == 0
    assert clouds.records() == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"AWS_PROFILE": "nobody"},
        {"AWS_REGION": "us west", "AWS_DEFAULT_REGION": "us west"},
        {"AWS_ENDPOINT_URL": "nonsense"},
    ],
)
def test_wrong_aws_settings_are_exit_64(clouds: Clouds, wrong: dict[str, str]) -> None:
    done = run(clouds, "plan", **wrong)
    assert (done.returncode, "Traceback" in done.stderr) == (64, False)
    assert "AWS_PROFILE" in done.stderr


@pytest.mark.parametrize("url", ["https://a..b", "https://xn--.com"])
def test_a_url_that_cannot_be_used_is_told(clouds: Clouds, url: str) -> None:
    done = run(clouds, "plan", CLOUDFLARE_BASE_URL=url)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "CLOUDFLARE_BASE_URL" in done.stderr


def test_a_report_that_cannot_be_written_is_told(clouds: Clouds) -> None:
    done = run(clouds, "plan", "--output", "/nowhere/plan.txt")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "/nowhere/plan.txt" in done.stderr


def test_without_its_packages_the_command_says_what_to_install() -> None:
    code = "import sys; sys.modules['click'] = None; from controller.__main__ import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "elephant-dns-watchdog[cli]" in done.stderr


def test_help_and_version(clouds: Clouds) -> None:
    for arguments in (["--help"], ["-h"], ["plan", "--help"], ["apply", "-h"], ["sandbox", "-h"]):
        done = run(clouds, *arguments)
        assert done.returncode == 0
        assert "Usage: elephant-dns" in done.stdout
    assert "Examples:" in run(clouds, "plan", "-h").stdout
    assert run(clouds, "--version").stdout.startswith("elephant-dns 0.")


def test_hostile_tags_and_rows_do_not_reach_the_terminal(clouds: Clouds) -> None:
    """EC2's XML carries no control characters but line breaks; a row may carry any."""
    clouds.aws.machines.launch("\u202egnp.exe\n+ create record fake", "teacher")
    clouds.aws.rows.put("\x1b[2J\n  + create record fake", status="\x1b]0;title\x07")
    done = run(clouds, "plan")
    assert done.returncode == 0
    for forbidden in ("\x1b", "\x07", "\u202e", "\n+ create record fake", "\n  + create record fake"):
        assert forbidden not in done.stdout
    assert "odd-row" in done.stdout
    assert "missing-meeting" in done.stdout
