"""A week of one process of the function: events in batches, and the schedule, while the clouds fail at a fixed rate."""

import random
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from controller.sandbox.cloudflare import Proceed, Reply, Request
from tests.support.build import settings
from tests.support.events import SCHEDULED, batch
from tests.support.lambda_runtime import Running
from tests.support.spec.in_truth import misdeeds_in_truth
from tests.support.spec.right import takes_two_passes, wrongs
from tests.system.endurance.world import TimedClouds, World
from tests.system.faults import aws_kinds, cloudflare_kinds
from tests.system.faults.calls import Scene, operation
from tests.system.faults.kinds import PLENTY, Kind
from tests.system.faults.witness import Witness

#: Of all calls, and of the schedule's periods in which the secret holds a token that Cloudflare does not know.
FAULTY, WRONG_TOKEN = 0.03, 0.05
SETTINGS = settings()
BETWEEN_EVENTS = timedelta(seconds=30)
#: What SQS gives to one pass without a window, and how often it delivers a message again.
MOST, DELIVERIES = 10, 3


def kinds() -> dict[str, list[Kind]]:
    """By operation, every fault of one call, except those that tell lies and those that really take time."""
    found: dict[str, list[Kind]] = {}
    for kind in (*cloudflare_kinds.all_kinds(), *aws_kinds.all_kinds()):
        if kind.times == 1 and kind.seconds == PLENTY and not kind.lies and kind.name != "late":
            for name in kind.at:
                found.setdefault(name, []).append(kind)
    return found


@dataclass(slots=True)
class Week:
    """What the function meets, what it did wrong, and how its process was after each event."""

    running: Running
    world: World
    random: random.Random
    witness: Witness = field(default_factory=Witness)
    answers: list[dict[str, Any]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    is_faulty: bool = True
    before: list[dict[str, Any]] = field(init=False)  # records of the zone
    events: int = 0
    faults: int = 0
    _queue: list[tuple[dict[str, Any], int]] = field(default_factory=list)
    _kinds: dict[str, list[Kind]] = field(default_factory=kinds)

    def __post_init__(self) -> None:
        self.before = self.clouds.cloudflare.records()

    @property
    def clouds(self) -> TimedClouds:
        """The servers."""
        return self.world.clouds

    def run(self, events: int, schedules: int) -> None:
        """So many events, and the schedule so often in between."""
        self.clouds.aws.intercept = self.clouds.cloudflare.intercept = self._fail_at_times
        for number in range(1, schedules + 1):
            is_right = self.random.random() >= WRONG_TOKEN
            self.clouds.aws.make_secret(self.clouds.cloudflare.token if is_right else "token-of-another")
            while self.events < events * number // schedules:
                self._go_on()
            self.invoke(SCHEDULED, is_measured=True)

    def end(self) -> None:
        """The faults stop. One more pass makes all right: at first with lessons, then with none."""
        self.is_faulty = False
        self.clouds.aws.make_secret(self.clouds.cloudflare.token)
        for deed in (self.world.settle, self.world.end_all):
            deed()
            self.world.settle()
            if takes_two_passes(self.clouds.state(), SETTINGS):
                self.invoke(SCHEDULED)
            self.invoke(SCHEDULED)
            self.wrong += wrongs(self.clouds.state(), SETTINGS)
            if not self.invoke({"action": "plan"}).get("answer", {}).get("converged"):
                self.wrong.append(f"The pass after that plans: {self.answers[-1]}")

    def _go_on(self) -> None:
        for event in self.world.act():
            self.world.pass_time(BETWEEN_EVENTS)
            self._queue.append((event, DELIVERIES))
            if len(self._queue) >= self.random.randint(1, MOST):
                self._deliver()

    def _deliver(self) -> None:
        self.random.shuffle(self._queue)
        sent, self._queue = self._queue[:MOST], self._queue[MOST:]
        self.events += sum(left == DELIVERIES for _, left in sent)
        events = [event for event, _ in sent]
        answer = self.invoke(batch(*events), scope={event["resources"][0].rpartition("/")[2] for event in events})
        failed = {item["itemIdentifier"] for item in answer.get("answer", {}).get("batchItemFailures", ())}
        for place, (event, left) in enumerate(sent):
            if left > 1 and ("error" in answer or f"m{place}" in failed):
                self._queue.append((event, left - 1))

    def invoke(self, event: Any, *, scope: Collection[str] | None = None, is_measured: bool = False) -> dict[str, Any]:
        """One event, and the function's answer with what its process then holds. Each write is judged by the truth."""
        answer = self.ask(event, is_measured=is_measured)
        self.clouds.clock.sleep(answer["slept"])
        self.answers.append({**answer, "is_scheduled": event == SCHEDULED})
        self.wrong += misdeeds_in_truth(self.witness.deeds, SETTINGS, scope)
        self.witness.deeds.clear()
        self.clouds.aws.requests.clear()
        self.clouds.cloudflare.requests.clear()
        return answer

    def ask(self, event: Any, *, is_measured: bool = False) -> dict[str, Any]:
        """Hand this to the process. After the words ``begin`` and ``end`` it only says what it holds."""
        asked = {"at": self.clouds.clock.now().isoformat(), "event": event, "is_measured": is_measured}
        answer: dict[str, Any] = self.running.succeed(asked).content
        return answer

    def _fail_at_times(self, request: Request, proceed: Proceed) -> Reply:
        scene = Scene(request, proceed, self.clouds)
        fitting = self._kinds.get(operation(request))
        if not self.is_faulty or not fitting or self.random.random() >= FAULTY:
            return self.witness(scene)
        self.faults += 1
        return self.random.choice(fitting).play(replace(scene, proceed=lambda: self.witness(scene)))
