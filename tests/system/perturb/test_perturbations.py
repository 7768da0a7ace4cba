"""Whatever happens to one call, or to one delivery, of three lessons: the end is the same, and no write is a misdeed.

`make proof` tries every perturbation of every call and of every delivery; a sample, others every day, is always tried.
"""

import random
from collections.abc import Callable, Iterable

import pytest

from tests.model.proof.seed import seed_of_today
from tests.model.proof.tally import counted
from tests.system.perturb.kinds import KINDS, Kind
from tests.system.perturb.theatre import Happening, Theatre
from tests.system.perturb.workload import DELIVERIES, VISITS

pytest_plugins = ("tests.system.faults.bench", "tests.system.perturb.bench")
pytestmark = pytest.mark.usefixtures("workshop")

Note = Callable[[str, object], None]
RUNS, PAIRED = counted("perturbed runs"), counted("runs perturbed twice")
PARTS, PAIRS = 10, 30


def tried(theatre: Theatre, cases: Iterable[Happening]) -> dict[str, list[str]]:
    """What was wrong in which of them."""
    return {_said(case): wrong for case in cases if (wrong := theatre.play(case))}


def _said(*case: Happening) -> str:
    return " and ".join(f"{kind.name} at {call}" for call, kind in case)


def try_pairs(theatre: Theatre, rng: random.Random, count: int) -> dict[str, list[str]]:
    """What was wrong in which runs, until so many were perturbed twice.

    Behind the first perturbation there may be other calls than there were, so that the second can miss its own.
    """
    twice, wrong = 0, dict[str, list[str]]()
    possible = theatre.possible_anywhere()
    while twice < count and not wrong:
        pair = rng.sample(possible, 2)
        if found := theatre.play(*pair):
            wrong[_said(*pair)] = found
        twice += theatre.happened == len(pair)
    return wrong


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_call_that_is_perturbed_changes_nothing_in_the_end(
    theatre: Theatre, kind: Kind, record_property: Note
) -> None:
    seed = seed_of_today()
    cases = [case for case in theatre.possible_anywhere() if case[1] is kind]
    record_property(RUNS, 1)
    assert tried(theatre, [random.Random(seed).choice(cases)]) == {}, f"the seed was PROOF_SEED={seed}"


def test_stale_answer_beside_a_fresh_one_is_judged_by_both(theatre: Theatre) -> None:
    """One machine has been replaced and another starts again: of one the pass believes the old answer, of one not."""
    replaced_and_restarted = 7
    cases = [case for case in theatre.possible(replaced_and_restarted) if case[1].name == "stale-answer"]
    assert cases
    assert tried(theatre, cases) == {}


def test_a_delivery_that_is_perturbed_changes_nothing_in_the_end(theatre: Theatre, record_property: Note) -> None:
    case, steps = random.Random(seed_of_today()).choice(list(DELIVERIES.items()))
    record_property(RUNS, 1)
    assert theatre.play(steps=steps) == [], case


def test_two_perturbations_change_nothing_in_the_end(theatre: Theatre, record_property: Note) -> None:
    seed = seed_of_today()
    record_property(PAIRED, 1)
    assert try_pairs(theatre, random.Random(seed), 1) == {}, f"the seed was PROOF_SEED={seed}"


@pytest.mark.proof
@pytest.mark.parametrize("visit", range(len(VISITS)))
def test_every_perturbation_of_every_call(theatre: Theatre, visit: int, record_property: Note) -> None:
    cases = theatre.possible(visit)
    record_property(RUNS, len(cases))
    assert tried(theatre, cases) == {}


@pytest.mark.proof
@pytest.mark.parametrize("how", dict.fromkeys(how for how, _ in DELIVERIES))
def test_every_delivery_that_is_perturbed(theatre: Theatre, how: str, record_property: Note) -> None:
    cases = {place: steps for (name, place), steps in DELIVERIES.items() if name == how}
    record_property(RUNS, len(cases))
    assert {place: wrong for place, steps in cases.items() if (wrong := theatre.play(steps=steps))} == {}


@pytest.mark.proof
@pytest.mark.parametrize("part", range(PARTS))
def test_pairs_of_perturbations(theatre: Theatre, part: int, record_property: Note) -> None:
    seed = seed_of_today()
    record_property(PAIRED, PAIRS)
    assert try_pairs(theatre, random.Random(seed * PARTS + part), PAIRS) == {}, f"the seed was PROOF_SEED={seed}"
