"""``--output``: the suffix names the form, ``-`` is standard output, and what cannot be written is refused at once."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from controller.cli.options import written
from tests.support.servers import Clouds
from tests.system.cli.process import run
from tests.system.cli.test_usage import ended

BEGINNINGS = {"text": "plan for", "json": "{", "markdown": "### DNS plan", "html": "<!doctype html>"}


@click.command()
@written("text", "json", "markdown", "html")
def echo(form: str, output: Path | None) -> int:
    click.echo(f"{form} in {output}")
    return 0


@click.command()
@written("text", "json")
def echo_two(form: str, output: Path | None) -> int:
    click.echo(f"{form} in {output}")
    return 0


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("plan.json", "json"),
        ("plan.md", "markdown"),
        ("plan.htm", "html"),
        ("PLAN.HTML", "html"),
        ("plan.txt", "text"),
        ("plan", "text"),
        ("plan.log", "text"),
        (".json", "text"),
        ("plan.md.json", "json"),
    ],
)
def test_suffix_names_the_form(tmp_path: Path, name: str, form: str) -> None:
    file = tmp_path / name
    assert CliRunner().invoke(echo, ["--output", str(file)]).output == f"{form} in {file}\n"


@pytest.mark.parametrize(("name", "form"), [("plan.log", "html"), ("plan", "markdown"), ("plan.json", "json")])
def test_format_counts_unless_it_contradicts_the_suffix(tmp_path: Path, name: str, form: str) -> None:
    file = tmp_path / name
    assert CliRunner().invoke(echo, ["--format", form, "--output", str(file)]).output == f"{form} in {file}\n"


def test_suffix_of_a_form_that_the_report_has_not_is_refused(tmp_path: Path) -> None:
    refused = CliRunner().invoke(echo_two, ["--output", str(tmp_path / "plan.html")])
    assert "this report has no form html, only text, json" in refused.output


def test_file_holds_the_form_that_its_suffix_names(clouds: Clouds, tmp_path: Path) -> None:
    done = run(clouds, "plan", "--output", str(tmp_path / "plan.json"))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert json.loads((tmp_path / "plan.json").read_text("utf-8"))["mode"] == "plan"


@pytest.mark.parametrize("arguments", [[], ["--format", "json"]])
def test_dash_is_standard_output(
    clouds: Clouds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(clouds, "plan", *arguments, "--output", "-", PYTHONPATH=str(Path(__file__).parents[3]))
    assert done.stdout.startswith(BEGINNINGS["json" if arguments else "text"])
    assert (done.stderr, list(tmp_path.iterdir())) == ("", [])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--output", "plan.json", "--format", "html"], "--format html contradicts --output 'plan.json'"),
        (["--output", "plan.md", "--format", "text"], "a name for markdown: drop --format"),
        (["--output", "nowhere/plan.json"], "there is no folder 'nowhere'. Create it"),
        (["--output", "file/plan.json"], "there is no folder 'file'"),
        (["--output", ""], "expected the name of a file"),
        (["--output", "folder"], "is a directory"),
        (["--output", "read-only.txt"], "is not writable"),
        (["--output", "locked/plan.txt"], "is not writable"),
        (["--output", "no\x1b[2Jwhere/plan.txt"], "'no\\x1b[2Jwhere/plan.txt'"),
    ],
)
def test_output_that_cannot_be_is_refused_before_the_pass(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    """No settings are there: a pass would say so, with another message."""
    monkeypatch.chdir(tmp_path)
    for folder in ("folder", "locked"):
        (tmp_path / folder).mkdir()
    for file in ("file", "read-only.txt"):
        (tmp_path / file).touch()
    refused = {"read-only.txt", "locked"}  # root may write everywhere, so the system's answer is not enough here
    monkeypatch.setattr("os.access", lambda path, mode: not refused & set(Path(path).parts))
    before = set(tmp_path.iterdir())
    assert ended("plan", *arguments) == 64
    shown = capsys.readouterr()
    assert (shown.out, said in shown.err) == ("", True), shown.err
    assert set(tmp_path.iterdir()) == before


def test_file_that_fails_after_the_pass_is_exit_1(clouds: Clouds) -> None:
    done = run(clouds, "plan", "--output", "/dev/full")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "Cannot write the report to /dev/full: No space left" in done.stderr
