"""Colours and widths follow the terminal and what its user wants."""

import io
import os
import re

import pytest

from controller.cli.console import is_colourful, width_of
from tests.support.servers import Clouds
from tests.system.cli.process import at_a_terminal, run


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("settings", "on_a_terminal", "elsewhere"),
    [
        ({}, True, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": "dumb", "FORCE_COLOR": "3"}, True, True),
    ],
)
def test_colours_follow_environment_and_terminal(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], on_a_terminal: bool, elsewhere: bool
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"TERM": "xterm"} | settings).items():
        monkeypatch.setenv(name, value)
    assert (is_colourful(Terminal()), is_colourful(io.StringIO())) == (on_a_terminal, elsewhere)


@pytest.mark.parametrize(("columns", "width"), [(40, 40), (80, 80), (120, 120), (140, 140), (400, 140)])
def test_text_is_as_wide_as_the_terminal_up_to_a_limit(
    monkeypatch: pytest.MonkeyPatch, columns: int, width: int
) -> None:
    monkeypatch.setattr("shutil.get_terminal_size", lambda *_, **__: os.terminal_size((columns, 24)))
    assert (width_of(Terminal()), width_of(io.StringIO()), width_of(None)) == (width, 80, 80)


def test_forced_colours_reach_a_pipe(clouds: Clouds) -> None:
    machine = clouds.launch()
    done = run(clouds, "plan", FORCE_COLOR="1")
    assert f"  \x1b[32m+ create record {machine}.example.com\x1b[0m\n" in done.stdout, "the whole line"
    assert re.search("      \x1b\\[2mthe machine is running at .*\x1b\\[0m\n", done.stdout), "the reason is dimmed"
    assert "\x1b" not in run(clouds, "plan", FORCE_COLOR="1", NO_COLOR="1").stdout


def test_terminal_without_colours_gets_none(clouds: Clouds) -> None:
    clouds.launch()
    _, shown = at_a_terminal(clouds, ["plan"], NO_COLOR="1")
    assert "create record" in shown
    assert "\x1b" not in shown


def test_wide_terminal_gets_wide_lines(clouds: Clouds) -> None:
    clouds.seed(clouds.launch(), "192.0.2.9", comment="elephant-dns:somebody/else")
    for arguments in (["plan"], ["explain", "m1"]):
        _, shown = at_a_terminal(clouds, arguments, NO_COLOR="1", COLUMNS="140")
        assert 80 < max(map(len, shown.splitlines())) <= 140
