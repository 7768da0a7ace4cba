"""Controllers in a world: their schedule, their events, their outages; the passes are the real controller's."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from controller.errors import PassError
from controller.model import Heard, Mode, Outcome, Request
from controller.ports import Context
from controller.reconcile import reconcile
from controller.report.report import Report, Target
from controller.runtime.budget import Budget
from tests.model.simulations.clouds import SLOW, Clouds, TruePast
from tests.model.simulations.world import PERIOD, Process, World
from tests.support.history import Deployment, Machine, Outage, Reading
from tests.support.ports import readers_of, writers_of
from tests.support.views import ALWAYS_THERE, HONEST, PROMPT, Deliveries, Lies, Outages, View

#: Seconds that the queue collects events for.
WINDOW = 5.0
#: Passes over events that go on at once, beside the schedule's.
AT_ONCE = 2
SCHEDULED = Request(Mode.APPLY, is_scheduled=True)


@dataclass(slots=True)
class Ended:
    """How a pass ended: without a report while it goes on, or where it could not."""

    report: Report | None = None


@dataclass(slots=True)
class Controller:
    """One deployment's controller: every reading and every write of its passes goes through its clouds."""

    world: World
    deployment: Deployment
    lies: Lies = HONEST
    deliveries: Deliveries = PROMPT
    outages: Outages = ALWAYS_THERE
    scan_takes: float = SLOW["dynamodb"]
    passes: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    clouds: Clouds = field(init=False)
    view: View = field(init=False)
    is_retired: bool = False
    _inbox: list[tuple[str, Heard]] = field(default_factory=list)  # instances, and what was said of them
    _handling: int = 0

    def __post_init__(self) -> None:
        self.clouds = Clouds(self.world, self.deployment, self.scan_takes)
        past = TruePast(self.clouds)
        self.view = View(readers_of(self.clouds), past, lambda: self.world.now, self.lies, self._said)

    def _said(self, brought: Collection[str], lied: Collection[str]) -> None:
        name = self.deployment.name
        self.world.history.append(Reading(self.world.now, name, frozenset(brought), frozenset(lied)))

    def follow_schedule(self) -> Process:
        """A full pass each period, and none while the controller is out."""
        while not self.is_retired:
            self.begin(SCHEDULED)
            yield PERIOD

    def announce_outages(self) -> Process:
        """Let the judge know when nobody is there."""
        for start, lasts in self.outages.spans:
            yield max(0.0, start - self.world.elapsed)
            until = self.world.now + timedelta(seconds=lasts)
            self.world.history.append(Outage(self.world.now, self.deployment.name, until))

    def hear(self, machine: Machine) -> None:
        """EC2 tells of a machine's new state: to everybody in its place, and as well as EventBridge can."""
        if machine.place != self.deployment.place:
            return
        instance, heard = machine.instance.id, Heard(machine.instance.state, self.world.now, self.world.now)
        for at in self.deliveries.of(instance, heard.state, heard.at):
            self.world.at(at, lambda: self._receive(instance, heard))

    def _receive(self, instance: str, heard: Heard) -> None:
        if self.is_retired or self._is_out():
            return
        self._inbox.append((instance, heard))
        if len(self._inbox) == 1:
            self.world.later(WINDOW, self._handle)

    def _handle(self) -> None:
        if self._handling >= AT_ONCE:
            self.world.later(1.0, self._handle)
            return
        batch, self._inbox = self._inbox, []
        latest = dict(sorted(batch, key=lambda event: event[1].at))
        self.begin(Request(Mode.APPLY, frozenset(latest), heard=latest))

    def _is_out(self) -> bool:
        return self.outages.ends(self.world.elapsed) is not None

    def begin(self, request: Request) -> Ended:
        """Begin a pass, which goes on beside whatever else happens; none where the controller is out."""
        ended = Ended()
        if not self._is_out():
            self.passes += 1
            self.world.begin(lambda: self._run(request, ended))
        return ended

    def _run(self, request: Request, ended: Ended) -> None:
        self._handling += request.scope is not None
        try:
            ended.report = reconcile(request, self._pass(request))
        except PassError as error:
            self.errors[type(error).__name__] += 1
        finally:
            self._handling -= request.scope is not None

    def _pass(self, request: Request) -> Context:
        settings, (account, region) = self.deployment.settings, self.deployment.place.split("/")
        target = Target(account, region, settings.zone_id, settings.domain_root, "meetings", settings.owner_id or "")
        clouds = replace(self.clouds, began=self.world.now, is_scoped=request.scope is not None)
        return Context(settings, target, self.view.readers(), writers_of(clouds), Budget(_Clock(self.world), 600.0))


@dataclass(frozen=True, slots=True)
class _Clock:
    """The world's time, as a pass sees it: while it sleeps, everything else goes on."""

    world: World

    def now(self) -> datetime:
        return self.world.now

    def monotonic(self) -> float:
        return self.world.elapsed

    def sleep(self, seconds: float) -> None:
        self.world.wait(seconds)


def what_is_open(report: Report | None) -> list[str]:
    """What a pass has done or tried, but for what is held for a person to decide."""
    results = report.results if report else ()
    return [f"{r.change.action} {r.change.key}" for r in results if r.outcome is not Outcome.GUARDED]
