"""Whatever happens to one call, or to one delivery, of three lessons: the end is the same, and no write is a misdeed.

`make proof` tries every perturbation of every call and of every delivery; a sample, others every day, is always tried.
"""

import random
from collections.abc import Callable, Iterable

import pytest

from tests.faults.calls import Call
from tests.perturb.kinds import KINDS, Kind
from tests.perturb.theatre import Happenings, Theatre
from tests.perturb.workload import DELIVERIES, VISITS
from tests.proof.chunks import seed_of_today
from tests.proof.tally import counted

pytest_plugins = ("tests.faults.bench", "tests.perturb.bench")
pytestmark = pytest.mark.usefixtures("workshop")

Note = Callable[[str, object], None]
RUNS, PAIRED = counted("perturbed runs"), counted("runs perturbed twice")
PARTS, PAIRS = 10, 30


def tried(theatre: Theatre, cases: Iterable[Happenings]) -> dict[str, list[str]]:
    """What was wrong in which of them."""
    return {_told(case): wrong for case in cases if (wrong := theatre.play(case))}


def _told(case: Happenings) -> str:
    return " and ".join(f"{kind.name} at {call}" for call, kind in case)


def some(theatre: Theatre, rng: random.Random, kind: Kind) -> tuple[Call, Kind]:
    """A call that this can happen to."""
    calls = [call for visit in theatre.calls[: len(VISITS)] for call in visit if kind.fits(call)]
    return rng.choice(calls), kind


def pairs(theatre: Theatre, rng: random.Random, count: int) -> list[Happenings]:
    """Two perturbations of a run each; behind the first there may be other calls than there were."""
    return [tuple(some(theatre, rng, kind) for kind in rng.choices(KINDS, k=2)) for _ in range(count)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_call_that_is_perturbed_changes_nothing_in_the_end(
    theatre: Theatre, kind: Kind, record_property: Note
) -> None:
    seed = seed_of_today()
    record_property(RUNS, 1)
    assert tried(theatre, [(some(theatre, random.Random(seed), kind),)]) == {}, f"the seed was PROOF_SEED={seed}"


def test_a_delivery_that_is_perturbed_changes_nothing_in_the_end(theatre: Theatre, record_property: Note) -> None:
    rng = random.Random(seed_of_today())
    how, place = rng.choice(list(DELIVERIES)), rng.choice(VISITS)
    record_property(RUNS, 1)
    assert theatre.deliver(how, place) == [], f"{how} at {place}"


def test_two_perturbations_change_nothing_in_the_end(theatre: Theatre, record_property: Note) -> None:
    seed = seed_of_today()
    record_property(PAIRED, 1)
    assert tried(theatre, pairs(theatre, random.Random(seed), 1)) == {}, f"the seed was PROOF_SEED={seed}"


@pytest.mark.proof
@pytest.mark.parametrize("visit", range(len(VISITS)))
def test_every_perturbation_of_every_call(theatre: Theatre, visit: int, record_property: Note) -> None:
    cases = [((call, kind),) for call in theatre.calls[visit] for kind in KINDS if kind.fits(call)]
    record_property(RUNS, len(cases))
    assert tried(theatre, cases) == {}


@pytest.mark.proof
@pytest.mark.parametrize("how", DELIVERIES)
def test_every_delivery_that_is_perturbed(theatre: Theatre, how: str, record_property: Note) -> None:
    record_property(RUNS, len(VISITS))
    assert {place: wrong for place in VISITS if (wrong := theatre.deliver(how, place))} == {}


@pytest.mark.proof
@pytest.mark.parametrize("part", range(PARTS))
def test_pairs_of_perturbations(theatre: Theatre, part: int, record_property: Note) -> None:
    seed = seed_of_today() * PARTS + part
    record_property(PAIRED, PAIRS)
    assert tried(theatre, pairs(theatre, random.Random(seed), PAIRS)) == {}, f"the seed was {seed}"
