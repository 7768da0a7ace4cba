"""Two passes at once: an event's and the schedule's, or two schedules, in many interleavings."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import pytest

from controller.bootstrap import Controller
from controller.errors import WatchdogError
from controller.model import Mode, Request
from controller.report.report import Report
from controller.sandbox.cloudflare import Reply
from tests.support.build import link, name
from tests.support.servers import Clouds
from tests.system.faults.calls import BATCH, Scene
from tests.system.faults.claims import false_claims
from tests.system.faults.kinds import FOR_EVER
from tests.system.faults.scenarios import FULL, SCOPE, Seeder, machine_id
from tests.system.faults.summary import TRIALS
from tests.system.faults.trial import Ends, Trial, Workshop, end_of

pytest_plugins = ("tests.system.faults.bench",)

Note = Callable[[str, object], None]
PAIRS = {"two-schedules": (None, None), "event-and-schedule": (SCOPE, None), "two-events": (SCOPE, SCOPE)}


@dataclass(slots=True)
class Shuffle:
    """Stands before the witness, and lets each call wait a little, by chance."""

    trial: Trial
    random: Random
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, scene: Scene) -> Reply:
        """Wait, then let the API act."""
        with self.lock:
            pause = self.random.choice((0, 0, 0.005, 0.02))
        time.sleep(pause)
        return self.trial.witness(scene)


def race(trial: Trial, scopes: tuple[frozenset[str] | None, ...], random: Random) -> list[Report | WatchdogError]:
    """As many passes as scopes, each of a process of its own, all at once."""
    trial.proxy.innermost = Shuffle(trial, random)
    ends = list[Report | WatchdogError]()

    def run(controller: Controller, scope: frozenset[str] | None) -> None:
        try:
            ends.append(controller.run(Request(Mode.APPLY, scope), 30))
        except WatchdogError as error:
            ends.append(error)

    threads = [threading.Thread(target=run, args=(trial.new_controller(), scope)) for scope in scopes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    trial.proxy.innermost = trial.witness
    return ends


def wrongs(workshop: Workshop, ends: Ends, pair: str, seed: int) -> list[str]:
    """What was wrong with two passes over the messy fleet at once."""
    end = ends["full"]
    trial = Trial(workshop, FULL)
    reports = race(trial, PAIRS[pair], Random(seed))
    found = trial.misdeeds()
    for report in reports:
        if isinstance(report, WatchdogError):
            found.append(f"it failed: {report}")
        else:
            found += false_claims(report, trial.clouds.state())
            found += [] if report.complete else [f"not complete: {report.results}"]
    found += trial.convergence()
    return found if found or end_of(trial.clouds.state()) == end else ["the world is not as it should be"]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("pair", PAIRS)
def test_two_passes_at_once_are_as_good_as_one(
    workshop: Workshop, ends: Ends, pair: str, seed: int, record_property: Note
) -> None:
    record_property(TRIALS, 1)
    assert wrongs(workshop, ends, pair, seed) == []


@pytest.mark.proof
@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("first", range(100, 400, 50))
def test_two_passes_at_once_in_many_interleavings(
    workshop: Workshop, ends: Ends, pair: str, first: int, record_property: Note
) -> None:
    record_property(TRIALS, 50)
    assert {seed: wrong for seed in range(first, first + 50) if (wrong := wrongs(workshop, ends, pair, seed))} == {}


def test_three_passes_that_all_saw_an_empty_name_make_one_record(workshop: Workshop) -> None:
    trial = Trial(workshop, FULL)
    gate = threading.Barrier(3)

    def together(scene: Scene) -> Reply:
        if scene.operation == BATCH:
            gate.wait(FOR_EVER)  # all three have read before any of them writes
        return trial.witness(scene)

    gates = iter(range(3))
    trial.proxy.innermost = lambda scene: (
        together(scene) if scene.operation == BATCH and next(gates, None) is not None else trial.witness(scene)
    )
    runs = [threading.Thread(target=trial.new_controller().run, args=(Request(Mode.APPLY), 60)) for _ in range(3)]
    for thread in runs:
        thread.start()
    for thread in runs:
        thread.join()
    assert trial.misdeeds() == []
    assert all(len(contents) == 1 for contents in trial.clouds.records().values())
    assert list(trial.convergence()) == []


def start_again(clouds: Clouds) -> str:
    """A machine that was stopped and is started, with the record of its last address."""
    seeder = Seeder(clouds)
    machine = seeder.machine(1, "again", state="stopped")
    seeder.machine(2, "again", "student")
    seeder.record(1, "198.51.100.1")
    return machine


@pytest.mark.parametrize("seed", range(4))
def test_machine_started_between_two_passes_is_served_by_the_next(workshop: Workshop, seed: int) -> None:
    """One pass has seen it stopped, the other serving; Cloudflare knows no conditional write."""
    trial = Trial(workshop, FULL)
    trial.clouds.reset()
    trial.proxy.install()
    machine = start_again(trial.clouds)
    random = Random(seed)
    start = threading.Timer(random.random() / 10, lambda: _start(trial.clouds, machine))
    start.start()
    race(trial, (frozenset({machine}), None), random)
    start.join()
    assert list(trial.convergence()) == []
    assert trial.clouds.records()[name(machine)] == ["192.0.2.77"]
    assert trial.clouds.aws.rows.get("again")["teacher_ec2_link"] == link(machine_id(1))


def _start(clouds: Clouds, machine: str) -> None:
    clouds.aws.machines.set_address(machine, "192.0.2.77")
    clouds.aws.machines.set_state(machine, "running")
