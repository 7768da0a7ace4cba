"""Cron, systemd and CI run commands that exist, and these do what is promised."""

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.infra.cloudformation import INFRA
from tests.support.build import name
from tests.support.servers import Clouds
from tests.system.cli.process import parse

CRONTAB, SERVICE, TIMER = INFRA / "cron/crontab", INFRA / "cron/elephant-dns.service", INFRA / "cron/elephant-dns.timer"
WORKFLOW = INFRA / "ci/drift-report.yml"
PROGRAM = "/opt/elephant-dns/bin/elephant-dns"
HERE = str(Path(sys.executable).with_name("elephant-dns"))
SETTINGS = "/etc/elephant-dns/environment"


def job() -> tuple[str, str]:
    """Return the crontab's one line, as times and command; cron takes the backslash before a per cent sign away."""
    (line,) = [line for line in CRONTAB.read_text(encoding="utf-8").splitlines() if re.match(r"[*0-9]", line)]
    *times, command = line.split(maxsplit=5)
    return " ".join(times), command.replace("\\%", "%")


def unit(path: Path) -> dict[str, dict[str, str]]:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's names have capitals
    parser.read_string(path.read_text(encoding="utf-8"))
    return {section: dict(parser[section]) for section in parser.sections()}


def steps() -> list[dict[str, Any]]:
    jobs = yaml.safe_load(WORKFLOW.read_bytes())["jobs"]
    return [step for one in jobs.values() for step in one["steps"]]


def planning() -> str:
    (script,) = [step["run"] for step in steps() if step.get("id") == "plan"]
    return str(script)


def commands() -> list[str]:
    """Return every own command line that the files hold."""
    texts = [job()[1], unit(SERVICE)["Service"]["ExecStart"], planning()]
    options = r"(?:elephant-dns|python -m controller)( --env-file \S+)?( \w+(?: --?[\w-]+(?: [\w.]+)?)*)"
    return [f"elephant-dns{match[1]}" for text in texts for match in re.findall(options, text)]


