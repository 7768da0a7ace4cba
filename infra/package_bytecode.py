"""Compile the package's modules with an interpreter of the runtime's own version.

Lambda cannot keep what it compiles, so without byte-code each cold start compiles everything again. The usual byte-code
is valid only for a source of a certain date. The dates in the zip are fixed, so this byte-code is of the kind that
Python uses without comparing it with its source.
"""

import shutil
import subprocess
import sys
from pathlib import Path

#: The folder into which Lambda unpacks the function. Tracebacks name it, not the folder of the build.
TASK_ROOT = "/var/task"


def interpreter(version: str) -> str | None:
    """Return a Python of this version, such as 3.13: the running one, or the one on the PATH; None without one."""
    candidates = [sys.executable, shutil.which(f"python{version}")]
    return next((python for python in candidates if python and _tag(python) == _tag_of(version)), None)


def compile_folder(folder: Path, python: str) -> None:
    """Compile every module in the folder, in isolation, so that the same sources give the same bytes."""
    options = ["-q", "-f", "--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", TASK_ROOT]
    subprocess.run([python, "-I", "-S", "-m", "compileall", *options, str(folder)], check=True)


def _tag_of(version: str) -> str:
    return f"cpython-{version.replace('.', '')}"


def _tag(python: str) -> str:
    """Return this interpreter's name for its byte-code, or "" if a version manager's name on the PATH leads nowhere."""
    command = [python, "-I", "-S", "-c", "import sys; print(sys.implementation.cache_tag)"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
