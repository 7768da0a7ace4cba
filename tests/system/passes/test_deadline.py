"""A pass ends in its time, whatever hangs or dribbles, and says what it did not reach.

Measured on the real clock, from the call of the pass to its end. A busy machine can delay one pass, so a pass that is
late is tried again: a pass that waits too long does so each time.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

import handler
from controller.errors import CallError, DeadlineError, IncompleteError, ObservationError
from controller.model import Outcome
from controller.runtime.budget import SystemClock
from controller.runtime.threads import Task
from controller.sandbox.cloudflare import Reply
from tests.support.events import SCHEDULED
from tests.support.lambda_runtime import LambdaContext
from tests.support.servers import Clouds
from tests.system.faults.calls import BATCH, LIST, SCAN, SECRET, UPDATE, Call, Play, Proxy, Rule, Scene
from tests.system.faults.kinds import FOR_EVER, Kind, answer, broken_wires
from tests.system.faults.plan import CALLS
from tests.system.faults.scenarios import SCENARIOS, messy
from tests.system.faults.summary import TRIALS
from tests.system.faults.trial import Ended, Trial, Workshop

pytest_plugins = ("tests.system.faults.bench",)

SLOW = [kind for kind in broken_wires(()) if kind.seconds < 10]
PLACES = [(name, call) for name in ("contended", "fresh") for call in CALLS[name]]
Note = Callable[[str, object], None]
TRIES = 3


@dataclass(frozen=True, slots=True)
class Timed:
    """A pass that met a slow answer."""

    trial: Trial
    ended: Ended
    seconds: float


def timed(workshop: Workshop, scenario: str, call: Call, kind: Kind, deadline: float) -> Timed:
    """A pass over the scenario, with this kind of slowness at this call; of several that are late the last one."""
    for _ in range(TRIES):
        trial = Trial(workshop, SCENARIOS[scenario], clock=SystemClock())
        start = time.monotonic()
        ended = trial.run([Rule(call, kind.play)], deadline)
        result = Timed(trial, ended, time.monotonic() - start)
        if result.seconds <= deadline:
            break
    return result


def complaints(result: Timed, deadline: float) -> Iterator[str]:
    """What was wrong with how it ended."""
    if result.seconds > deadline:
        yield f"it took {result.seconds:.2f} seconds of {deadline}"
    yield from result.trial.verdict(result.ended)
    report, error = result.ended.report, result.ended.error
    if report is None:
        if not isinstance(error, (ObservationError, CallError)):
            yield f"it raised {error!r}"
    elif report.complete or not report.count(Outcome.NOT_REACHED) + report.count(Outcome.FAILED):
        yield "nothing is said to be not reached"


@pytest.mark.parametrize(
    ("scenario", "call", "kind"),
    [(*place, SLOW[number % len(SLOW)]) for number, place in enumerate(PLACES)][::3],  # `make proof` has all
    ids=str,
)
def test_what_hangs_or_dribbles_ends_with_the_pass(
    workshop: Workshop, scenario: str, call: Call, kind: Kind, record_property: Note
) -> None:
    record_property(TRIALS, 1)
    result = timed(workshop, scenario, call, kind, 1.0)
    assert list(complaints(result, 1.0)) == []


@pytest.mark.proof
@pytest.mark.parametrize("kind", SLOW, ids=str)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_slowness_at_every_call(workshop: Workshop, scenario: str, kind: Kind, record_property: Note) -> None:
    found = {
        str(call): wrong
        for call in CALLS[scenario]
        if (wrong := list(complaints(timed(workshop, scenario, call, kind, 2.0), 2.0)))
    }
    record_property(TRIALS, len(CALLS[scenario]))
    assert found == {}


def left_behind() -> list[threading.Thread]:
    """Return the threads that a pass has given up. Python names a thread after the function that it runs."""
    return [thread for thread in threading.enumerate() if thread.name.endswith(f"({Task._work.__name__})")]


@pytest.mark.parametrize("operation", [LIST, SCAN, BATCH, UPDATE])
def test_after_its_end_a_pass_does_nothing_more(workshop: Workshop, operation: str) -> None:
    def late(scene: Scene) -> Reply:
        return Reply.nothing().delayed(1.2)

    trial = Trial(workshop, SCENARIOS["full"], clock=SystemClock())
    trial.run([Rule(Call(operation), late, times=None)], 0.7)
    before = list(trial.proxy.log)
    for thread in left_behind():  # until the broken answer has come to whoever still waits for it
        thread.join(FOR_EVER)
    assert trial.proxy.log == before


def test_a_pass_without_time_begins_nothing(workshop: Workshop) -> None:
    trial = Trial(workshop, SCENARIOS["full"])
    ended = trial.run(seconds=0)
    assert isinstance(ended.error, (DeadlineError, ObservationError))
    assert trial.proxy.log == []


@pytest.mark.parametrize("operation", [LIST, SCAN, BATCH, UPDATE])
def test_the_function_ends_before_lambda_ends_it(
    clouds: Clouds, operation: str, capsys: pytest.CaptureFixture[str]
) -> None:
    messy(clouds)
    Proxy(clouds, (Rule(Call(operation), answer(Reply(200).delayed(FOR_EVER)), times=None),)).install()
    context = LambdaContext(seconds=handler.MARGIN + 1)
    clouds.forget_function()  # its log goes where this test reads it
    with clouds.exported():
        start = time.monotonic()
        with pytest.raises((DeadlineError, ObservationError, IncompleteError)):
            handler.lambda_handler(SCHEDULED, context)
        took = time.monotonic() - start
        clouds.forget_function()
    clouds.reset()
    assert took < FOR_EVER
    assert '"pass' in capsys.readouterr().out


@pytest.mark.parametrize("kind", SLOW, ids=str)
@pytest.mark.parametrize("operation", [SECRET, LIST, UPDATE])
def test_what_still_hangs_does_not_hold_up_the_next_pass(workshop: Workshop, operation: str, kind: Kind) -> None:
    """Lambda keeps the process, and with it the threads that were given up."""
    trial = Trial(workshop, SCENARIOS["full"])
    trial.run([Rule(Call(operation), kind.play)], 0.7)
    start = time.monotonic()
    assert list(trial.convergence()) == []
    assert time.monotonic() - start < FOR_EVER, "a pass that waits for the silent answer takes as long as that"


@pytest.mark.parametrize("operation", ["GetCallerIdentity", LIST, SCAN])
def test_a_command_ends_in_its_time_from_its_start(clouds: Clouds, operation: str) -> None:
    messy(clouds)
    asked = list[float]()

    def seen(play: Play) -> Play:
        def at(scene: Scene) -> Reply:
            asked.append(time.monotonic())
            return play(scene)

        return at

    rules = (
        Rule(Call(operation), seen(answer(Reply(200).delayed(FOR_EVER))), None),
        Rule(Call("GetCallerIdentity"), seen(lambda scene: scene.proceed().delayed(1.0))),
    )
    Proxy(clouds, rules).install()
    environment = {"PATH": os.environ["PATH"], **clouds.environment()}
    command = [sys.executable, "-m", "controller", "plan", "--deadline", "4"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    took = time.monotonic() - asked[0]  # the interpreter's own start is over by then, however busy the machine is
    clouds.reset()
    assert ended.returncode == 1, ended.stderr
    assert ended.stderr
    assert took < 2 * 4, "no second deadline"
