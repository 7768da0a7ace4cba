"""Help and wrong usage need no call to a cloud."""

import subprocess
import sys

import pytest

from controller.cli import cli, main

COMMANDS = sorted(cli.commands)


def ended(*arguments: str) -> int:
    """Return the exit code of a command, run in this process."""
    with pytest.raises(SystemExit) as exit_:
        main(list(arguments))
    return int(exit_.value.code or 0)


def test_these_are_the_commands() -> None:
    assert COMMANDS == ["apply", "doctor", "explain", "plan", "retire", "sandbox", "status"]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_with_examples_that_fits_a_terminal(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for option in ("-h", "--help"):
        assert ended(command, option) == 0
        text = capsys.readouterr().out
        assert f"Usage: elephant-dns {command}" in text
        assert f"\n    elephant-dns {command}" in text
        assert all(option in text for option in ("--deadline", "--verbose", "--quiet"))
        assert max(map(len, text.splitlines())) <= 80


def test_the_first_help_names_commands_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("--help") == 0
    text = capsys.readouterr().out
    assert all(f"\n  {command} " in text for command in COMMANDS)
    assert "64 wrong usage or settings" in text
    assert "..." not in text.partition("Commands:")[2], "each short help is complete"
    assert ended("--version") == 0
    assert capsys.readouterr().out.startswith("elephant-dns 1.")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["plam"], "plan"),
        (["apply", "--forec"], "--force"),
        (["apply", "--yes", "--force", "--instance", "i-0123456789abcdef0"], "--force has no effect with --instance"),
        (["plan", "--force", "--instance", "i-0123456789abcdef0"], "--force has no effect with --instance"),
        (["plan", "--cell", "x/y", "--instance", "i-0123456789abcdef0"], "--cell has no effect with --instance"),
        (["plan", "--format", "yaml"], "'markdown'"),
        (["plan", "--deadline", "0"], "1<=x<=86400"),
        (["explain"], "ID"),
        (["explain", " "], "give an instance"),
        (["retire", "i-0123456789abcdef0"], "unexpected"),
        (["retire", "--format", "html"], "'json'"),
        (["sandbox", "--first-version"], "add --serve"),
        (["sandbox", "--serve", "--first-version", "--cells", "2"], "Drop --cells."),
    ],
)
def test_wrong_usage_is_exit_64_with_a_hint(
    arguments: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(*arguments) == 64
    shown = capsys.readouterr()
    assert (shown.out, hint in shown.err) == ("", True), shown.err


def test_without_its_packages_the_command_says_what_to_install() -> None:
    code = "import sys; sys.modules['click'] = None; from controller.__main__ import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "pip install '.[cli]'" in done.stderr


def test_ctrl_c_while_it_is_still_loading_leaves_no_traceback() -> None:
    code = """
import sys
from controller.__main__ import main
class Loading:
    def find_spec(self, name, *rest):
        if name == "controller.cli":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Loading())
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Interrupted.\n")
