"""``elephant-dns doctor`` as its users start it: text, JSON, exit codes, width, deadline."""

import json
from importlib.resources import files

import jsonschema
import pytest

from controller.doctor import as_text
from controller.doctor.diagnosis import Check, Diagnosis, Status
from tests.support.servers import Clouds
from tests.system.cli.process import run
from tests.system.doctor.deployed import Deployment

SCHEMA = json.loads(files("controller.doctor").joinpath("doctor.schema.json").read_text(encoding="utf-8"))
SAMPLE = Diagnosis(
    (
        Check("table", Status.PASS, "The key is right."),
        Check("secret", Status.WARN, "word " * 40, "another " * 30),
        Check("token", Status.FAIL, "\x1b[2J hostile\ntext", "Do something."),
        Check("zone", Status.SKIP, "Not checked: the token is missing."),
    )
)


def test_a_deployment_in_order_is_exit_0_in_80_columns(clouds: Clouds, deployment: Deployment) -> None:
    deployment.whole()
    done = run(clouds, "doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("A pass can do its work: 35 pass.\n")
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "\x1b" not in done.stdout


def test_broken_settings_exit_with_1(clouds: Clouds) -> None:
    done = run(clouds, "doctor", "--quiet", DOMAIN_ROOT="", ZONE_ID="x")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("fail  settings\n      DOMAIN_ROOT is not set:")
    assert "ZONE_ID is 'x'" in done.stdout
    assert "pass  " not in done.stdout


def test_json_is_alone_on_standard_output(clouds: Clouds) -> None:
    done = run(clouds, "doctor", "--format", "json", "--function", "another", CLOUDFLARE_API_TOKEN="cfut_wrong")
    assert done.returncode == 1
    content = json.loads(done.stdout)
    jsonschema.validate(content, SCHEMA)
    assert (content["healthy"], content["summary"]["fail"]) == (False, 1)
    assert "has no function another" in done.stdout
    assert "cfut_wrong" not in done.stdout + done.stderr


def test_lines_fit_the_terminal_and_hostile_text_is_harmless() -> None:
    text = as_text.render(SAMPLE)
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    assert "      → Do something.\n" in text
    assert text.endswith("\nA pass cannot do all of its work like this: 1 pass, 1 warn, 1 fail, 1 skip.\n")


@pytest.mark.parametrize("colour", [False, True])
def test_colours_only_where_asked_for(colour: bool) -> None:
    assert ("\x1b[31mfail\x1b[0m  token" in as_text.render(SAMPLE, colour=colour)) is colour


def test_quiet_leaves_out_what_nobody_need_look_at() -> None:
    text = as_text.render(SAMPLE, quiet=True)
    assert ("warn  secret" in text, "fail  token" in text) == (True, True)
    assert ("pass  table" in text, "skip  zone" in text) == (False, False)


def test_a_warning_alone_is_healthy() -> None:
    assert Diagnosis(SAMPLE.checks[:2]).healthy
    assert not SAMPLE.healthy
