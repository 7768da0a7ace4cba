"""The demo tells its story, ends with 0, and with ``--serve`` lets every command be tried."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from controller.sandbox import demo
from controller.sandbox.drifts import DRIFTS, End
from controller.sandbox.fleet import Fleet, Played, seed

COMMAND = Path(sys.executable).with_name("elephant-dns")


class Shown(list[str]):
    """What the demo has said."""

    @property
    def text(self) -> str:
        return "\n".join(self)

    def after(self, title: str) -> str:
        return self.text.partition(title)[2]


def play(shown: Shown, *, serve: bool = False, wait: Callable[[], object] | None = None, colour: bool = False) -> int:
    return demo.run(40, serve, shown.append, width=100, colour=colour, wait=wait)


def test_the_demo_ends_with_nothing_left_but_findings(capfd: pytest.CaptureFixture[str]) -> None:
    shown, before = Shown(), dict(os.environ)
    assert play(shown) == 0
    for drift in DRIFTS:
        assert re.search(rf"^  · {drift.name} ", shown.text, re.MULTILINE)
        assert re.search(rf"^  ✓ {drift.name} ", shown.text, re.MULTILINE)
    assert "✗" not in shown.text
    assert "create record" in shown.after("The dry run (elephant-dns plan)")
    assert "Nothing to do; " in shown.after("The dry run once more")
    assert "! " not in shown.after("The dry run once more"), "findings are told once"
    probed = " ".join(shown.after("The links, probed by the same pass").split())
    assert "refuses connections to port 8443 (521)" in probed
    assert "ARGS=--serve" in shown.after("What next")
    assert dict(os.environ) == before
    assert capfd.readouterr() == ("", "")


def test_colours_are_shown_where_they_are_wanted() -> None:
    shown = Shown()
    assert play(shown, colour=True) == 0
    assert "\x1b[32m✓\x1b[0m missed-launch" in shown.text


def test_a_drift_that_is_not_mended_fails_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    def impossible(*arguments: object, **options: object) -> Fleet:
        fleet = seed(*arguments, **options)  # type: ignore[arg-type]
        return replace(fleet, drifts=(Played(DRIFTS[0], End(rows={"no such row": {"id": "no such row"}})),))

    monkeypatch.setattr(demo, "seed", impossible)
    shown = Shown()
    assert play(shown) == 1
    assert re.search(r"✗ missed-launch +row no such row is None", shown.text)


def test_ctrl_c_ends_the_servers_and_not_the_story() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    assert play(Shown(), serve=True, wait=interrupted) == 0


def test_every_command_can_be_tried_on_the_served_fleet() -> None:
    shown, codes = Shown(), list[int]()

    def try_commands() -> None:
        environment = _environment(shown.after("In another terminal:"))
        for arguments in (["plan", "--detailed-exitcode"], ["apply", "--yes"], ["plan", "--detailed-exitcode"]):
            ended = subprocess.run([COMMAND, *arguments], env=environment, capture_output=True, check=False, timeout=60)
            codes.append(ended.returncode)

    assert play(shown, serve=True, wait=try_commands) == 0
    assert codes == [2, 0, 0]


def _environment(text: str) -> dict[str, str]:
    """What a shell would make of the lines."""
    environment = dict(os.environ)
    for line in text.splitlines():
        word, *rest = shlex.split(line) or [""]
        if word == "unset":
            environment = {name: value for name, value in environment.items() if name not in rest}
        elif word == "export":
            name, _, value = rest[0].partition("=")
            environment[name] = value
    return environment


def test_settings_that_would_lead_elsewhere_are_taken_away() -> None:
    unset, *exports = demo.shell_lines({"AWS_REGION": "us-west-2", "DOMAIN_ROOT": "a b"})
    names = {"AWS_CA_BUNDLE", "AWS_PROFILE", "AWS_SESSION_TOKEN", "CLOUDFLARE_API_TOKEN", "ROLES", "OWNER_ID"}
    assert names <= set(unset.split())
    assert "DOMAIN_ROOT" not in unset
    assert exports == ["export AWS_REGION=us-west-2", "export DOMAIN_ROOT='a b'"]


def test_the_shell_s_own_settings_do_not_reach_the_sandbox() -> None:
    own = {"AWS_PROFILE": "work", "AWS_SESSION_TOKEN": "x", "CLOUDFLARE_API_TOKEN": "mine", "TABLE_NAME": "other"}
    ended = subprocess.run(
        [COMMAND, "sandbox"], env={**os.environ, **own}, capture_output=True, text=True, check=False, timeout=120
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "What has become of each drift" in ended.stdout


def test_without_its_packages_the_sandbox_says_what_to_do() -> None:
    code = "import sys; sys.modules['moto'] = None; from controller.cli import main; main(['sandbox'])"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, "Traceback" in ended.stderr) == (1, False)
    assert "make sandbox" in ended.stderr
    assert "pip install '.[sandbox]'" in ended.stderr
