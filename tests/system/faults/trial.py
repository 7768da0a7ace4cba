"""One trial: a world, a pass with a fault in it, then clean passes; and the verdict over all of it."""

import io
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace

from controller.aws.secret import SecretToken
from controller.bootstrap import Controller, build
from controller.cloudflare.api import Api
from controller.cloudflare.records import ZoneCache
from controller.model import DnsRecord, Mode, Request
from controller.report.report import Report
from controller.runtime.budget import Clock
from controller.settings import read_settings
from controller.telemetry.log import log_error, log_report, start_logging
from tests.support.build import MARK
from tests.support.clock import FastClock
from tests.support.servers import Clouds
from tests.support.spec.in_truth import NO_EXCUSE, misdeeds_in_truth
from tests.support.state import State
from tests.system.faults.calls import Call, Proxy, Rule, in_order
from tests.system.faults.claims import false_claims, leaks, manners, said
from tests.system.faults.kinds import PLENTY, Kind
from tests.system.faults.plan import Case
from tests.system.faults.scenarios import SCENARIOS, Scenario
from tests.system.faults.witness import Witness

Environment = tuple[tuple[str, str], ...]
End = tuple[object, object]

#: Calls to Cloudflare in one pass that never need be more, whatever happens.
MOST_CALLS = 80


@dataclass(frozen=True, slots=True)
class Ended:
    """How a pass ended."""

    report: Report | None
    error: Exception | None
    state: State
    calls: int


@dataclass(slots=True)
class Workshop:
    """Makes controllers. Their clients are created once for each environment, since boto3 takes its time for them."""

    clouds: Clouds
    _made: dict[Environment, Controller] = field(default_factory=dict)

    def controller(self, clock: Clock, environment: Environment) -> Controller:
        """A controller as in a new process, which remembers nothing."""
        if environment not in self._made:
            with self.clouds.exported(**dict(environment)) as exported:
                self._made[environment] = build(read_settings(exported), account=self.clouds.aws.account)
        made = self._made[environment]
        _, _, http, secrets = made.clients
        api = Api(http, made.settings.cloudflare_url, SecretToken(secrets, made.settings.secret_arn or ""))  # type: ignore[arg-type]  # they are in this order
        return replace(made, clock=clock, api=api, zone=ZoneCache())

    def close(self) -> None:
        """End all connections."""
        while self._made:
            self._made.popitem()[1].close()


@dataclass(slots=True)
class Trial:
    """A world with everything that watches it."""

    workshop: Workshop
    scenario: Scenario
    witness: Witness = field(default_factory=Witness)
    clock: Clock = field(default_factory=FastClock)
    log: io.StringIO = field(default_factory=io.StringIO)
    clouds: Clouds = field(init=False)
    proxy: Proxy = field(init=False)
    controller: Controller = field(init=False)

    def __post_init__(self) -> None:
        self.clouds = self.workshop.clouds
        self.clouds.reset()
        self.scenario.fill(self.clouds)
        self.proxy = Proxy(self.clouds, innermost=self.witness)
        self.proxy.install()
        self.controller = self.new_controller()
        start_logging("DEBUG", self.log)

    def new_controller(self) -> Controller:
        """A controller as in a new process, which remembers nothing."""
        return self.workshop.controller(self.clock, self.scenario.environment)

    def run(self, rules: Iterable[Rule] = (), seconds: float = PLENTY, *, everything: bool = False) -> Ended:
        """One apply, with these faults."""
        self.proxy.rules = (*rules, *(() if everything else self.scenario.always))
        calls, report, error = len(self.clouds.cloudflare.requests), None, None
        try:
            report = self.controller.run(Request(Mode.APPLY, None if everything else self.scenario.scope), seconds)
            log_report(report)
        except Exception as raised:
            error = raised
            log_error(raised)
        state = self.clouds.state()
        self.proxy.calm()
        return Ended(report, error, state, len(self.clouds.cloudflare.requests) - calls)

    def verdict(self, ended: Ended, kind: Kind | None = None) -> Iterator[str]:
        """What was wrong with the pass that ended so."""
        told_lies = kind is not None and kind.lies
        yield from self.misdeeds(self.scenario.scope, kind)
        if ended.report:
            yield from false_claims(ended.report, ended.state, told_lies=told_lies)
        yield from leaks(said(ended.report, ended.error, self.log.getvalue()), self.secrets())
        yield from manners(ended.report, ended.error)
        if ended.calls > MOST_CALLS:
            yield f"{ended.calls} calls to Cloudflare"

    def misdeeds(self, scope: Collection[str] | None = None, kind: Kind | None = None) -> list[str]:
        """What was done and may not be, by the truth; a fault of this kind may excuse some of it."""
        excuse = kind.excuse if kind else NO_EXCUSE
        return misdeeds_in_truth(self.witness.deeds, self.controller.settings, scope, excuse)

    def secrets(self) -> list[str]:
        """What must never be said."""
        return [self.clouds.cloudflare.token, "cfut_blind", "Confidential"]

    def convergence(self) -> Iterator[str]:
        """Whether the next clean pass of the warm process makes all right, and the one after finds nothing to do."""
        self.clock.sleep(PLENTY)  # past every wait that a server asked for
        self.witness.deeds.clear()
        clean = self.run(everything=True)
        yield from (f"afterwards: {sentence}" for sentence in self.misdeeds())
        if clean.error or not clean.report or not clean.report.ended_well:
            yield f"the next pass did not end well: {clean.error or clean.report}"
            return
        again = self.run(everything=True)
        if again.error or not again.report or again.report.results:
            yield f"the pass after that still plans: {again.error or again.report}"


def end_of(state: State) -> End:
    """A world to compare with another: without what differs by chance."""
    records = [(r.name, r.type, r.content, r.proxied, _mark(r)) for r in state.records.values()]
    return sorted(records), state.rows


def _mark(record: DnsRecord) -> str:
    """The comment without the hint for people, which is never drift."""
    return MARK if f"{record.comment} ".startswith(f"{MARK} ") else record.comment


def calls_of(workshop: Workshop, name: str) -> list[Call]:
    """The calls that a pass without a fault makes; it must be a good one."""
    trial = Trial(workshop, SCENARIOS[name])
    assert list(trial.verdict(trial.run())) == []
    calls = in_order(trial.proxy.log)
    assert list(trial.convergence()) == []
    return calls


def try_fault(workshop: Workshop, case: Case, end: End) -> list[str]:
    """Everything that was wrong when this kind of fault met this call."""
    scenario, kind = SCENARIOS[case.scenario], case.kind
    trial = Trial(workshop, scenario)
    ended = trial.run([Rule(case.call, kind.play, kind.times)], kind.seconds)
    found = [*trial.verdict(ended, kind), *trial.convergence()]
    state = end_of(workshop.clouds.state())
    if not found and not kind.moves_world and not scenario.always and state != end:
        found.append(f"the world ended as {state}, not as {end}")
    return found


@dataclass(slots=True)
class Ends:
    """How each scenario ends when nothing fails, found out once."""

    workshop: Workshop
    known: dict[str, End] = field(default_factory=dict)

    def __getitem__(self, name: str) -> End:
        """The end of this scenario, and that its passes were well."""
        if name not in self.known:
            trial = Trial(self.workshop, SCENARIOS[name])
            assert [*trial.verdict(trial.run()), *trial.convergence()] == []
            self.known[name] = end_of(self.workshop.clouds.state())
        return self.known[name]
