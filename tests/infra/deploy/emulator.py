"""ministack in a process of its own: an AWS on loopback that carries out templates, runs functions and asks roles."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import boto3
import pytest
from botocore.awsrequest import AWSRequest

from controller.sandbox.aws import ACCOUNT, REGION, exported
from controller.sandbox.cloudflare.transport import LOOPBACK
from infra.package import ROOT
from tests.infra.package.conftest import make_variable

PROGRAM = ROOT / make_variable("MINISTACK_VENV") / "bin" / "ministack"
#: Far longer than anything takes; a test fails by it where something never happens.
PATIENCE = 60.0

Credentials = Mapping[str, str]
#: An access key of twelve digits is the root user of that account.
ROOT_USER: Credentials = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "not-looked-at"}
OTHER_ROOT_USER: Credentials = {**ROOT_USER, "AWS_ACCESS_KEY_ID": "210987654321"}


@dataclass(frozen=True, slots=True)
class Ministack:
    """The running emulator."""

    url: str

    def client(
        self, service: str, credentials: Credentials = ROOT_USER, *, region: str = REGION, encrypted: bool = True
    ) -> Any:
        """A client for a service. The emulator takes the word of a proxy before it for what came encrypted."""
        environment = {"AWS_ENDPOINT_URL": self.url, "AWS_REGION": region, "AWS_DEFAULT_REGION": region, **credentials}
        files = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        with exported({**environment, **files, "NO_PROXY": LOOPBACK, "no_proxy": LOOPBACK}):
            client = boto3.session.Session().client(
                service  # type: ignore[call-overload]  # the stubs know the literal names only
            )
        if encrypted:
            client.meta.events.register("before-sign", _came_encrypted)
        return client


def _came_encrypted(request: AWSRequest, **_: object) -> None:
    request.headers["X-Forwarded-Proto"] = "https"


@contextmanager
def running(folder: Path, environment: Mapping[str, str]) -> Iterator[Ministack]:
    """The emulator with its files in ``folder``. Functions find ``environment`` beside what their template sets."""
    if not PROGRAM.exists():
        pytest.fail(f"{PROGRAM} is missing: run `make test`, which installs it.")
    port = _free_port()
    given = {
        **environment,
        **ROOT_USER,
        "AUTH": "true",  # roles and policies are enforced
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "PATH": os.defpath,
        "TMPDIR": str(folder),
        "STATE_DIR": str(folder / "state"),
        "S3_DATA_DIR": str(folder / "s3"),
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([PROGRAM], cwd=folder, env=given, stdout=log, stderr=subprocess.STDOUT)
        try:
            emulator = Ministack(f"http://{LOOPBACK}:{port}")
            wait_until(lambda: process.poll() is not None or _answers(emulator.url))
            assert process.poll() is None, (folder / "log").read_text(encoding="utf-8")
            yield emulator
        finally:
            process.kill()  # the functions' processes end with it, for nothing more comes from their standard input
            process.wait()


def wait_until(holds: Any) -> None:
    """Return once this holds; what another process does is only seen by looking again."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"Not within {PATIENCE:.0f} seconds."
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        with build_opener(ProxyHandler({})).open(f"{url}/_ministack/health") as answer:
            return bool(answer.status == 200)
    except URLError:
        return False
