"""A Lambda function in a process of its own, under Lambda's own runtime client, fed by a stub of the Runtime API."""

import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from queue import Queue
from tempfile import TemporaryFile
from threading import Event
from types import TracebackType
from typing import Any, Self

from controller.sandbox.cloudflare import Reply
from controller.sandbox.cloudflare.transport import LOOPBACK, Transport
from tests.benchmarks.functions import Function

#: Seconds that nothing here may take.
PATIENCE = 120.0
#: Seconds that a function is told to have.
TIMEOUT = 240


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in the life of the process: seconds since it was started, and the CPU seconds it had used by then."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Invocation:
    """When the function asked for the event and when it had answered; seconds from the hand-over to the answer."""

    asked: Moment
    answered: Moment
    seconds: float


@dataclass(slots=True)
class Running:
    """One process of a function.

    ::

        with Running(function, environment) as running:
            print(running.invoke(event).asked.wall)
    """

    function: Function
    environment: Mapping[str, str]
    options: tuple[str, ...] = ()
    _events: Queue[Any] = field(default_factory=Queue)
    _asked: Queue[Moment] = field(default_factory=Queue)
    _answers: Queue[tuple[Moment, bool, Any]] = field(default_factory=Queue)
    _output: Any = field(default_factory=TemporaryFile)
    _start: float = 0.0
    _transport: Transport = field(init=False)
    _process: subprocess.Popen[bytes] = field(init=False)

    def __enter__(self) -> Self:
        self._transport = Transport(self._respond)
        command = [sys.executable, "-S", *self.options, "-m", "awslambdaric", self.function.handler]
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

    def invoke(self, event: Any) -> Invocation:
        """Wait until it asks for an event, hand it over, and wait for the answer. Raises RuntimeError on an error."""
        asked = self._next(self._asked)
        start = time.monotonic() - self._start
        self._events.put(event)
        answered, failed, content = self._next(self._answers)
        if failed:
            raise RuntimeError(f"{self.function.name} failed: {content}\n{self.output()}")
        return Invocation(asked, answered, answered.wall - start)

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
            "AWS_LAMBDA_RUNTIME_API": f"{LOOPBACK}:{self._transport.port}",
            "PYTHONPATH": ":".join(map(str, self.function.path)),
            "PYTHONDONTWRITEBYTECODE": "1",
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
            return Reply.of(200, self._events.get(), **self._invocation()), Event()
        self._answers.put((moment, target.endswith("/error"), content.decode()))
        return Reply.of(202, {"status": "OK"}), Event()

    @staticmethod
    def _invocation() -> dict[str, str]:
        return {
            "lambda_runtime_aws_request_id": "b0a1c2d3-0000-4000-8000-000000000001",
            "lambda_runtime_deadline_ms": str(round((time.time() + TIMEOUT) * 1000)),
            "lambda_runtime_invoked_function_arn": "arn:aws:lambda:us-west-2:123456789012:function:ElephantDNSWatchdog",
        }
