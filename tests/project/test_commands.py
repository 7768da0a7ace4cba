"""The commands that the pages tell people to type exist, and the README's do what it says."""

import re
import shlex
import tomllib

import pytest

from controller.sandbox.drifts import DRIFTS
from tests.infra.cloudformation import read, stack
from tests.project.test_docs import PAGES, ROOT
from tests.support.build import name
from tests.support.servers import Clouds
from tests.system.cli.process import parse, run
from tests.system.doctor.deployed import Deployment

README = (ROOT / "README.md").read_text("utf-8")
TEXT = "\n".join(path.read_text("utf-8") for path in PAGES)


def commands(text: str) -> list[str]:
    found = re.findall(r"`(elephant-dns [^`]+)`|^\$? ?(elephant-dns .+)$", text, re.MULTILINE)
    return sorted({"".join(both) for both in found})


TARGETS = sorted(set(re.findall(r"(?:`|^)make ([a-z-]+)", TEXT, re.MULTILINE)))
#: Each first deployment, as the shell hands it on. Later ones name no domain, and keep its value.
DEPLOYS = [
    shlex.split(line)
    for line in re.findall(r"^sam deploy .*$", TEXT.replace("\\\n", " "), re.MULTILINE)
    if "DomainRoot=" in line
]


@pytest.mark.parametrize("command", commands(TEXT))
def test_the_command_and_its_options_exist(command: str) -> None:
    parse(command.replace("DIGEST", "0" * 64))


@pytest.mark.parametrize("target", TARGETS)
def test_make_knows_the_target(target: str) -> None:
    assert re.search(rf"^{target}: .*## ", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE)


def test_the_readmes_commands_work_one_after_the_other(clouds: Clouds) -> None:
    Deployment(clouds).whole()
    machine = clouds.launch()
    # What only reads comes first, and `retire` last. The block under "Use it" has the same order.
    said = dict[str, str]()
    for command in sorted(commands(README), key=lambda text: 2 * ("retire" in text) + ("apply" in text)):
        words = shlex.split(command.replace("MEETING", "m1").replace("DIGEST", clouds.plan().digest))[1:]
        done = run(clouds, *words, *(["--yes"] if words[0] in ("apply", "retire") else []))
        assert done.returncode == 0, (command, done.stderr)
        said[command] = done.stdout
    assert f"create record {name(machine)}" in said["elephant-dns plan"]
    assert f"create record {name(machine)}" in said["elephant-dns apply"]
    assert name(machine) in said["elephant-dns retire"]
    assert clouds.records() == {}


def test_the_readme_counts_the_drifts_of_the_sandbox() -> None:
    assert f"drifted in {len(DRIFTS)} ways" in README


def test_the_readme_installs_what_pyproject_offers() -> None:
    offered = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert set(re.findall(r"'\.\[(\w+)\]'", README)) == set(offered)


@pytest.mark.parametrize("words", DEPLOYS, ids=" ".join)
def test_first_deployment_in_one_line_asks_nothing(words: list[str]) -> None:
    # SAM asks for a parameter only with --guided; CloudFormation refuses one without value or default.
    given = dict(word.split("=", 1) for word in words[words.index("--parameter-overrides") + 1 :])
    parameters = read()["Parameters"]
    assert given.keys() <= parameters.keys()
    assert {name for name, one in parameters.items() if "Default" not in one} <= given.keys()
    assert all(re.fullmatch(parameters[name].get("AllowedPattern", ".*"), value) for name, value in given.items())
    assert stack(**given).refusals() == []
    assert given["ScheduleAction"] == "plan"  # shadow mode first
    assert "--guided" not in words
    assert {"--resolve-s3", "--template-file", "--stack-name", "--capabilities"} <= set(words)


def test_pages_show_a_first_deployment() -> None:
    assert len(DEPLOYS) == 3  # the README, install and migrate
