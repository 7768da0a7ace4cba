"""A file of settings means what it says, character for character, and a bad one is refused without its values."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from controller.cli import cli
from controller.sandbox.aws import exported
from tests.support.servers import Clouds


def run(path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--env-file", str(path), *arguments])


def read(folder: Path, text: str, name: str) -> str | None:
    """The variable after the file was loaded; what the file sets is gone again afterwards."""
    path = folder / "environment"
    path.write_text(text, encoding="utf-8")
    before = dict(os.environ)
    with exported(before):
        run(path, "plan", "--help")
        return os.environ.get(name)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("OWNER_ID=acme/us;west", "acme/us;west"),
        ("OWNER_ID=a$b`c`", "a$b`c`"),
        ("PROJECT_TAG=Project=Elephant Two", "Project=Elephant Two"),
        ("PROJECT_TAG='Project=Elephant Two'", "Project=Elephant Two"),
        ('PROJECT_TAG="Project=A"', "Project=A"),
        ("OWNER_ID=it's", "it's"),
        ("OWNER_ID=a#b", "a#b"),
        ("OWNER_ID=a\\\\b", "a\\\\b"),
        ("  OWNER_ID = a \t", "a"),
        ("OWNER_ID=", ""),
        ("\ufeffOWNER_ID=a", "a"),
        ("# OWNER_ID=x\n\nOWNER_ID=a\r", "a"),
        ("OWNER_ID=a\nOWNER_ID=b", "b"),
    ],
)
def test_value_is_taken_character_for_character(tmp_path: Path, line: str, value: str) -> None:
    assert read(tmp_path, f"{line}\n", line.lstrip("\ufeff# ").split("=")[0].strip()) == value


@pytest.mark.parametrize("line", ["token", "export A=token", "A B=token", "=token", "1A=token", "A=to\0ken"])
def test_bad_line_is_refused_by_its_number_and_not_shown(tmp_path: Path, line: str) -> None:
    path = tmp_path / "environment"
    path.write_text(f"# comment\n{line}\n", encoding="utf-8")
    refused = run(path, "plan")
    assert refused.exit_code != 0
    assert "line 2" in refused.output
    assert "token" not in refused.output


@pytest.mark.parametrize(("content", "cause"), [(None, "No such file"), (b"\xff\xfe", "UTF-8")])
def test_unreadable_file_is_refused(tmp_path: Path, content: bytes | None, cause: str) -> None:
    path = tmp_path / "environment"
    if content is not None:
        path.write_bytes(content)
    assert cause in run(path, "plan").output


def test_settings_of_the_file_win(clouds: Clouds, tmp_path: Path) -> None:
    path = tmp_path / "environment"
    path.write_text("DOMAIN_ROOT=not a domain\n", encoding="utf-8")
    with clouds.exported():
        refused = run(path, "plan")
    assert "DOMAIN_ROOT" in str(refused.exception)
