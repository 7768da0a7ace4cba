"""`make wheel` and the container: the command line in an environment with the locked packages alone.

The wheel is built from the files that the container's build copies.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from controller import __version__
from infra.package import ROOT
from tests.system.cli.process import parse

CONTAINER = (ROOT / "infra" / "cron" / "Containerfile").read_text(encoding="utf-8")


def copied() -> list[str]:
    """Return what the build of the container copies from the repository."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", CONTAINER, re.MULTILINE)
    return [name for line in lines for name in shlex.split(line)[:-1]]


def installed(folder: Path) -> Path:
    """Install the wheel and requirements/cli.txt into the folder; return the command."""
    source, home = folder / "source", folder / "environment"
    for name in copied():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile)(ROOT / name, source / name)
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=source, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    assert wheel.name == f"elephant_dns_watchdog-{__version__}-py3-none-any.whl"
    venv.create(home, symlinks=True)
    python = home / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--disable-pip-version-check"]
    pip += ["--no-compile", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([*pip, "--require-hashes", "--requirement", "requirements/cli.txt"], cwd=ROOT, check=True)
    subprocess.run([*pip, str(wheel)], check=True)
    return python.with_name("elephant-dns")


def test_wheel_and_its_lock_are_enough_for_the_command_line(tmp_path: Path) -> None:
    command = installed(tmp_path)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        alone = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        return subprocess.run([command, *words], cwd=tmp_path, env=alone, capture_output=True, text=True, check=False)

    version, usage, explained = run("--version"), run("--help"), run("explain", "unmarked-record")
    assert (version.returncode, version.stdout) == (0, f"elephant-dns {__version__}\n")
    assert (usage.returncode, "elephant-dns plan" in usage.stdout) == (0, True)
    assert (explained.returncode, explained.stdout.startswith("finding unmarked-record")) == (0, True), "data is packed"
    plan, sandbox = run("plan"), run("sandbox")
    assert (plan.returncode, plan.stdout, "Traceback" in plan.stderr) == (64, "", False)
    assert "DOMAIN_ROOT is not set" in plan.stderr
    assert (sandbox.returncode, "pip install" in sandbox.stderr) == (1, True)


def test_container_pins_its_base_and_runs_as_no_root() -> None:
    bases = set(re.findall(r"^FROM (\S+)", CONTAINER, re.MULTILINE))
    (base,) = bases
    version = re.fullmatch(r"python:(3\.\d+)\.\d+-slim-[a-z]+", base)
    assert version
    assert f"Python :: {version[1]}" in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.findall(r"^USER (.+)$", CONTAINER, re.MULTILINE) == ["65532:65532"]
    assert CONTAINER.rstrip().endswith('ENTRYPOINT ["elephant-dns"]')
    (install, ours) = re.findall(r"pip install (.+)$", CONTAINER, re.MULTILINE)
    assert {"--require-hashes", "--only-binary", "requirements/cli.txt"} <= set(install.split())
    assert {"--no-deps", "--no-build-isolation"} <= set(ours.split())


def test_command_that_the_container_names_exists() -> None:
    (command,) = re.findall(r"^#   (elephant-dns .+)$", CONTAINER, re.MULTILINE)
    parse(command)
