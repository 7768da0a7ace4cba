"""The two functions as folders: ours as ``make package`` builds it, and the naive one packaged with the same care.

Beside them stands Lambda's own runtime client. Everything has byte-code that is valid without a look at the source.
"""

import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from sysconfig import get_path
from zipfile import ZipFile

from infra.package import Target, build, install
from infra.package_bytecode import compile_folder
from tests.benchmarks.fresh import ROOT

NAIVE = Path(__file__).parent / "naive"
_RUNTIME = ("awslambdaric", "simplejson", "snapshot-restore-py")


@dataclass(frozen=True, slots=True)
class Function:
    """A function: its name in a table, what Lambda calls, and where Python finds it and the runtime client."""

    name: str
    handler: str
    path: tuple[Path, ...]


#: Ours and the naive one, made when they are needed.
Functions = Callable[[], tuple[Function, Function]]


def packaged(folder: Path) -> tuple[Function, Function]:
    """Ours and the naive one, for this machine's Python and processor, unpacked as Lambda does."""
    target = Target(f"{sys.version_info.major}.{sys.version_info.minor}", platform.machine())
    ours, naive, runtime = folder / "ours", folder / "naive", folder / "runtime"
    build(target, folder / "ours.zip")
    with ZipFile(folder / "ours.zip") as archive:
        archive.extractall(ours)
    install(target, naive)
    shutil.copy(NAIVE / "lambda_function.py", naive)
    _copy_runtime(runtime)
    for part in (naive, runtime):
        compile_folder(part, sys.executable)
    return _functions((ours, runtime), (naive, runtime))


def unpackaged() -> tuple[Function, Function]:
    """Both as they stand here, to see whether they work; nothing is to be concluded from their times."""
    installed = Path(get_path("purelib"))
    return _functions((ROOT, installed), (NAIVE, installed))


def _functions(ours: tuple[Path, ...], naive: tuple[Path, ...]) -> tuple[Function, Function]:
    return (
        Function("ours", "handler.lambda_handler", ours),
        Function("naive", "lambda_function.lambda_handler", naive),
    )


def _copy_runtime(folder: Path) -> None:
    for name in _RUNTIME:
        for file in distribution(name).files or ():
            if file.parts[0] != ".." and "__pycache__" not in file.parts:
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file.locate(), folder / file)
