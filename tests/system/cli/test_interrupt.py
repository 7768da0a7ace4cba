"""Ctrl-C and SIGTERM: what is under way is finished, nothing new is begun, and the report tells the truth.

The signal is sent from inside a cloud's answer, so each test knows which call was under way.
"""

import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from controller.errors import DeadlineError, TransientError
from controller.runtime import retry
from controller.runtime.budget import Budget, SystemClock
from controller.runtime.threads import Task
from controller.sandbox.cloudflare import Reply
from tests.support.build import link, name
from tests.support.servers import Clouds, refusal
from tests.system.cli.process import PATIENCE, Running
from tests.system.faults.aws_kinds import failure
from tests.system.faults.calls import BATCH, LIST, UPDATE, Call, Proxy, Rule, Scene

MACHINES = 24  # more rows than are written side by side

After = Callable[[Scene], Reply]


@contextmanager
def interrupted(clouds: Clouds, operation: str, number: signal.Signals, then: After) -> Iterator[tuple[Running, Proxy]]:
    """An apply that gets the signal at its first call of this operation; all of them wait, and then get this answer."""
    running: list[Running] = []

    def play(scene: Scene) -> Reply:
        if scene.place == 1:
            running[0].tell(number)
        assert running[0].is_stopping()
        return then(scene)

    proxy = Proxy(clouds, (Rule(Call(operation), play, times=None),))
    proxy.install()
    with Running(clouds, "apply", "--yes", "--format", "json") as child:
        running.append(child)
        yield child, proxy


def fleet(clouds: Clouds) -> dict[str, str]:
    """Machines that all lack their records and links, by their meetings."""
    return {f"m{number}": clouds.launch(f"m{number}") for number in range(MACHINES)}


def check(clouds: Clouds, machines: dict[str, str], report: str) -> dict[str, set[str]]:
    """The report says of each change exactly what has become of it; returns the outcomes by action."""
    outcomes: dict[str, set[str]] = {}
    for change in json.loads(report)["changes"]:
        action, outcome = change["action"], change["outcome"]
        outcomes.setdefault(action, set()).add(outcome)
        row = clouds.aws.rows.all()[change["meeting"]]
        is_done = (
            name(change["instance"]) in clouds.records()
            if action == "create-record"
            else row.get("teacher_ec2_link") == link(machines[change["meeting"]])
        )
        assert outcome == ("applied" if is_done else "not-reached"), change
    return outcomes


def check_the_next_pass(clouds: Clouds, machines: dict[str, str]) -> None:
    """It carries on, and nothing is done twice."""
    Proxy(clouds).install()
    assert clouds.apply().complete
    assert clouds.records() == {name(machine): [clouds.address(machine)] for machine in machines.values()}
    assert len(clouds.cloudflare.history) == MACHINES
    assert clouds.plan().converged


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_batch_under_way_is_finished_and_no_link_is_begun(clouds: Clouds, number: signal.Signals, code: int) -> None:
    machines = fleet(clouds)
    with interrupted(clouds, BATCH, number, lambda scene: scene.proceed()) as (child, proxy):
        ended, output, said = child.ended()
    assert ended == code, said
    assert check(clouds, machines, output) == {"create-record": {"applied"}, "write-link": {"not-reached"}}
    assert UPDATE not in {call.operation for call in proxy.log}
    assert said.endswith(f"Interrupted, with {MACHINES} changes not reached; run it again to go on.\n")
    assert max(map(len, said.splitlines())) <= 80
    check_the_next_pass(clouds, machines)


def test_links_under_way_are_finished_and_the_others_are_not_begun(clouds: Clouds) -> None:
    machines = fleet(clouds)
    with interrupted(clouds, UPDATE, signal.SIGINT, lambda scene: scene.proceed()) as (child, _):
        ended, output, said = child.ended()
    assert ended == 130, said
    assert check(clouds, machines, output)["write-link"] == {"applied", "not-reached"}
    check_the_next_pass(clouds, machines)


def test_interrupt_at_the_last_change_leaves_nothing(clouds: Clouds) -> None:
    clouds.launch()
    with interrupted(clouds, UPDATE, signal.SIGTERM, lambda scene: scene.proceed()) as (child, _):
        ended, output, said = child.ended()
    assert (ended, json.loads(output)["complete"]) == (143, True)
    assert said.endswith("Interrupted, with nothing left.\n")


