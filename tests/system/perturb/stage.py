"""One run of the workload through the function's own entry, and everything that was wrong with it."""

import io
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, field, replace
from itertools import chain, combinations

import handler
from controller.errors import WatchdogError
from controller.model import Mode, Request
from controller.sandbox.cloudflare import Reply
from controller.telemetry.log import start_logging
from tests.support.clock import FastClock
from tests.support.journal import Write
from tests.support.lambda_runtime import LambdaContext
from tests.support.spec.in_truth import Excuse, misdeeds_in_truth
from tests.support.state import State
from tests.system.faults.calls import Call, Proxy, Rule, Scene, in_order
from tests.system.faults.claims import leaks, manners
from tests.system.faults.trial import End, Workshop, end_of
from tests.system.perturb.cast import People
from tests.system.perturb.earlier_answers import Memory
from tests.system.perturb.recorder import Journals
from tests.system.perturb.workload import Step, Visit


@dataclass(slots=True)
class Stage:
    """Empty clouds, people, and the function; what it does is judged visit by visit."""

    workshop: Workshop
    clock: FastClock
    journals: Journals
    memory: Memory = field(default_factory=Memory)
    log: io.StringIO = field(default_factory=io.StringIO)
    found: list[str] = field(default_factory=list)
    calls: list[list[Call]] = field(default_factory=list)  # of each visit
    proxy: Proxy = field(init=False)
    people: People = field(init=False)
    latest: Visit = field(init=False)  # event, this one or an earlier one
    has_died: bool = False  # the process: nothing of it arrives any more
    happened: int = 0  # perturbations
    believed: State | None = None  # the world that a stale answer has shown

    def __post_init__(self) -> None:
        clouds = self.workshop.clouds
        clouds.reset()
        handler.process.end()
        self.journals.clear()
        self.people = People(clouds)
        self.proxy = Proxy(clouds, innermost=self._answer)
        self.proxy.install()
        start_logging("DEBUG", self.log)

    def run(self, steps: Iterable[Step], rules: Sequence[Rule] = ()) -> list[str]:
        """Play the steps under these rules, then let the schedule come once; returns what was wrong."""
        self.proxy.rules = tuple(rules)
        for step in steps:
            if isinstance(step, Visit):
                self._invoke(step)
            else:
                step(self.people)
            self.people.poll()
        self.proxy.calm()
        self._invoke(Visit())
        self.people.poll()
        self._look_again()
        self.found += self.journals.wrongs(self.workshop.clouds)
        self.found += leaks(self.log.getvalue(), [self.workshop.clouds.cloudflare.token, "Confidential"])
        return self.found

    def end(self) -> End:
        """How the world is now. Whether a row got its links before somebody ended it is all the same."""
        records, rows = end_of(self.workshop.clouds.state())
        assert isinstance(rows, dict)
        return records, {key: _without_history(row) for key, row in rows.items()}

    def die(self) -> None:
        """The process ends."""
        self.has_died = True

    def let_another_pass(self, scope: frozenset[str] | None) -> None:
        """Another process, from beginning to end."""
        with suppress(WatchdogError):
            self.workshop.controller(self.clock, ()).run(Request(Mode.APPLY, scope), LambdaContext().seconds)

    def _invoke(self, visit: Visit) -> None:
        self.believed = None
        self.latest = visit if visit.machines else self.latest
        self.journals.clear()
        first, error = len(self.proxy.log), None
        with redirect_stdout(self.log):
            try:
                handler.lambda_handler(visit.event, LambdaContext())
            except WatchdogError as raised:
                error = raised
        self.calls.append(in_order(self.proxy.log[first:]))
        self.found += manners(None, error)
        self._judge()
        if self.has_died:
            handler.process.end()
            self.has_died = False

    def _judge(self) -> None:
        """By the specification, from what each pass read; and by the world as it was, or as the pass was shown it."""
        self.found += self.journals.misdeeds()
        excuse = Excuse(was_lied_to=self.believed is not None, was_blind=self.believed is not None)
        for journal in self.journals.kept:
            for write in journal.writes():
                shown_ways = self._as_shown(write)
                verdicts = [misdeeds_in_truth([each], journal.settings, journal.scope, excuse) for each in shown_ways]
                self.found += verdicts[0] if all(verdicts) else []

    def _as_shown(self, write: Write) -> list[Write]:
        """The world as it was, and with some machines as the stale answer showed them: a pass reads each repeatedly."""
        stale = self.believed.instances.items() - write.before.instances.items() if self.believed else ()
        some = chain.from_iterable(combinations(stale, count) for count in range(len(stale) + 1))
        return [
            replace(write, before=replace(write.before, instances={**write.before.instances, **dict(shown)}))
            for shown in some
        ]

    def _look_again(self) -> None:
        with redirect_stdout(self.log):
            report = handler.lambda_handler({"action": "plan"}, LambdaContext())
        self.found += [f"is still planned: {change['action']} {change['key']}" for change in report["changes"]]

    def _answer(self, scene: Scene) -> Reply:
        if self.has_died:
            return Reply.nothing()
        reply = self.journals.witness(scene)
        self.memory.keep(scene, reply)
        return reply


Rows = dict[str, object]


def _without_history(row: Rows) -> Rows:
    if row.get("status") != "TERMINATED":
        return row
    return {name: value for name, value in row.items() if not name.endswith("_ec2_link")}
