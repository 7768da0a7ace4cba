"""The demo tells its story, ends with 0, and with ``--serve`` lets every command be tried."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from controller.report.report import Report
from controller.sandbox import cells, demo
from controller.sandbox.aws import AwsServer
from controller.sandbox.cloudflare import CloudflareServer
from controller.sandbox.drifts import DRIFTS, End
from controller.sandbox.edge import Edge
from controller.sandbox.fleet import Fleet, Played, seed
from controller.sandbox.stage import Stage

COMMAND = Path(sys.executable).with_name("elephant-dns")


class Shown(list[str]):
    """What the demo has said."""

    @property
    def text(self) -> str:
        return "\n".join(self)

    def after(self, title: str) -> str:
        return self.text.partition(title)[2]


def play(shown: Shown, *, cells: int = 1, serve: bool = False, wait: Callable[[], object] | None = None) -> int:
    return demo.run(Stage(shown.append, 100, colour=False), 44, cells=cells, serve=serve, wait=wait)


def test_the_demo_ends_with_nothing_left_but_findings(capfd: pytest.CaptureFixture[str]) -> None:
    shown, before = Shown(), dict(os.environ)
    assert play(shown) == 0
    for drift in DRIFTS:
        assert re.search(rf"^  · {drift.name} ", shown.text, re.MULTILINE)
        assert re.search(rf"^  ✓ {drift.name} ", shown.text, re.MULTILINE)
    assert "✗" not in shown.text
    assert "create record" in shown.after("The dry run (elephant-dns plan)")
    assert "Nothing to do; " in shown.after("The dry run once more")
    probed = " ".join(shown.after("The links, probed by the same pass").split())
    assert "refuses connections to port 8443 (521)" in probed
    assert "! " not in shown.after("The dry run once more"), "findings are shown once"
    assert "ARGS=--serve" in shown.after("What next")
    assert dict(os.environ) == before
    assert capfd.readouterr() == ("", "")


def test_cells_end_as_the_story_says_and_every_command_works() -> None:
    shown, done = Shown(), list[subprocess.CompletedProcess[str]]()
    away = "210987654321/eu-west-1"
    after = (f"elephant-dns apply --yes --cell {away}", "elephant-dns status --quiet")

    def paste() -> None:
        done.append(pasted(shown.after("Ctrl-C here ends the servers."), *after, CELLS="999999999999/us-east-1"))

    assert play(shown, cells=3, serve=True, wait=paste) == 0
    assert "✗" not in shown.text
    for cell in (away, "123456789012/us-east-1"):
        drifts = shown.after(f"\n  in {cell}\n").split("\n  in ")[0]
        assert all(re.search(rf"^  ✓ {name} ", drifts, re.MULTILINE) for name in cells.DRIFTED)
    act = " ".join(shown.after("A cell that cannot be read").split())
    assert f"! cell-not-read Cannot read the cell {away}: " in act
    for end in ("the pass fails", "nobody knows whether it is up", "none ends", "its record and its link", "is ended"):
        assert end in act
    assert done[0].returncode == 0, done[0].stderr
    assert f"apply for example.com: only cells {away}\n" in done[0].stdout
    assert " not known" not in done[0].stdout


@pytest.mark.parametrize("lie", ["ended", "silent", "deleted"])
def test_a_pass_that_ignores_the_unread_cell_fails_the_act(lie: str) -> None:
    """The judge of the act looks at the servers, and at how loud the pass was."""
    with AwsServer() as aws, CloudflareServer(demo.DOMAIN_ROOT, plan="pro") as cloudflare, Edge(cloudflare) as edge:
        fleet = demo.prepared(aws, cloudflare, 44, 2)
        away = fleet.others[0]
        (solo,) = (row for row in away.healthy.rows.values() if row and "student_ec2_id" not in row)
        controller = demo._controller(fleet, edge)
        passes = iter(range(9))

        def apply() -> Report:
            report = controller.run(demo.APPLY, 60)
            if next(passes):
                return report
            if lie == "ended":
                aws.rows.edit(next(iter(away.healthy.rows)), status="TERMINATED")
            if lie == "deleted":
                (record,) = (r for r in cloudflare.records() if str(r["name"]).startswith(solo["teacher_ec2_id"]))
                cloudflare.remove(str(record["id"]))
            return replace(report, findings=(), cells=()) if lie == "silent" else report

        shown = Shown()
        controller.run(demo.APPLY, 60)
        assert not cells.play_unread(Stage(shown.append, 100, colour=False), fleet, apply)
        controller.close()
    assert "✗" in shown.text


def test_colours_are_shown_where_they_are_wanted() -> None:
    shown = Shown()
    Stage(shown.append, 100, colour=True).item("✓", "missed-launch", "as it should be")
    assert "\x1b[32m✓\x1b[0m missed-launch" in shown.text


def test_drift_that_is_not_fixed_fails_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    def impossible(*arguments: Any, **options: Any) -> Fleet:
        fleet = seed(*arguments, **options)
        return replace(fleet, drifts=(Played(DRIFTS[0], End(rows={"no such row": {"id": "no such row"}})),))

    monkeypatch.setattr(demo, "seed", impossible)
    shown = Shown()
    assert play(shown) == 1
    assert re.search(r"✗ missed-launch +row no such row is None", shown.text)


def test_ctrl_c_ends_the_servers_and_not_the_story() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    assert play(Shown(), serve=True, wait=interrupted) == 0


def pasted(block: str, *lines: str, **own: str) -> subprocess.CompletedProcess[str]:
    """Run what the demo prints, and these lines after it, in a shell that knows nothing of this project."""
    environment = {"PATH": os.defpath, "HOME": "/", "PYTHONPATH": str(Path(__file__).parents[2]), **own}
    script = "\n".join([block, *lines])
    return subprocess.run(["/bin/sh", "-e", "-c", script], env=environment, capture_output=True, text=True, check=False)


def test_printed_lines_lead_a_shell_to_the_fleet_of_the_story() -> None:
    shown, done = Shown(), list[subprocess.CompletedProcess[str]]()
    after = ("elephant-dns apply --yes --quiet >&2", "elephant-dns plan --quiet --detailed-exitcode")

    def paste() -> None:
        done.append(
            pasted(shown.after("Ctrl-C here ends the servers."), *after, AWS_PROFILE="work", TABLE_NAME="other")
        )

    assert play(shown, serve=True, wait=paste) == 0
    assert done[0].returncode == 0, done[0].stderr
    plan, rest = done[0].stdout.split("\ndigest ")
    assert plan.startswith("plan for example.com: everything\n")
    ids, told = (set(re.findall(r"i-[0-9a-f]{17}", text)) for text in (plan, shown.text))
    assert ids
    assert ids <= told
    assert f"\ndigest {rest.partition(chr(10))[0]}\n" in shown.text, "it is the plan of the story"
    assert done[0].stderr.startswith("apply: ")
    assert rest.splitlines()[-1].startswith("Nothing to do; ")


def test_quiet_story_shows_only_what_can_be_pasted() -> None:
    shown = Shown()
    assert demo.run(Stage(shown.append, 100, colour=False, quiet=True), 44, serve=True, wait=lambda: None) == 0
    assert len(shown) == 1
    assert {line.split()[0] for line in shown.text.splitlines() if line} == {"unset", "export", "elephant-dns"}


@pytest.mark.parametrize(
    ("found", "lines"),
    [
        ("here", ["elephant-dns plan"]),
        (None, ['export PATH={folder}:"$PATH"', "elephant-dns plan"]),
        ("elsewhere", ['export PATH={folder}:"$PATH"', "elephant-dns plan"]),
    ],
)
def test_path_is_exported_unless_the_shell_finds_this_program(
    tmp_path: Path, found: str | None, lines: list[str]
) -> None:
    here, elsewhere = (tmp_path / name / "elephant-dns" for name in ("a folder", "elsewhere"))
    for command in (here, elsewhere):
        command.parent.mkdir()
        command.touch()
    paths = {"here": str(here), "elsewhere": str(elsewhere)}
    printed = [line.format(folder=shlex.quote(str(here.parent))) for line in lines]
    assert list(demo._planning(here, paths.get(found or ""))) == printed


def test_program_that_is_not_installed_is_named_by_its_module(tmp_path: Path) -> None:
    assert list(demo._planning(tmp_path / "elephant-dns", None)) == [
        f"{shlex.quote(sys.executable)} -m controller plan"
    ]


def test_misleading_settings_are_unset() -> None:
    unset, *exports = list(demo.shell_lines({"AWS_REGION": "us-west-2", "DOMAIN_ROOT": "a b"}))[:3]
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
    assert "How each drift ended" in ended.stdout


def test_without_its_packages_the_sandbox_says_what_to_do() -> None:
    code = "import sys; sys.modules['moto'] = None; from controller.cli import main; main(['sandbox'])"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, "Traceback" in ended.stderr) == (1, False)
    assert "make sandbox" in ended.stderr
    assert "pip install '.[sandbox]'" in ended.stderr
