"""What the project promises about itself: its locks, its dependencies, its imports."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from controller import __version__

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
NAMES_OF_LOCKS = ["build", "cli", "dev", "infra", "lock", "ministack", "mutants", "runtime", "sandbox"]


def entries(lock: Path) -> list[str]:
    """A lock's requirements, each with its hashes on one line."""
    return lock.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()


def pins(lock: Path) -> dict[str, set[str]]:
    """The versions of each package; more than one where Python versions differ."""
    found: dict[str, set[str]] = {}
    for entry in entries(lock):
        name, version = entry.split()[0].split("==")
        found.setdefault(name, set()).add(version)
    return found


def lock(name: str) -> Path:
    return ROOT / "requirements" / f"{name}.txt"


def test_these_are_the_locks() -> None:
    assert [path.stem for path in LOCKS] == NAMES_OF_LOCKS


@pytest.mark.parametrize("name", NAMES_OF_LOCKS)
def test_a_lock_holds_nothing_but_pinned_and_hashed_requirements(name: str) -> None:
    # So it names no host, no option and no path either.
    entry = re.compile(
        r"[a-z0-9-]+==[0-9a-z.]+( ; [a-z_0-9.<>=!*' ()]+?)?(\s+--hash=sha256:[0-9a-f]{64})+", re.IGNORECASE
    )
    assert [line for line in entries(lock(name)) if not entry.fullmatch(line)] == []


@pytest.mark.parametrize("name", ["build", "cli", "runtime", "sandbox"])
def test_the_development_lock_has_the_same_versions(name: str) -> None:
    dev = pins(lock("dev"))
    assert {package: versions for package, versions in pins(lock(name)).items() if dev[package] != versions} == {}


def test_the_lambda_needs_three_packages() -> None:
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    assert sorted(re.split("[<>=]", dependency)[0] for dependency in dependencies) == ["boto3", "httpx", "tenacity"]


def test_version_is_the_same_everywhere() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    released = re.findall(r"^## \[(.+?)\] - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert (__version__, released[0]) == (version, version)


def test_the_handler_imports_neither_command_line_nor_sandbox() -> None:
    # httpx brings click and rich along where they are installed, so those cannot be looked for here.
    banned = ("controller.cli", "controller.sandbox", "flask", "moto")
    script = f"import handler, sys; print([name for name in {banned} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", script], cwd=ROOT, text=True).strip() == "[]"


SUPPORT = ROOT / "tests" / "support"
JUDGES = [*(SUPPORT / "spec").glob("*.py"), SUPPORT / "truth.py"]
WORLD = [SUPPORT / "state.py", SUPPORT / "zone.py"]


def imported(path: Path) -> set[str]:
    """The modules that the file imports, wherever in it."""
    found = set[str]()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "controller":
            found |= {f"controller.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module))
    return found


@pytest.mark.parametrize("path", sorted([*JUDGES, *WORLD]), ids=lambda path: str(path.stem))
def test_specification_imports_only_values_settings_and_errors(path: Path) -> None:
    # By what it took from the planner it could not judge the planner.
    of_the_controller = {module for module in imported(path) if module.partition(".")[0] == "controller"}
    assert of_the_controller <= {"controller.model", "controller.settings", "controller.errors"}


def test_test_names_have_at_most_60_characters() -> None:
    too_long = re.compile(r"^ *(?:async )?def (test_\w{61,})", re.MULTILINE)
    found = {
        path.relative_to(ROOT).as_posix(): names
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if (names := too_long.findall(path.read_text("utf-8")))
    }
    assert found == {}, "See Test names in CONTRIBUTING.md"


def test_no_example_of_hypothesis_has_a_deadline() -> None:
    found = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if re.search(r"^@given", text := path.read_text("utf-8"), re.MULTILINE)
        and not re.search(r"properties\.profiles import|deadline=None", text)
    ]
    assert found == [], "A busy machine is slow: take a profile of tests/model/properties/profiles.py"


def test_no_file_names_a_machine_or_a_registry() -> None:
    # Written in two parts, so that this file does not find itself.
    folders = ["/" + name + "/" for name in ("work", "home", "root", "Users")]
    registries = ["py" + "pi.org", "python" + "hosted.org", "npmjs" + ".org", "npmjs" + ".com", "deb." + "debian.org"]
    search = ["git", "grep", "--fixed-strings", "--line-number"]
    search += [part for name in folders + registries for part in ("-e", name)]
    found = subprocess.run(search, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (1, ""), found.stderr
