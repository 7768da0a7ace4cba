"""The package, built as `make package` builds it."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest

from infra.package import ROOT, Target, build
from tests.support.lambda_runtime import copy_runtime_client

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def make_variable(name: str) -> str:
    """What the Makefile says."""
    found = re.search(rf"^{name} := (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    return found[1]


@dataclass(frozen=True, slots=True)
class Product:
    """The zip for Lambda, and what was said about it."""

    zip: Path
    said: str

    def names(self) -> list[str]:
        """Its files, in their order."""
        with ZipFile(self.zip) as archive:
            return archive.namelist()


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Product:
    """What `make package` makes."""
    output = tmp_path_factory.mktemp("product") / "package.zip"
    command = [sys.executable, "-m", "infra.package", "--python", make_variable("LAMBDA_PYTHON")]
    command += ["--architecture", make_variable("LAMBDA_ARCHITECTURE"), "--output", str(output)]
    said = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    return Product(output, said)


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package for this Python, so that it can run here with its byte-code: the zip."""
    output = tmp_path_factory.mktemp("package") / "package.zip"
    build(Target(HERE, make_variable("LAMBDA_ARCHITECTURE")), output)
    return output


@pytest.fixture(scope="session")
def folder(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package for this Python, unpacked."""
    folder = tmp_path_factory.mktemp("task")
    with ZipFile(package) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Lambda's runtime client alone."""
    pytest.importorskip("awslambdaric", reason="the runtime client is built for Linux")
    folder = tmp_path_factory.mktemp("client")
    copy_runtime_client(folder)
    return folder
