"""Byte-code for the package, by an interpreter of the runtime's own version.

Lambda cannot keep what it compiles, so without byte-code each cold start compiles everything again. The usual kind
is valid only for a source of a certain date; the dates of a zip are fixed, so this kind is taken without a look at it.
"""

import shutil
import subprocess
import sys
from pathlib import Path

#: Where Lambda unpacks the function: what tracebacks name, whatever folder the package was built in.
TASK_ROOT = "/var/task"


def interpreter(version: str) -> str | None:
    """A Python of this version, such as 3.13: the one that runs this, or the one on the PATH; None without one."""
    candidates = [sys.executable, shutil.which(f"python{version}")]
    return next((python for python in candidates if python and _tag(python) == _tag_of(version)), None)


def compile_folder(folder: Path, python: str) -> None:
    """Compile every module of the folder. In isolation, so that the same sources give the same bytes."""
    options = ["-q", "-f", "--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", TASK_ROOT]
    subprocess.run([python, "-I", "-S", "-m", "compileall", *options, str(folder)], check=True)


def _tag_of(version: str) -> str:
    return f"cpython-{version.replace('.', '')}"


def _tag(python: str) -> str:
    """What this interpreter calls its byte-code. A version manager's name on the PATH may lead to no interpreter."""
    command = [python, "-I", "-S", "-c", "import sys; print(sys.implementation.cache_tag)"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
