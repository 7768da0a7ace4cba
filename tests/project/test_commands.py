"""The commands that the pages tell people to type exist, and the README's do what it says."""

import re

import pytest

from tests.project.test_docs import PAGES, ROOT
from tests.support.build import name
from tests.support.servers import Clouds
from tests.system.cli.process import at_a_terminal, parse

TEXT = "\n".join(path.read_text("utf-8") for path in PAGES)
COMMANDS = sorted(
    {"".join(both) for both in re.findall(r"`(elephant-dns [^`]+)`|^\$? ?(elephant-dns .+)$", TEXT, re.MULTILINE)}
)
TARGETS = sorted(set(re.findall(r"(?:`|^)make ([a-z-]+)", TEXT, re.MULTILINE)))


def used() -> list[list[str]]:
    """The arguments of each command under the README's "Use it"."""
    section = (ROOT / "README.md").read_text("utf-8").partition("## Use it\n")[2].partition("\n## ")[0]
    return [line.split()[1:] for line in section.splitlines() if line.startswith("elephant-dns ")]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_and_its_options_exist(command: str) -> None:
    parse(command.replace("DIGEST", "0" * 64))


@pytest.mark.parametrize("target", TARGETS)
def test_make_knows_the_target(target: str) -> None:
    assert re.search(rf"^{target}: .*## ", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE)


def test_the_readmes_commands_work_one_after_the_other(clouds: Clouds) -> None:
    machine = clouds.launch()
    _, plan, apply = used()
    code, shown = at_a_terminal(clouds, plan)
    assert (code, f"create record {name(machine)}" in shown) == (0, True)
    code, _ = at_a_terminal(clouds, apply, "y\n", question="[y/N]")
    assert (code, clouds.records()) == (0, {name(machine): [clouds.address(machine)]})
    assert "Nothing to do" in at_a_terminal(clouds, plan)[1]
