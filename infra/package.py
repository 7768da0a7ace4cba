"""``make package``: build the function as one zip, without containers, with any Python from 3.11 on.

The zip holds the locked wheels for Lambda's Python and processor, and the modules that the handler imports. It is cut
down to what runs, compiled if a Python of that version is installed, and the same input gives the same bytes.
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
from infra.package_certificates import sort
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
#: The installer's notes in a wheel's description. Licences stay, and METADATA, where scanners read the version.
_NOTES = ("INSTALLER", "RECORD", "REQUESTED", "WHEEL", "entry_points.txt", "top_level.txt", "zip-safe")


@dataclass(frozen=True, slots=True)
class Target:
    """Lambda's Python, such as 3.13, and its processor as wheels call it, such as aarch64."""

    python: str
    architecture: str


def main(arguments: list[str] | None = None) -> None:
    """Build the package and print what it holds."""
    parser = ArgumentParser(prog="make package", description="Build the Lambda function's zip.")
    parser.add_argument("--python", required=True, help="the runtime's Python, such as 3.13")
    parser.add_argument("--architecture", required=True, help="the processor as wheels call it, such as aarch64")
    parser.add_argument("--output", required=True, type=Path, help="the zip to write")
    options = parser.parse_args(arguments)
    target = Target(options.python, options.architecture)
    compiler = build(target, options.output)
    print(described(options.output, target, compiler))


def build(target: Target, output: Path) -> str | None:
    """Write the package and return the interpreter that compiled it, if any.

    Raises SystemExit if pip cannot download the wheels, or botocore lacks an operation.
    """
    compiler = interpreter(target.python)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        install(target, folder)
        drop_unused(folder)
        cut(folder / "botocore" / "data")
        sort(folder / "certifi" / "cacert.pem", folder / "controller" / "certificates")
        for file in own_files():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / file, folder / file)
        if compiler:
            compile_folder(folder, compiler)
        write(folder, output)
    return compiler


def install(target: Target, folder: Path) -> None:
    """Install the locked wheels for Lambda, not for this machine. The lock is complete, so pip adds no dependencies."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--quiet", "--disable-pip-version-check"]
    command += ["--no-compile", "--no-deps", "--require-hashes", "--only-binary", ":all:", "--implementation", "cp"]
    command += ["--python-version", target.python, "--platform", f"manylinux2014_{target.architecture}"]
    command += ["--target", str(folder), "--requirement", str(LOCK)]
    if subprocess.run(command, check=False).returncode:
        raise SystemExit(
            f"Cannot download the wheels in {LOCK.name} for Python {target.python} on {target.architecture}: see pip's "
            "message above."
        )


def drop_unused(folder: Path) -> None:
    """Remove the parts of the wheels that no function needs."""
    for unused in [path for pattern in _UNUSED for path in folder.glob(pattern)]:
        shutil.rmtree(unused)
    for note in [path for name in _NOTES for path in folder.glob(f"*.dist-info/{name}")]:
        note.unlink()


def own_files() -> list[Path]:
    """Return this project's files in the package: the licence, and every module that the handler imports."""
    finder = ModuleFinder(path=[str(ROOT)])
    finder.run_script(str(ROOT / "handler.py"))
    modules = [Path(file) for module in finder.modules.values() if (file := getattr(module, "__file__", None))]
    return sorted(file.relative_to(ROOT) for file in (*modules, ROOT / "LICENSE"))


def described(package: Path, target: Target, compiler: str | None) -> str:
    """Return a text that says what was built."""
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
        return f"With byte-code of Python {version}, compiled by {compiler}."
    return (
        f"NO BYTE-CODE: only Python {version} can compile it, and this machine has none. The function runs, but each "
        f"cold start takes about twice as long. Put python{version} on the PATH and build again."
    )


if __name__ == "__main__":
    main()
