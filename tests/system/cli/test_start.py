"""Help, version and completion answer at once: they load nothing that only a pass needs."""

import json
import subprocess
import sys

import pytest

from tests.system.cli.test_usage import COMMANDS, ended

#: What takes long to load, and what a person who asks for help does not need.
HEAVY = {
    *("boto3", "botocore", "urllib3", "ssl", "httpx", "tenacity", "moto", "flask", "rich", "http.client"),
    *("controller.bootstrap", "controller.doctor", "controller.reconcile", "controller.sandbox", "controller.model"),
}
_SCRIPT = """
import contextlib, io, json, os, sys
from controller.cli import main

def seen(arguments):
    with io.TextIOWrapper(io.BytesIO()) as said:
        with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
            main(arguments)
        said.flush()
        return said.buffer.getvalue().decode(), sorted(sys.modules)

answers = {" ".join(arguments): seen(arguments) for arguments in json.loads(sys.argv[1])}
os.environ.update(_ELEPHANT_DNS_COMPLETE="bash_complete", COMP_WORDS="elephant-dns plan --fo", COMP_CWORD="2")
print(json.dumps(answers | {"completion": seen([])}))
"""


def test_help_version_and_completion_load_nothing_heavy() -> None:
    asked = [["--version"], ["--help"], *([command, "--help"] for command in COMMANDS)]
    command = [sys.executable, "-c", _SCRIPT, json.dumps(asked)]
    seen = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)
    assert len(seen) == len(asked) + 1
    for arguments, (said, modules) in seen.items():
        assert said, arguments
        assert HEAVY.intersection(modules) == set(), arguments
    assert set(seen["completion"][0].split()) == {"plain,--format", "plain,--force"}


def test_wrong_usage_loads_nothing_heavy() -> None:
    script = "import sys; from controller.cli import main\ntry: main(sys.argv[1:])\nfinally: print(*sys.modules)"
    command = [sys.executable, "-c", script, "plan", "--output", "/nowhere/plan.json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, HEAVY.intersection(done.stdout.split())) == (64, set()), done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_completion(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_ELEPHANT_DNS_COMPLETE", f"{shell}_source")
    monkeypatch.setattr("shutil.which", lambda _: None)  # click asks for bash's version, where there is a bash
    assert ended() == 0
