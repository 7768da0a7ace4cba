"""A Lambda function in a process of its own, under Lambda's own runtime client, fed by a stub of the Runtime API."""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import distribution
from pathlib import Path
from queue import Queue
from tempfile import TemporaryFile
from threading import Event
from types import TracebackType
from typing import Any, Self

from controller.sandbox.cloudflare.exchange import Reply
from controller.sandbox.cloudflare.transport import LOOPBACK, Transport

#: Far longer than anything takes; a caller fails by it where the process has died.
PATIENCE = 120.0
_TEMPLATE = Path(__file__).parents[2] / "infra" / "template.yaml"


@dataclass(frozen=True, slots=True)
class LambdaContext:
    """What Lambda hands to a function, as far as ours reads it."""

    seconds: float = 240.0
    invoked_function_arn: str = "arn:aws:lambda:us-west-2:123456789012:function:ElephantDNSWatchdog"
    function_name: str = "ElephantDNSWatchdog"
    aws_request_id: str = "request-of-a-test"

    def get_remaining_time_in_millis(self) -> int:
        """As Lambda counts."""
        return int(self.seconds * 1000)


@dataclass(frozen=True, slots=True)
class Function:
    """A function: its name in a table, what Lambda calls, where Python finds it and the runtime client, and whom it
    trusts.
    """

    name: str
    handler: str
    path: tuple[Path, ...]
    trust: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in the life of the process: seconds since it was started, and the CPU seconds used by then."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What the function answered to an event, and when.

    ``kind`` is ``response``, ``error`` or ``init/error``, ``content`` the JSON posted with it; ``seconds`` are those
    from the hand-over of the event to the answer.
    """

    kind: str
    content: Any
    asked: Moment
    answered: Moment
    seconds: float


@dataclass(slots=True)
class Running:
    """One process of a function, which can import its path and Python's own library and nothing else, as in Lambda.

    ::

        with Running(function, environment) as running:
            print(running.invoke(event).content)
    """

    function: Function
    environment: Mapping[str, str]
    options: tuple[str, ...] = ()
    log: Path | None = None  # what it prints; without one ``output`` tells it
    _events: Queue[Any] = field(default_factory=Queue)
    _asked: Queue[Moment] = field(default_factory=Queue)
    _answers: Queue[tuple[Moment, str, Any]] = field(default_factory=Queue)
    _output: Any = field(init=False)
    _start: float = 0.0
    _transport: Transport = field(init=False)
    _process: subprocess.Popen[bytes] = field(init=False)

    def __enter__(self) -> Self:
        self._output = self.log.open("w+b") if self.log else TemporaryFile()
        self._transport = Transport(self._respond)
        command = [sys.executable, "-S", "-B", *self.options, "-m", "awslambdaric", self.function.handler]
        self._start = time.monotonic()
        self._process = subprocess.Popen(
            command, env=self._environment(), cwd=self.function.path[0], stdout=self._output, stderr=subprocess.STDOUT
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        self._events.put(None)  # lets the request for the next event end
        self._transport.close()
        self._output.close()

    def invoke(self, event: Any) -> Answer:
        """Hand this event to the function when it asks for one, and wait for the answer."""
        start = time.monotonic() - self._start
        self._events.put(event)
        answered, kind, content = self._next(self._answers)
        if kind.startswith("init"):
            return Answer(kind, content, answered, answered, 0.0)
        asked = self._next(self._asked)
        return Answer(kind, content, asked, answered, answered.wall - max(start, asked.wall))

    def succeed(self, event: Any) -> Answer:
        """The same. Raises RuntimeError where the function does not succeed."""
        answer = self.invoke(event)
        if answer.kind != "response":
            raise RuntimeError(f"{self.function.name} failed: {answer.content}\n{self.output()}")
        return answer

    def output(self) -> str:
        """What it has written."""
        self._output.seek(0)
        return str(self._output.read().decode())

    def _next(self, queue: Queue[Any]) -> Any:
        try:
            return queue.get(timeout=PATIENCE)
        except Exception as error:
            raise RuntimeError(f"{self.function.name} is silent.\n{self.output()}") from error

    def _environment(self) -> dict[str, str]:
        return {
            **self.environment,
            **self.function.trust,
            "AWS_LAMBDA_RUNTIME_API": f"{LOOPBACK}:{self._transport.port}",
            "AWS_LAMBDA_FUNCTION_NAME": LambdaContext().function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_LOG_FORMAT": _in_template("LogFormat"),
            "AWS_LAMBDA_LOG_LEVEL": _in_template("ApplicationLogLevel"),
            "LAMBDA_TASK_ROOT": str(self.function.path[0]),
            "PYTHONPATH": ":".join(map(str, self.function.path)),
        }

    def _moment(self) -> Moment:
        # The clock of another process's CPU time (clock_getcpuclockid(3)), which Python does not offer by name.
        return Moment(time.monotonic() - self._start, time.clock_gettime((~self._process.pid << 3) | 2))

    def _respond(
        self, method: str, target: str, headers: Mapping[str, str], content: bytes, connection: int
    ) -> tuple[Reply, Event]:
        moment = self._moment()
        if method == "GET":
            self._asked.put(moment)
            return self._invocation(self._events.get()), Event()
        kind = "init/error" if target.endswith("/init/error") else target.rpartition("/")[2]
        self._answers.put((moment, kind, json.loads(content)))
        return Reply.of(202, {"status": "OK"}), Event()

    @staticmethod
    def _invocation(event: object) -> Reply:
        context = LambdaContext()
        return Reply.of(
            200,
            event,
            lambda_runtime_aws_request_id=context.aws_request_id,
            lambda_runtime_deadline_ms=str(round((time.time() + context.seconds) * 1000)),
            lambda_runtime_invoked_function_arn=context.invoked_function_arn,
        )


def copy_runtime_client(folder: Path) -> None:
    """Copy the runtime client and what it needs, out of this environment, into a folder that holds nothing else."""
    for name in ("awslambdaric", "simplejson", "snapshot-restore-py"):
        for file in distribution(name).files or ():
            if ".." not in file.parts and file.suffix != ".pyc":
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), folder / file)


def _in_template(name: str) -> str:
    """A plain value of the template's function: what Lambda tells the process."""
    found = re.search(rf"^ +{name}: (\w+)$", _TEMPLATE.read_text(), re.MULTILINE)
    assert found, name
    return found[1]
