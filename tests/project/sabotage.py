"""``make sabotage``: break the code by hand, one change at a time, and see that a test notices.

``sabotages.toml`` lists changes that a careless maintainer might make. Each is applied alone, to a copy of the tree,
and the tests that should notice it run there. Exits with 1 if one survives, or if the tests do not pass without
sabotage.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIST = Path(__file__).with_name("sabotages.toml")
#: How many run side by side.
SIDE_BY_SIDE = 2
#: Seconds that a test may take in sabotaged code, which may never end.
TIMEOUT = 60
#: pytest's exit codes for tests that passed, and for tests that failed.
PASSED, NOTICED = 0, 1


@dataclass(frozen=True, slots=True)
class Sabotage:
    """One change: ``old`` becomes ``new`` in ``file``. ``tests`` are the fewest that should notice."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def apply(self, tree: Path) -> None:
        """Change the file in this tree. Its byte code has the time of the original in seconds, so it goes."""
        path = tree / self.file
        path.write_text(path.read_text("utf-8").replace(self.old, self.new), "utf-8")
        for cached in path.parent.glob(f"__pycache__/{path.stem}.*"):
            cached.unlink()


def listed() -> list[Sabotage]:
    """Return all sabotages of the list."""
    entries = tomllib.loads(LIST.read_text("utf-8"))["sabotage"]
    return [Sabotage(**{**entry, "tests": tuple(entry["tests"].split())}) for entry in entries]


def stale(sabotages: Iterable[Sabotage]) -> list[str]:
    """Return what is wrong with the list: a text that is not in its file exactly once, a test that is not there."""
    wrong = list[str]()
    for sabotage in sabotages:
        count = (ROOT / sabotage.file).read_text("utf-8").count(sabotage.old)
        wrong += [f"{sabotage.name}: its text occurs {count} times in {sabotage.file}"] if count != 1 else []
        wrong += [f"{sabotage.name}: {test} does not exist" for test in sabotage.tests if not _is_there(test)]
    return wrong


def _is_there(test: str) -> bool:
    path, _, name = test.partition("::")
    if not (ROOT / path).is_file():
        return False
    return not name or re.search(rf"^def {name}\(", (ROOT / path).read_text("utf-8"), re.MULTILINE) is not None


def main(words: Sequence[str]) -> int:
    """Try the sabotages with one of these words in name or file, or all. Return the exit code."""
    everything = listed()
    if wrong := stale(everything):
        print("The list is stale. Correct tests/project/sabotages.toml:", *wrong, sep="\n  ")
        return 1
    chosen = [s for s in everything if not words or any(word.lower() in f"{s.name} {s.file}".lower() for word in words)]
    if not chosen:
        print(f"No sabotage has one of these words in its name or file: {', '.join(words)}")
        return 1
    with tempfile.TemporaryDirectory(prefix="sabotage-") as folder:
        clean = Path(folder).resolve() / "clean"
        _copy_tree(clean)
        tests = sorted({test for sabotage in chosen for test in sabotage.tests})
        code, output = _pytest(clean, [f"--numprocesses={SIDE_BY_SIDE}", *tests])
        if code != PASSED:
            print(output, "The tests do not pass without sabotage.", sep="\n")
            return 1
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            survived = [s for s, noticed in pool.map(lambda s: _tried(s, clean), chosen) if not noticed]
    print(f"{len(chosen) - len(survived)} of {len(chosen)} sabotages were noticed.")
    print(*(f"  survived: {sabotage.name} ({sabotage.file})" for sabotage in survived), sep="\n", end="")
    return 1 if survived else 0


def _copy_tree(target: Path) -> None:
    """Copy the files that git knows, or would add, as they are now."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.check_output(command, cwd=ROOT, text=True).rstrip("\0").split("\0"):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def _tried(sabotage: Sabotage, clean: Path) -> tuple[Sabotage, bool]:
    """Apply the sabotage in a copy, run its tests there, print a line, and return whether one noticed."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(dir=clean.parent) as name:
        tree = Path(name)
        shutil.copytree(clean, tree, dirs_exist_ok=True)
        sabotage.apply(tree)
        code, output = _pytest(tree, ["--exitfirst", *sabotage.tests])
    seconds = time.monotonic() - begun
    found = re.search(r"^(?:FAILED|ERROR) (?:\S*/)?(\S+\.py\S*)", output, re.MULTILINE)
    by = {PASSED: "SURVIVED", NOTICED: found[1] if found else "the time-out"}.get(code, f"NO TEST RAN ({code})")
    print(f"{sabotage.name[:80]:80}  {by[:90]:90}  {seconds:4.0f} s", flush=True)
    if code not in (PASSED, NOTICED):
        print(output)
    return sabotage, code == NOTICED


def _pytest(tree: Path, arguments: Sequence[str]) -> tuple[int, str]:
    """Run these tests in the tree, on the tree's own code, and return the exit code and what pytest says."""
    command = [sys.executable, "-c", _RUN, str(tree), "--quiet", "--tb=short", "-p", "no:cacheprovider"]
    # Before the installed package, which is the working tree.
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    done = subprocess.run(
        [*command, f"--timeout={TIMEOUT}", *arguments],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


#: Runs pytest where the code that it tests is the copy's.
_RUN = """
import sys, pytest, controller, handler
tree, *arguments = sys.argv[1:]
wrong = [module.__file__ for module in (controller, handler) if not module.__file__.startswith(tree + "/")]
sys.exit(f"imported from elsewhere: {wrong}" if wrong else pytest.main(arguments))
"""

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
