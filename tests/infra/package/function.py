"""The unpacked package as Lambda runs it: the real runtime client in a process of its own, before a stub of its API."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from queue import Queue
from threading import Event
from typing import Any, Self

from controller.sandbox.cloudflare.exchange import Reply
from controller.sandbox.cloudflare.transport import LOOPBACK, Transport
from tests.support.servers import LambdaContext

TEMPLATE = Path(__file__).parents[3] / "infra" / "template.yaml"

API = "/2018-06-01/runtime/"
#: Far longer than anything takes; a test fails by it where the process has died.
PATIENCE = 60.0
#: Nothing is on the path but Python's own library, the folders named, and the function before all, as in Lambda.
ALONE = (sys.executable, "-I", "-S", "-B")
_START = """
import runpy, sys
package, client = sys.argv[1:]
sys.path[:0] = [package, client]
sys.argv[1:] = ["handler.lambda_handler"]
runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the function made of an event: ``response``, ``error`` or ``init/error``, and the JSON posted with it."""

    kind: str
    content: Any


class RuntimeApi:
    """A stub of Lambda's Runtime API: hands out one event at a time, and takes what becomes of it."""

    def __init__(self) -> None:
        self._events: Queue[object] = Queue()
        self._answers: Queue[Answer] = Queue()
        self._transport = Transport(self._respond)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._transport.close()

    @property
    def address(self) -> str:
        """What the runtime client takes as ``AWS_LAMBDA_RUNTIME_API``."""
        return f"{LOOPBACK}:{self._transport.port}"

    def invoke(self, event: object) -> Answer:
        """Hand this event to the function, and wait for the answer."""
        self._events.put(event)
        return self._answers.get(timeout=PATIENCE)

    def _respond(self, method: str, target: str, headers: object, content: bytes, _: int) -> tuple[Reply, Event]:
        if method == "GET":
            return self._next(), Event()
        kind = target.removeprefix(f"{API}invocation/request-of-a-test/").removeprefix(API)
        self._answers.put(Answer(kind, json.loads(content)))
        return Reply.of(202, {"status": "OK"}), Event()

    def _next(self) -> Reply:
        event, context = self._events.get(), LambdaContext()
        deadline = round((time.time() + context.seconds) * 1000)
        reply = Reply.of(200, event)
        headers = {
            "lambda-runtime-aws-request-id": context.aws_request_id,
            "lambda-runtime-deadline-ms": str(deadline),
            "lambda-runtime-invoked-function-arn": context.invoked_function_arn,
        }
        return Reply(reply.status, reply.content, {**reply.headers, **headers})


@contextmanager
def running(package: Path, client: Path, environment: Mapping[str, str], log: Path) -> Iterator[RuntimeApi]:
    """The function, started anew; what it prints goes to ``log``."""
    with RuntimeApi() as api, log.open("wb") as output:
        told = {
            **environment,
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "AWS_LAMBDA_FUNCTION_NAME": "ElephantDNSWatchdog",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_LOG_FORMAT": _in_template("LogFormat"),
            "AWS_LAMBDA_LOG_LEVEL": _in_template("ApplicationLogLevel"),
            "LAMBDA_TASK_ROOT": str(package),
        }
        command = [*ALONE, "-c", _START, str(package), str(client)]
        process = subprocess.Popen(command, cwd=package, env=told, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield api
        finally:
            process.kill()
            process.wait()


def _in_template(name: str) -> str:
    """A plain value of the template's function: what Lambda tells the process."""
    found = re.search(rf"^ +{name}: (\w+)$", TEMPLATE.read_text(), re.MULTILINE)
    assert found, name
    return found[1]


def alone(package: Path, script: str, environment: Mapping[str, str] | None = None) -> Any:
    """What this script prints as JSON, where only the package can be imported."""
    script = f"import sys; sys.path.insert(0, {str(package)!r})\n{script}"
    shown = subprocess.run([*ALONE, "-c", script], env=dict(environment or {}), capture_output=True, check=True)
    return json.loads(shown.stdout.splitlines()[-1])


def copy_runtime_client(folder: Path) -> None:
    """The runtime client and what it needs, out of this environment, into a folder that holds nothing else."""
    for name in ("awslambdaric", "simplejson", "snapshot-restore-py"):
        for file in distribution(name).files or ():
            if ".." not in file.parts and file.suffix != ".pyc":
                to = folder / file
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(os.fspath(file.locate()), to)