def shell(script: str, folder: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run the script as its host does, with this program and a system's log in the folder."""
    logger = folder / "logger"
    logger.write_text(f'#!/bin/sh\n[ "$1" = --tag ] && cat >> {shlex.quote(str(folder / "log"))}\n', encoding="utf-8")
    logger.chmod(0o755)
    path = os.pathsep.join([str(folder), str(Path(HERE).parent), os.environ["PATH"]])
    environment = {"PATH": path, "HOME": str(folder), "PYTHONPATH": str(INFRA.parent), **changes}
    return subprocess.run(
        ["/bin/sh", "-e", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def from_cron(clouds: Clouds, folder: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    settings = folder / "environment"
    values = clouds.environment(**changes).items()
    settings.write_text("".join(f"{key}={value}\n" for key, value in values), encoding="utf-8")
    return shell(job()[1].replace(SETTINGS, str(settings)).replace(PROGRAM, HERE), folder)


def from_systemd(clouds: Clouds, folder: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run the unit's command as systemd does: split like a shell's line, but with no shell."""
    values = clouds.environment(**changes).items()
    (folder / "environment").write_text("".join(f"{key}={value}\n" for key, value in values), encoding="utf-8")
    command = unit(SERVICE)["Service"]["ExecStart"].replace(PROGRAM, HERE)
    words = [word.replace("${CREDENTIALS_DIRECTORY}", str(folder)) for word in shlex.split(command)]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", commands())
def test_the_command_and_its_options_exist(command: str) -> None:
    parse(command)


def test_every_file_runs_a_command() -> None:
    assert len(commands()) == 3


def test_the_crontab_runs_every_five_minutes_and_ends_before_the_next() -> None:
    times, command = job()
    assert times == "*/5 * * * *"
    assert not re.search(r"(?<!\\)%", CRONTAB.read_text(encoding="utf-8")), "cron would make a line break of it"
    assert int(command.split("--deadline ")[1].split()[0]) < 300


def logged(folder: Path) -> list[dict[str, Any]]:
    """Return the lines that the system's log has taken, without the summary for people."""
    lines = (folder / "log").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def test_cron_repairs_drift_mails_nothing_and_leaves_a_record(clouds: Clouds, tmp_path: Path) -> None:
    machine = clouds.launch('a\\n"%s" $(id) →')
    done = from_cron(clouds, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert clouds.records() == {name(machine): [clouds.address(machine)]}
    record, link, whole = logged(tmp_path)
    assert (record["action"], record["key"], record["outcome"]) == ("create-record", name(machine), "applied")
    assert (link["action"], link["meeting"]) == ("write-link", 'a\\n"%s" $(id) →')
    assert (whole["message"], whole["complete"]) == ("pass", True)
    assert all(line["timestamp"].endswith("Z") for line in (record, link, whole))


@pytest.mark.parametrize("run", [from_cron, from_systemd], ids=["cron", "systemd"])
def test_owner_with_special_characters_stays_the_same_owner(run: Any, clouds: Clouds, tmp_path: Path) -> None:
    clouds.launch()
    owner = "acme/us;west$HOME#1'\\"
    done = run(clouds, tmp_path, OWNER_ID=owner)
    assert done.returncode == 0
    (record,) = clouds.cloudflare.records()
    assert str(record["comment"]).split()[0] == f"elephant-dns:{owner}"


def test_cron_mails_why_a_pass_failed_and_logs_the_same(clouds: Clouds, tmp_path: Path) -> None:
    done = from_cron(clouds, tmp_path, TABLE_NAME="not-there")
    assert "not-there" in done.stdout
    assert "not-there" in str(logged(tmp_path))


def test_cron_mails_which_change_failed_and_why(clouds: Clouds, tmp_path: Path) -> None:
    clouds.reset(quota=0)
    machine = clouds.launch()
    done = from_cron(clouds, tmp_path)
    assert f"+ create record {name(machine)}  [failed]" in done.stdout
    assert [line["outcome"] for line in logged(tmp_path) if line["message"] == "change"] == ["failed", "not-reached"]


def test_systemd_runs_what_cron_runs() -> None:
    service, timer = unit(SERVICE)["Service"], unit(TIMER)["Timer"]
    assert service["ExecStart"].replace("${CREDENTIALS_DIRECTORY}/environment", SETTINGS) in job()[1]
    assert service["LoadCredential"] == f"environment:{SETTINGS}"
    assert (timer["OnCalendar"], timer["AccuracySec"]) == ("*:0/5", "1s")
    deadline = int(service["ExecStart"].split("--deadline ")[1])
    assert deadline < int(service["TimeoutStartSec"]) < 300 - int(timer["RandomizedDelaySec"]) + 1


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for path in (SERVICE, TIMER):
        text = path.read_text(encoding="utf-8").replace(PROGRAM, HERE)
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in verified.stderr.splitlines() if "elephant-dns" in line]
    assert (verified.returncode, ours) == (0, [])


def test_actions_are_pinned_by_commit_with_the_version_beside() -> None:
    used = re.findall(r"uses: (.+)", WORKFLOW.read_text(encoding="utf-8"))
    assert len(used) == len([step for step in steps() if "uses" in step]) == 3
    assert [one for one in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one)] == []


def test_workflow_has_only_the_rights_that_it_needs() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_bytes())
    (report,) = workflow["jobs"].values()
    assert workflow["permissions"] == {}
    assert report["permissions"] == {"contents": "read", "id-token": "write", "issues": "write"}
    assert "secrets." not in WORKFLOW.read_text(encoding="utf-8")


def test_workflow_installs_locked_wheels_before_it_has_credentials() -> None:
    texts = [step.get("run") or step["uses"] for step in steps()]
    (install,) = [number for number, text in enumerate(texts) if "pip install" in text]
    (login,) = [number for number, text in enumerate(texts) if "configure-aws-credentials" in text]
    assert install < login
    assert {"--require-hashes", "--only-binary", ":all:", "requirements/cli.txt"} <= set(texts[install].split())
    assert not any("pip" in text for text in texts[login:])


def test_role_of_the_workflow_trusts_one_branch_of_one_repository() -> None:
    (statement,) = json.loads((INFRA / "ci/trust-policy.json").read_text(encoding="utf-8"))["Statement"]
    issuer = "token.actions.githubusercontent.com"
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert statement["Principal"]["Federated"].endswith(f":oidc-provider/{issuer}")
    assert statement["Condition"] == {
        "StringEquals": {
            f"{issuer}:aud": "sts.amazonaws.com",
            f"{issuer}:sub": "repo:OWNER/REPOSITORY:ref:refs/heads/main",
        }
    }


def test_dependencies_are_a_week_old_before_they_are_proposed() -> None:
    updates = yaml.safe_load((INFRA.parent / ".github/dependabot.yml").read_bytes())["updates"]
    assert {(one["package-ecosystem"], one["cooldown"]["default-days"]) for one in updates} == {
        ("pip", 7),
        ("github-actions", 7),
        ("docker", 7),
    }


def test_no_script_of_the_workflow_holds_an_expression() -> None:
    # What stands in a variable of the repository would become part of the script; by the environment it cannot.
    assert [step["run"] for step in steps() if "${{" in step.get("run", "")] == []


@pytest.mark.parametrize(("machines", "status"), [(0, "0"), (1, "2")], ids=["converged", "drift"])
def test_the_workflow_posts_the_report(clouds: Clouds, tmp_path: Path, machines: int, status: str) -> None:
    ids = [clouds.launch() for _ in range(machines)]
    summary, output = tmp_path / "summary.md", tmp_path / "output"
    files = {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(output)}
    done = shell(planning(), tmp_path, **clouds.environment(), **files)
    assert (done.returncode, output.read_text(encoding="utf-8")) == (0, f"status={status}\n")
    assert summary.read_text(encoding="utf-8") == (tmp_path / "plan.md").read_text(encoding="utf-8")
    assert all(machine in summary.read_text(encoding="utf-8") for machine in ids)
    assert clouds.records() == {}


def test_the_workflow_fails_where_the_plan_fails(clouds: Clouds, tmp_path: Path) -> None:
    files = {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"), "GITHUB_OUTPUT": str(tmp_path / "output")}
    done = shell(planning(), tmp_path, **clouds.environment(TABLE_NAME="not-there"), **files)
    assert done.returncode == 1
    assert "not-there" in done.stderr
