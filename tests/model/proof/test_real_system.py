"""The function itself on both servers, while users, launchers and EC2 act at random: safe, and right in the end."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

import handler
from tests.model.proof.tally import counted
from tests.model.properties.profiles import PROMISE
from tests.support.build import name
from tests.support.events import SCHEDULED, batch, state_change
from tests.support.lambda_runtime import LambdaContext
from tests.support.servers import Clouds
from tests.support.spec.in_truth import misdeeds_in_truth
from tests.system.faults.calls import Proxy
from tests.system.perturb.recorder import Journals

Note = Callable[[str, object], None]
meetings, roles = st.sampled_from(("m1", "m2")), st.sampled_from(("teacher", "student"))
STATUSES = ("LAUNCHED", "HEALTHY", "IN_PROGRESS", "CANCELLED")


class Function(RuleBasedStateMachine):
    """Its rules are what anybody may do next, the events that come of it included."""

    clouds: ClassVar[Clouds]
    counts: ClassVar[Counter[str]]
    journals: ClassVar[Journals]
    machines: ClassVar[Bundle[str]] = Bundle("machines")

    def __init__(self) -> None:
        super().__init__()
        self.clouds.reset()
        Proxy(self.clouds, innermost=self.journals.witness).install()

    @rule(target=machines, meeting=meetings, role=roles, is_noticed=st.booleans())
    def launch(self, meeting: str, role: str, is_noticed: bool) -> str:
        machine = self.clouds.launch(meeting, role)
        if is_noticed:
            self._invoke(state_change(machine), machine)
        return machine

    @rule(machine=machines, deed=st.sampled_from(("start", "stop", "terminate")), is_noticed=st.booleans())
    def a_machine_changes(self, machine: str, deed: str, is_noticed: bool) -> None:
        if self.clouds.aws.machines.all()[machine].state != "terminated":
            getattr(self.clouds.aws.machines, deed)(machine)
        if is_noticed:
            self._invoke(batch(state_change(machine)), machine)

    @rule(meeting=meetings, status=st.sampled_from(STATUSES))
    def a_row_changes(self, meeting: str, status: str) -> None:
        if self.clouds.aws.rows.all().get(meeting, {}).get("status", "TERMINATED") != "TERMINATED":
            self.clouds.aws.rows.edit(meeting, status=status)

    @rule()
    def the_schedule_comes(self) -> None:
        self._invoke(SCHEDULED)

    @invariant()
    def one_step_more(self) -> None:
        self.counts["steps of random systems on servers"] += 1

    def teardown(self) -> None:
        self._invoke(SCHEDULED)
        assert self._invoke({"action": "plan"})["converged"]
        assert self.journals.wrongs(self.clouds) == []
        serving = {m.id: m.address for m in self.clouds.aws.machines.all().values() if m.state == "running"}
        assert self.clouds.records() == {name(machine): [address] for machine, address in serving.items()}

    def _invoke(self, event: Any, *scope: str) -> dict[str, Any]:
        self.journals.clear()
        report = handler.lambda_handler(event, LambdaContext())
        assert self.journals.misdeeds() == []
        for journal in self.journals.kept:
            assert misdeeds_in_truth(journal.writes(), journal.settings, scope or None) == []
        return report


@pytest.fixture
def function(clouds: Clouds) -> Iterator[Clouds]:
    """A function that has just been deployed."""
    Function.journals = Journals()
    with clouds.exported(), pytest.MonkeyPatch.context() as patch:
        Function.journals.install(patch)
        yield clouds
        clouds.forget_function()


def run(clouds: Clouds, examples: int, steps: int, note: Note) -> None:
    """So many random histories of at most so many steps; what was counted is noted however it ends."""
    Function.clouds, Function.counts = clouds, Counter()
    try:
        run_state_machine_as_test(
            Function, settings=settings(PROMISE, max_examples=examples, stateful_step_count=steps)
        )
    finally:
        for what, count in Function.counts.items():
            note(counted(what), count)


@pytest.mark.usefixtures("requests_judged")
def test_a_few_steps_of_random_systems_on_servers(function: Clouds, record_property: Note) -> None:
    run(function, 3, 10, record_property)


@pytest.mark.proof
def test_thousands_of_steps_of_random_systems_on_servers(function: Clouds, record_property: Note) -> None:
    run(function, 100, 30, record_property)
