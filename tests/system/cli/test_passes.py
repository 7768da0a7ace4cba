"""``plan`` and ``apply`` as a user runs them: exit codes, both outputs, pipes and terminals."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.build import name
from tests.support.servers import Clouds
from tests.system.cli.process import COMMAND, CTRL_C, CTRL_D, at_a_terminal, environment, run, run_alone


def test_plan_shows_what_would_be_done_and_does_nothing(clouds: Clouds) -> None:
    machine = clouds.launch(address="192.0.2.7")
    done = run(clouds, "plan")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"+ create record {name(machine)}" in done.stdout
    assert "content: 192.0.2.7" in done.stdout
    assert "status: LAUNCHED → DNS_WRITTEN" in done.stdout
    assert "plan: records 1 to create; links 1 to write; 0 findings." in done.stdout
    assert "\x1b" not in done.stdout, "colours on a terminal only"
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert clouds.cloudflare.history == []


def test_detailed_exitcode_of_plan_is_2_where_changes_are(clouds: Clouds) -> None:
    assert run(clouds, "plan", "--detailed-exitcode").returncode == 0
    clouds.launch()
    assert run(clouds, "plan").returncode == 0
    assert run(clouds, "plan", "--detailed-exitcode").returncode == 2


def test_json_alone_on_stdout_or_in_a_file(clouds: Clouds, tmp_path: Path) -> None:
    clouds.launch()
    report = json.loads(run(clouds, "plan", "--format", "json").stdout)
    done = run(clouds, "plan", "--format", "json", "--output", str(tmp_path / "plan.json"))
    assert (done.stdout, str(tmp_path / "plan.json") in done.stderr) == ("", True)
    assert "records 1 to create" in done.stderr
    quiet = run(clouds, "plan", "--quiet", "--output", str(tmp_path / "plan.txt"))
    assert (quiet.stdout, quiet.stderr) == ("", "")
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


@pytest.mark.parametrize("command", [["apply"], ["apply", "--quiet"], ["retire"]])
def test_question_without_a_terminal_reads_nothing(clouds: Clouds, command: list[str]) -> None:
    clouds.launch()
    clouds.aws.requests.clear()
    done = run(clouds, *command)
    assert (done.returncode, done.stdout, "--yes" in done.stderr) == (64, "", True)
    assert clouds.aws.requests == clouds.cloudflare.requests == []


@pytest.mark.parametrize("digest", ["", "deadbeef", "A" * 64])
def test_invalid_digest_is_wrong_usage(clouds: Clouds, digest: str) -> None:
    clouds.aws.requests.clear()
    done = run(clouds, "apply", "--yes", "--expect", digest)
    assert (done.returncode, "expected 64 hex digits" in done.stderr) == (64, True)
    assert clouds.aws.requests == []


def test_a_cron_mail_holds_everything_once(clouds: Clouds) -> None:
    clouds.launch()
    done = run(clouds, "apply", "--yes")
    assert done.stderr == ""
    assert done.stdout.count("create record i-") == 1
    assert "digest" not in done.stdout


def test_shown_plan_is_not_repeated(clouds: Clouds) -> None:
    for arguments, question in ((["apply"], "[y/N]"), (["apply", "--yes"], "")):
        clouds.reset()
        machine = clouds.launch()
        clouds.aws.rows.put("odd", status="?")
        code, text = at_a_terminal(clouds, arguments, "y\n", question=question, NO_COLOR="1")
        assert code == 0
        assert text.count("! odd-row odd") == text.count("content: ") == text.count("digest ") == 1
        assert f"  + create record {name(machine)}  [applied]" in text
        assert "  + write link m1 teacher  [applied]" in text
        assert text.rstrip().endswith("apply: 2 applied (records 1 created; links 1 written); 1 finding.")


def test_quiet_asks_with_one_line(clouds: Clouds) -> None:
    clouds.launch()
    code, text = at_a_terminal(clouds, ["apply", "--quiet"], "y\n", question="[y/N]")
    assert code == 0
    assert text.splitlines() == [
        "plan: records 1 to create; links 1 to write; 0 findings.",
        "Apply these changes? [y/N]: y",
        "apply: 2 applied (records 1 created; links 1 written); 0 findings.",
    ]


def test_id_without_a_machine_is_reported(clouds: Clouds) -> None:
    done = run(clouds, "plan", "--instance", "i-0123456789abcdef0")
    assert (done.returncode, "No machine of this deployment" in done.stderr) == (0, True)
    known = run(clouds, "plan", "--instance", clouds.launch())
    assert known.stderr == ""
    odd = run(clouds, "plan", "--instance", "foo")
    assert (odd.returncode, "Invalid instance ID 'foo'" in odd.stderr) == (64, True)


@pytest.mark.parametrize(
    ("answer", "code", "records"), [("y\n", 0, 1), ("n\n", 1, 0), ("\n", 1, 0), (CTRL_D, 1, 0), (CTRL_C, 130, 0)]
)
def test_apply_asks(clouds: Clouds, answer: str, code: int, records: int) -> None:
    clouds.launch()
    ended, text = at_a_terminal(clouds, ["apply"], answer, question="[y/N]")
    assert ended == code
    assert len(clouds.records()) == records
    assert "Apply these changes?" in text
    assert ("\r\nNothing was applied." in text) is (code != 0)
    assert "\x1b[32m+ create record" in text, "colours on a terminal"
    assert max(len(line) for line in re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()) <= 80


def test_expect_refuses_another_plan_than_the_reviewed_one(clouds: Clouds) -> None:
    clouds.launch()
    digest = json.loads(run(clouds, "plan", "--format", "json").stdout)["digest"]
    clouds.launch("m2")
    done = run(clouds, "apply", "--yes", "--expect", digest)
    assert (done.returncode, clouds.records()) == (1, {})
    assert "The plan changed: reviewed was" in done.stderr
    digest = json.loads(run(clouds, "plan", "--format", "json").stdout)["digest"]
    assert run(clouds, "apply", "--yes", "--expect", digest).returncode == 0
    assert len(clouds.records()) == 2


def vanished(clouds: Clouds) -> dict[str, str]:
    """A world in which all machines are absent, seen with an owner id that does not name the place."""
    clouds.seed(clouds.launch(), "192.0.2.1", comment="elephant-dns:watchdog teacher of m1")
    clouds.aws.machines.purge(*clouds.aws.machines.all())
    return {"OWNER_ID": "watchdog"}


def test_tripped_guard_is_exit_3_and_names_force(clouds: Clouds) -> None:
    told = vanished(clouds)
    assert run(clouds, "plan", "--detailed-exitcode", **told).returncode == 2
    done = run(clouds, "apply", "--yes", **told)
    assert done.returncode == 3
    assert "--force" in done.stdout
    assert run(clouds, "apply", "--yes", "--force", **told).returncode == 0
    assert clouds.records() == {}


def test_owner_id_with_its_place_lets_absent_records_go(clouds: Clouds) -> None:
    clouds.seed(clouds.launch(), "192.0.2.1")
    clouds.aws.machines.purge(*clouds.aws.machines.all())
    assert run(clouds, "apply", "--yes").returncode == 0
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


def test_wrong_settings_are_exit_64_all_at_once(clouds: Clouds) -> None:
    done = run(clouds, "plan", DOMAIN_ROOT="", ZONE_ID="x")
    assert done.returncode == 64
    assert "DOMAIN_ROOT is not set" in done.stderr
    assert "docs/configuration.md" in done.stderr
    assert "make sandbox" in done.stderr
    assert "ZONE_ID is 'x'" in done.stderr


@pytest.mark.parametrize("name", ["MAX_GUARDED_DELETES", "MAX_GUARDED_DELETE_PERCENT"])
def test_a_limit_that_no_longer_exists_is_exit_64_and_says_why(clouds: Clouds, name: str) -> None:
    done = run(clouds, "plan", **{name: "5"})
    assert (done.returncode, f"{name} is '5': it no longer exists, so remove it" in done.stderr) == (64, True)


def test_verbose_shows_the_calls_and_quiet_only_the_result(clouds: Clouds) -> None:
    clouds.launch()
    calls = run(clouds, "plan", "-v").stderr
    for call in ("ec2 DescribeInstances", "dynamodb Scan", "cloudflare GET", "secretsmanager GetSecretValue"):
        assert re.search(rf"^{call}.*: 200, \d+ ms$", calls, re.MULTILINE), calls
    assert clouds.cloudflare.token not in calls
    refused = run(clouds, "plan", "-v", CLOUDFLARE_API_TOKEN="cfut_wrong").stderr
    assert re.search(r"^cloudflare GET .*: 403, \d+ ms$", refused, re.MULTILINE), refused
    assert "cfut_wrong" not in refused
    done = run(clouds, "apply", "--yes", "--quiet")
    assert (done.stdout, done.stderr) == ("apply: 2 applied (records 1 created; links 1 written); 0 findings.\n", "")


def test_a_forced_plan_has_the_digest_that_a_forced_apply_expects(clouds: Clouds) -> None:
    told = vanished(clouds)
    digest = json.loads(run(clouds, "plan", "--force", "--format", "json", **told).stdout)["digest"]
    assert digest != json.loads(run(clouds, "plan", "--format", "json", **told).stdout)["digest"]
    assert run(clouds, "apply", "--yes", "--force", "--expect", digest, **told).returncode == 0
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
def test_unusable_url_is_exit_1_and_named(clouds: Clouds, url: str) -> None:
    done = run(clouds, "plan", CLOUDFLARE_BASE_URL=url)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "CLOUDFLARE_BASE_URL" in done.stderr


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


def test_progress_moves_on_a_terminal_and_is_lines_elsewhere(clouds: Clouds) -> None:
    machine = clouds.launch()
    _, shown = at_a_terminal(clouds, ["apply", "--yes", "--instance", machine])
    assert re.search(r"\r\x1b\[K2 of 2 changes: m1 applied\r\x1b\[K", shown)
    for number in range(5):
        clouds.launch(f"another-{number}")
    done = run(clouds, "apply", "--yes", "--format", "json")
    counts = re.findall(r"^(\d+) of 10 changes$", done.stderr, re.MULTILINE)
    assert counts == [str(count) for count in range(1, 11)]
    assert json.loads(done.stdout)["converged"] is True
    clouds.launch("one-more")
    assert "changes" not in run(clouds, "apply", "--yes").stderr, "few changes need no progress"


@pytest.mark.parametrize(("form", "beginning"), [("markdown", "#"), ("html", "<!doctype html>")])
def test_each_page_is_alone_on_stdout(clouds: Clouds, form: str, beginning: str) -> None:
    clouds.launch()
    done = run(clouds, "apply", "--yes", "--format", form)
    assert done.returncode == 0
    assert done.stdout.lower().startswith(beginning)
    assert "plan for example.com" in done.stderr


@pytest.mark.parametrize("closed", ["true", "head -c 1 >/dev/null"])
def test_closed_pipe_is_not_an_error(clouds: Clouds, closed: str) -> None:
    clouds.launch()
    script = f'set -o pipefail; "$@" | {closed}'
    done = subprocess.run(
        ["bash", "-c", script, "sh", *COMMAND, "apply", "--yes", "--quiet"],
        env=environment(clouds),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(clouds.records()) == 1


def test_result_that_cannot_be_written_is_exit_1(clouds: Clouds) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "plan"],
            env=environment(clouds),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, "No space left" in done.stderr, "Traceback" in done.stderr) == (1, True, False)


def test_terminal_with_few_characters_gets_the_report_escaped(clouds: Clouds) -> None:
    clouds.launch()
    done = run_alone(clouds, "apply", "--yes", PYTHONIOENCODING="latin-1")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert "status: LAUNCHED \\u2192 DNS_WRITTEN" in done.stdout


def test_lines_fit_a_narrow_terminal(clouds: Clouds) -> None:
    clouds.launch()
    for command in (["apply"], ["doctor"]):
        _, text = at_a_terminal(clouds, command, "n\n", question="[y/N]" if command == ["apply"] else "", COLUMNS="60")
        longest = max(re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines(), key=len)
        assert len(longest) <= 60 or " " not in longest.strip(), longest