def test_interrupted_pass_reports_its_failed_changes(clouds: Clouds) -> None:
    clouds.launch()
    with interrupted(clouds, UPDATE, signal.SIGTERM, failure(400, "ValidationException")) as (child, _):
        ended, output, said = child.ended()
    assert ended == 143, said
    assert [change["outcome"] for change in json.loads(output)["changes"]] == ["applied", "failed"]
    assert said.endswith("Interrupted; what failed or was held back is in the report.\n")


def test_a_lost_answer_is_looked_up_before_the_end(clouds: Clouds) -> None:
    machines = fleet(clouds)
    with interrupted(clouds, BATCH, signal.SIGINT, lambda scene: scene.proceed().lost("reset")) as (child, proxy):
        ended, output, said = child.ended()
    assert ended == 130, said
    assert check(clouds, machines, output)["create-record"] == {"applied"}
    assert Call(BATCH, 2) not in proxy.log
    check_the_next_pass(clouds, machines)


def test_interrupted_pass_does_not_wait_for_a_throttle(clouds: Clouds) -> None:
    machines = fleet(clouds)

    def throttled(scene: Scene) -> Reply:
        return refusal(429, 971, "Please wait")

    with interrupted(clouds, BATCH, signal.SIGINT, throttled) as (child, proxy):
        ended, output, said = child.ended()
    assert ended == 130, said
    assert check(clouds, machines, output)["create-record"] == {"not-reached"}
    assert Call(BATCH, 2) not in proxy.log
    check_the_next_pass(clouds, machines)


def test_wait_ends_when_the_pass_has_to_stop() -> None:
    clock = SystemClock()
    sleeper = threading.Thread(target=clock.sleep, args=(3600,), daemon=True)
    clock.wake.set()
    sleeper.start()
    sleeper.join(PATIENCE)
    assert not sleeper.is_alive()


def test_wait_for_a_cloud_notices_a_signal() -> None:
    """Python sees a signal that comes just before a wait begins only when that wait is over."""
    waits: list[float] = []

    class Never(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0)
            return False

    pending = Task(lambda: None, Budget(SystemClock(), 60))
    pending._ended = Never()
    with pytest.raises(DeadlineError):
        pending.result()
    assert max(waits) <= 1
    assert sum(waits) > 59, "and waits on"


def test_no_call_is_retried_once_the_pass_has_to_stop() -> None:
    stop, attempts = threading.Event(), list[int]()
    stop.set()

    def attempt() -> None:
        attempts.append(1)
        raise TransientError("a reading that broke")

    with pytest.raises(TransientError):
        retry.call(attempt, Budget(SystemClock(stop), 60, stop))
    assert len(attempts) == 1


def test_a_second_signal_ends_it_at_once(clouds: Clouds) -> None:
    fleet(clouds)

    def again(scene: Scene) -> Reply:
        child.tell(signal.SIGINT)
        assert child.wait() == -signal.SIGINT
        return Reply.nothing()

    with interrupted(clouds, BATCH, signal.SIGINT, again) as (child, _):
        assert child.wait() == -signal.SIGINT
    assert clouds.records() == {}


def test_signal_before_the_first_change_ends_the_process(clouds: Clouds) -> None:
    fleet(clouds)

    def play(scene: Scene) -> Reply:
        child.tell(signal.SIGINT)
        child.wait()
        return Reply.nothing()

    proxy = Proxy(clouds, (Rule(Call(LIST), play),))
    proxy.install()
    with Running(clouds, "apply", "--yes") as child:
        ended, output, said = child.ended()
    assert (ended, output) == (130, "")
    assert "Traceback" not in said
    assert BATCH not in {call.operation for call in proxy.log}


def test_a_signal_that_is_ignored_stays_so(clouds: Clouds) -> None:
    machines = fleet(clouds)

    def play(scene: Scene) -> Reply:
        child.tell(signal.SIGINT)
        return scene.proceed()

    Proxy(clouds, (Rule(Call(BATCH), play),)).install()
    ignoring = ("sh", "-c", "trap '' INT; exec \"$@\"", "sh")
    with Running(clouds, "apply", "--yes", "--format", "json", prefix=ignoring) as child:
        ended, output, said = child.ended()
    assert (ended, "Stopping" in said) == (0, False)
    assert check(clouds, machines, output)["write-link"] == {"applied"}
