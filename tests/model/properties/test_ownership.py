"""Nothing without our mark is ever deleted; nothing outside the name pattern is ever touched; no living one's goes."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from controller.model import DnsRecord, Instance
from tests.model.properties.clouds import Clouds
from tests.model.properties.faults import Script
from tests.model.properties.passes import run
from tests.model.properties.profiles import PROMISE
from tests.model.properties.random_worlds import Chooser, cases
from tests.model.properties.simulation import random_scope, random_script
from tests.support.spec import owners
from tests.support.spec import sight as spec
from tests.support.spec.sight import Sight
from tests.support.state import Case, State

TROUBLES = st.randoms(use_true_random=False)


def some_passes(case: Case, choose: Chooser) -> Iterator[State]:
    """The state after each of a few passes, full or scoped, forced or not, with calls that fail but no other hands."""
    clouds = Clouds(case)
    for seed in range(choose.one((1, 2, 3))):
        script = alone(random_script(choose))
        yield run(clouds, random_scope(choose, clouds), force=choose.chance(0.5), script=script, seed=seed).state


def alone(script: Script) -> Script:
    """The same without other hands."""
    return replace(script, calls=replace(script.calls, meddlers={}), writes=replace(script.writes, meddlers={}))


def is_strangers(record: DnsRecord, case: Case) -> bool:
    return not spec.is_at_a_name_of_ours(record, case.settings) or owners.is_foreign(record, case.settings)


@PROMISE
@given(cases(), TROUBLES)
def test_strangers_records_are_never_touched_whatever_fails(case: Case, rng: Random) -> None:
    strangers = {key: r for key, r in case.state.records.items() if is_strangers(r, case)}
    for state in some_passes(case, Chooser(rng)):
        assert {key: r for key, r in state.records.items() if is_strangers(r, case)} == strangers


@PROMISE
@given(cases(), TROUBLES)
def test_unmarked_records_and_those_of_other_types_are_never_deleted(case: Case, rng: Random) -> None:
    kept = {key for key, r in case.state.records.items() if not owners.is_ours(r, case.settings)}
    for state in some_passes(case, Chooser(rng)):
        assert kept <= state.records.keys()


@PROMISE
@given(cases(), TROUBLES)
def test_right_record_of_a_serving_instance_is_never_touched(case: Case, rng: Random) -> None:
    sight = Sight.of(case.state, case.settings)
    serving = [r for r in sight.records if spec.class_of(sight, r.instance) == spec.SERVING]
    right = {r.id: r for r in serving if spec.is_right(r, sight)}
    for state in some_passes(case, Chooser(rng)):
        assert {key: state.records.get(key) for key in right} == right


@PROMISE
@given(cases(), TROUBLES)
def test_living_machine_keeps_its_right_record_whatever_its_tags_say(case: Case, rng: Random) -> None:
    living = {i.id: i for i in case.state.instances.values() if i.state in ("pending", "running") and i.public_ip}
    own = {k for k, r in case.state.records.items() if is_own(r, living.get(r.instance), case)}
    for state in some_passes(case, Chooser(rng)):
        assert own <= state.records.keys()


def is_own(record: DnsRecord, machine: Instance | None, case: Case) -> bool:
    """Whether it leads to its own machine, at the machine's name."""
    is_there = machine is not None and record.type == "A" and owners.same_address(record.content, machine.public_ip)
    return is_there and spec.is_at_a_name_of_ours(record, case.settings)


@PROMISE
@given(cases(), TROUBLES)
def test_whatever_fails_no_record_of_ours_is_ever_made_twice(case: Case, rng: Random) -> None:
    before = {r.name for r in case.state.records.values() if r.type == "A"}
    for state in some_passes(case, Chooser(rng)):
        new = [r.name for key, r in state.records.items() if key not in case.state.records]
        assert len(new) == len(set(new))
        assert not before.intersection(new) or all(_is_free(name, case) for name in before.intersection(new))


def _is_free(name: str, case: Case) -> bool:
    """Every A record at this name may go, so that the name may need a new one in a later pass."""
    there = [r for r in case.state.records.values() if r.name == name and r.type == "A"]
    return all(owners.is_ours(r, case.settings) for r in there)
