"""``make package``: the function as one zip, built without containers, by any Python from 3.11 on.

The locked wheels for Lambda's Python and processor, and of this project what the handler imports; cut down to what
runs, compiled where a Python of that version is at hand, and zipped so that the same input gives the same bytes.
"""

import hashlib
import shutil
import subprocess
import sys
from argparse import ArgumentParser
from dataclasses import dataclass
from modulefinder import ModuleFinder
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.package_bytecode import compile_folder, interpreter
from infra.package_models import cut
from infra.package_zip import sizes, write

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements" / "runtime.txt"

#: Packages that come with a dependency, and that nothing imports: the clients are botocore's own.
_NOT_IMPORTED = ("boto3", "s3transfer")
#: Of the wheels: those packages, console scripts, tests, and time zones that nobody asks dateutil for.
_UNUSED = (
    *_NOT_IMPORTED,
    *(f"{name}-*.dist-info" for name in _NOT_IMPORTED),
    "bin",
    "*/test",
    "*/tests",
    "dateutil/zoneinfo",
)
#: Of a wheel's description: the installer's notes. Licences stay, and METADATA, from which scanners tell the version.
_NOTES = ("INSTALLER", "RECORD", "REQUESTED", "WHEEL", "entry_points.txt", "top_level.txt", "zip-safe")


@dataclass(frozen=True, slots=True)
class Target:
    """What the package is for: Lambda's Python, such as 3.13, and its processor as wheels call it, such as aarch64."""

    python: str
    architecture: str


def main(arguments: list[str] | None = None) -> None:
    """Build the package and say what it is."""
    parser = ArgumentParser(prog="make package", description="Build the Lambda function's zip.")
    parser.add_argument("--python", required=True, help="the runtime's Python, such as 3.13")
    parser.add_argument("--architecture", required=True, help="the processor as wheels call it, such as aarch64")
    parser.add_argument("--output", required=True, type=Path, help="the zip to write")
    options = parser.parse_args(arguments)
    target = Target(options.python, options.architecture)
    compiler = build(target, options.output)
    print(described(options.output, target, compiler))


def build(target: Target, output: Path) -> str | None:
    """Write the package; returns the interpreter that has compiled it, if any.

    Raises SystemExit where the wheels cannot be had, or botocore lacks an operation.
    """
    compiler = interpreter(target.python)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        install(target, folder)
        drop_unused(folder)
        cut(folder / "botocore" / "data")
        for file in own_files():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / file, folder / file)
        if compiler:
            compile_folder(folder, compiler)
        write(folder, output)
    return compiler


def install(target: Target, folder: Path) -> None:
    """Install the locked wheels for Lambda, not for this machine. The lock is complete: pip follows no dependency."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--quiet", "--disable-pip-version-check"]
    command += ["--no-compile", "--no-deps", "--require-hashes", "--only-binary", ":all:", "--implementation", "cp"]
    command += ["--python-version", target.python, "--platform", f"manylinux2014_{target.architecture}"]
    command += ["--target", str(folder), "--requirement", str(LOCK)]
    if subprocess.run(command, check=False).returncode:
        raise SystemExit(
            f"The wheels in {LOCK.name} could not be had for Python {target.python} on {target.architecture}; pip says "
            "why above."
        )


def drop_unused(folder: Path) -> None:
    """Remove from the wheels what no function needs."""
    for unused in [path for pattern in _UNUSED for path in folder.glob(pattern)]:
        shutil.rmtree(unused)
    for note in [path for name in _NOTES for path in folder.glob(f"*.dist-info/{name}")]:
        note.unlink()


def own_files() -> list[Path]:
    """This project's files that belong into the package: the licence, and what the handler imports, however deep."""
    finder = ModuleFinder(path=[str(ROOT)])
    finder.run_script(str(ROOT / "handler.py"))
    modules = [Path(file) for module in finder.modules.values() if (file := getattr(module, "__file__", None))]
    return sorted(file.relative_to(ROOT) for file in (*modules, ROOT / "LICENSE"))


def described(package: Path, target: Target, compiler: str | None) -> str:
    """What was built, for a person."""
    parts = sizes(package)
    return "\n".join(
        [
            f"{package}: {package.stat().st_size / 1e6:.2f} MB, for Python {target.python} on {target.architecture}",
            f"sha256 {hashlib.sha256(package.read_bytes()).hexdigest()}",
            *(f"  {size / 1e3:7.0f} kB  {name}" for name, size in parts.most_common() if size >= 1e4),
            f"  {sum(size for size in parts.values() if size < 1e4) / 1e3:7.0f} kB  licences and small files",
            _about_bytecode(target.python, compiler),
        ]
    )


def _about_bytecode(version: str, compiler: str | None) -> str:
    if compiler:
        return f"Byte-code of Python {version} is inside, made by {compiler}."
    return (
        f"NO BYTE-CODE is inside: there is no Python {version} here, and no other can make it. The function runs all "
        f"the same, but each cold start takes about twice as long. Put python{version} on the PATH and build again."
    )


if __name__ == "__main__":
    main()
