"""A process that is killed before or after any of its writes leaves a world that the next pass makes right."""

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from controller.sandbox.cloudflare import Reply
from tests.support.events import batch, state_change
from tests.system.faults.calls import WRITES, Scene
from tests.system.faults.plan import CALLS
from tests.system.faults.scenarios import SCENARIOS, SCOPE
from tests.system.faults.trial import Ends, Trial, Workshop, end_of

pytest_plugins = ("tests.system.faults.bench",)

FUNCTION = """
import json, sys, types, handler
context = types.SimpleNamespace(
    invoked_function_arn="arn:aws:lambda:us-west-2:123456789012:function:ElephantDNSWatchdog",
    get_remaining_time_in_millis=lambda: 60_000,
    aws_request_id="r",
    function_name="f",
)
handler.lambda_handler(json.loads(sys.argv[1]), context)
"""
EVENT = batch(*(state_change(instance) for instance in sorted(SCOPE)))
#: The full pass is the command line's, the scoped one the function's.
COMMANDS = {"full": ("-m", "controller", "apply", "--yes"), "scoped": ("-c", FUNCTION, json.dumps(EVENT))}
WRITE_COUNT = {name: sum(call.operation in WRITES for call in CALLS[name]) for name in COMMANDS}


@dataclass(slots=True)
class Executioner:
    """Kills the process at its n-th write, before or after that is applied."""

    trial: Trial
    number: int
    moment: str
    child: "subprocess.Popen[bytes] | None" = None
    _writes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, scene: Scene) -> Reply:
        """Stands where the witness stands, and has it look on."""
        if not self._is_due(scene):
            return self.trial.witness(scene)
        reply = Reply(200) if self.moment == "before" else self.trial.witness(scene)
        assert self.child
        os.kill(self.child.pid, signal.SIGKILL)
        return reply.lost()

    def _is_due(self, scene: Scene) -> bool:
        with self._lock:
            self._writes += scene.operation in WRITES
            return scene.operation in WRITES and self._writes == self.number

    def run(self, command: tuple[str, ...]) -> int:
        """The process from its start to its end; its exit code."""
        environment = {"PATH": os.environ["PATH"], **self.trial.clouds.environment()}
        silent: Any = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.trial.proxy.innermost = self
        with subprocess.Popen([sys.executable, *command], env=environment, **silent) as self.child:
            code = self.child.wait(60)
        self.trial.proxy.innermost = self.trial.witness
        return code


def test_the_processes_do_their_work_when_nobody_kills_them(workshop: Workshop) -> None:
    for name, command in COMMANDS.items():
        trial = Trial(workshop, SCENARIOS[name])
        executioner = Executioner(trial, 0, "never")
        assert executioner.run(command) == 0
        assert [call.operation in WRITES for call in trial.proxy.log].count(True) == WRITE_COUNT[name]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    ("scenario", "number"),
    # Every second write; `make proof` has all.
    [
        pytest.param(name, n + 1, marks=[pytest.mark.proof] if n % 2 else [])
        for name, count in WRITE_COUNT.items()
        for n in range(count)
    ],
)
def test_a_pass_killed_at_a_write_is_carried_on_by_the_next(
    workshop: Workshop, ends: Ends, scenario: str, number: int, moment: str
) -> None:
    end = ends[scenario]
    trial = Trial(workshop, SCENARIOS[scenario])
    assert Executioner(trial, number, moment).run(COMMANDS[scenario]) == -signal.SIGKILL
    assert trial.misdeeds(SCENARIOS[scenario].scope) == []
    assert list(trial.convergence()) == []
    assert end_of(trial.clouds.state()) == end
