"""The two functions as folders: ours as ``make package`` builds it, and the naive one packaged with the same care.

Beside them stands Lambda's own runtime client. Everything has byte-code that is valid without a look at the source.
"""

import platform
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from sysconfig import get_path
from zipfile import ZipFile

from infra.package import Target, build, install
from infra.package_bytecode import compile_folder
from tests.benchmarks.fresh import ROOT
from tests.support.encrypted import add_to_certifi, add_to_package, for_anyone
from tests.support.lambda_runtime import Function, copy_runtime_client

NAIVE = Path(__file__).parent / "naive"


#: Ours and the naive one, built when they are needed.
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
    copy_runtime_client(runtime)
    for part in (naive, runtime):
        compile_folder(part, sys.executable)
    add_to_package(ours)
    return _functions((ours, runtime), (naive, runtime), {}, add_to_certifi(naive))


def unpackaged() -> tuple[Function, Function]:
    """Both as they stand here, to see whether they work; nothing is to be concluded from their times."""
    installed = Path(get_path("purelib"))
    return _functions((ROOT, installed), (NAIVE, installed), for_anyone(), for_anyone())


def _functions(
    ours: tuple[Path, ...], naive: tuple[Path, ...], trust: Mapping[str, str], naive_trust: Mapping[str, str]
) -> tuple[Function, Function]:
    return (
        Function("ours", "handler.lambda_handler", ours, trust),
        Function("naive", "lambda_function.lambda_handler", naive, naive_trust),
    )
