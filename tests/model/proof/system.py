"""The whole system at random: users, launchers, desktops, the terminator, EC2, other hands, and one or two controllers.

They come between two passes, and between any two calls of one; calls fail, answers are lost, passes are cut short.
After every step each write of every pass has been judged by the specification; in the end, when all are quiet, one
clean pass makes the world right, and the next plans nothing.
"""

import random
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from controller.model import DnsRecord, Instance, Outcome
from tests.model import actors
from tests.model.proof.duet import Duet
from tests.model.properties.clouds import Clouds
from tests.model.properties.faults import CALM, Calls, Script
from tests.model.properties.passes import Ran, run, run_in_turns
from tests.model.properties.random_worlds import IDS, MEETINGS, ROUTABLE, Chooser, settings_with
from tests.model.properties.simulation import what_a_calm_pass_leaves
from tests.model.properties.turns import taking_turns
from tests.support.build import MARK
from tests.support.clock import START
from tests.support.spec.allowed import misdeeds
from tests.support.spec.right import takes_two_passes, wrongs
from tests.support.state import Case, State

Scope = Collection[str] | None
#: None of our business, whoever's mark they bear: a name of another form, and a name under another domain.
BYSTANDERS = {
    key: DnsRecord(key, name, name.partition(".")[0], "A", "192.0.2.9", True, MARK, START)
    for key, name in (("b1", "www.example.com"), ("b2", "i-00000001.www.example.com"))
}
#: By another style of owner id, so that absence is believed only where EC2 shows one of our machines.
SETTINGS = settings_with(place=None)

meetings, roles = st.sampled_from(MEETINGS), st.sampled_from(SETTINGS.roles)
acts = st.builds(actors.Act, st.sampled_from(actors.OF_A_MEETING), meetings, roles)
others = acts | st.builds(actors.Meddle, st.integers(0, 1 << 30))
at_calls = st.integers(0, 5)
calls = st.builds(
    Calls,
    faults=st.dictionaries(at_calls, st.integers(0, 719), max_size=2),
    meddlers=st.dictionaries(at_calls, others, max_size=2),
    cut=st.none() | at_calls,
)
scripts = (
    st.just(CALM)
    | st.builds(Script, calls=calls, resends=st.booleans())
    | st.builds(Script, writes=calls)
    | st.builds(Script, row_writes=calls)
)


class System(RuleBasedStateMachine):
    """Its rules are what anybody may do next."""

    counts: ClassVar[Counter[str]]  # of the run, over all examples
    machines: ClassVar[Bundle[str]] = Bundle("machines")

    def __init__(self) -> None:
        super().__init__()
        self.clouds = Clouds(Case(State(START, {}, BYSTANDERS, {}), SETTINGS))
        self.unused = list(IDS)
        self.events: list[str] = []  # of machines in a new state, not yet delivered
        self.found: list[str] = []

    # The people, and EC2.

    @initialize(target=machines, some=st.sets(meetings, min_size=1, max_size=2))
    def begin(self, some: set[str]) -> MultipleResults[str]:
        """A meeting or two with machines that are about to run."""
        for meeting in sorted(some):
            actors.schedule(self.clouds, meeting, "")
        return multiple(*(self._launched(meeting, role) for meeting in sorted(some) for role in SETTINGS.roles))

    @rule(act=acts)
    def somebody_acts(self, act: actors.Act) -> None:
        act(self.clouds)

    @precondition(lambda self: bool(self.unused))
    @rule(target=machines, meeting=meetings, role=roles)
    def launch(self, meeting: str, role: str) -> str:
        return self._launched(meeting, role)

    def _launched(self, meeting: str, role: str) -> str:
        machine = self.unused.pop()
        if machine not in self.clouds.state.instances:  # a launcher may have come in between the calls of a pass
            actors.launch(self.clouds, machine, meeting, role)
            actors.change(self.clouds, machine, actors.run, ROUTABLE[len(self.unused)])
            self.events.append(machine)
        return machine

    @rule(deed=st.sampled_from(actors.OF_A_MACHINE), machine=machines, address=st.sampled_from((None, *ROUTABLE)))
    def a_machine_changes(
        self, deed: Callable[[Clouds, Instance, str | None], None], machine: str, address: str | None
    ) -> None:
        actors.change(self.clouds, machine, deed, address)
        self.events.append(machine)

    @rule(deed=st.sampled_from(actors.BY_HAND), rng=st.randoms(use_true_random=False))
    def by_hand(self, deed: actors.Deed, rng: random.Random) -> None:
        """At a dashboard, by another function, by another deployment."""
        deed(self.clouds, Chooser(rng))

    @rule(seconds=st.sampled_from((1, 60, 301, 100_000)))
    def time_passes(self, seconds: int) -> None:
        self.clouds.clock.sleep(seconds)

    # The controllers.

    @rule(script=scripts, force=st.booleans())
    def the_schedule_comes(self, script: Script, force: bool) -> None:
        is_enough = script is CALM and not takes_two_passes(self.clouds.moment(), SETTINGS)
        ran = run(self.clouds, force=force, script=script)
        self._judge(ran, None, force=force)
        if is_enough and not ran.ended(Outcome.GUARDED):
            self.found += wrongs(ran.state, SETTINGS)

    @precondition(lambda self: bool(self.events))
    @rule(script=scripts, places=st.sets(st.integers(0, 9), min_size=1), is_repeated=st.booleans())
    def events_come(self, script: Script, places: set[int], is_repeated: bool) -> None:
        """Some, in any order, perhaps once more later; those that never come are as good as lost."""
        scope = self._deliver(places, is_repeated=is_repeated)
        self._judge(run(self.clouds, scope, script=script), scope)

    @rule(places=st.sets(st.integers(0, 9), max_size=3), choices=st.lists(st.booleans(), max_size=30), faults=calls)
    def two_controllers_meet(self, places: set[int], choices: list[bool], faults: Calls) -> None:
        """An event's pass, or a second scheduled one, in between the calls of another."""
        scope = self._deliver(places, is_repeated=False) or None
        with taking_turns(random.Random(0)):
            one, other = Duet(self.clouds, choices).play(
                lambda script: run_in_turns(self.clouds, script=replace(script, writes=faults)),
                lambda script: run_in_turns(self.clouds, scope, script=script),
            )
        self._judge(one, None)
        self._judge(other, scope)

    def _deliver(self, places: set[int], *, is_repeated: bool) -> frozenset[str]:
        places = {place % len(self.events) for place in places if self.events}
        scope = frozenset(self.events[place] for place in places)
        if not is_repeated:
            self.events = [machine for place, machine in enumerate(self.events) if place not in places]
        return scope

    def _judge(self, ran: Ran, scope: Scope, *, force: bool = False) -> None:
        self.counts["passes in random systems"] += 1
        self.found += misdeeds(ran.journal, SETTINGS, scope, force=force)
        if ran.error and any(call in ("rows.write", "records.write") for call in ran.calls):
            self.found.append(f"raised after its first write: {ran.error}")

    # What is true after each step, and in the end.

    @invariant()
    def every_write_was_allowed(self) -> None:
        self.counts["steps of random systems"] += 1
        assert self.found == []

    def teardown(self) -> None:
        assert what_a_calm_pass_leaves(self.clouds) == []
