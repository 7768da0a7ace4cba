"""Why worlds that differ in names alone are counted once: the controller does the same to them, but for the names."""

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import TypeVar

import pytest

from tests.model.proof.machines import A, B, C
from tests.model.proof.product_of_factors import Family
from tests.model.proof.seed import seed_of_today
from tests.model.proof.small_worlds import ONE, ONE_ROLE, THREE, TWO_MEETINGS, TWO_ROLES
from tests.model.properties.passes import applied
from tests.model.properties.test_idempotence import same_world
from tests.support.state import Case, State

T = TypeVar("T")
WORLDS = 60
OWN, OTHER, THIRD = ("52.0.0.0", "52.0.1.0", "52.0.2.0")


def exchanged(*names: str) -> dict[str, str]:
    """Each name for the next, and the last for the first."""
    return dict(zip(names, (*names[1:], names[0]), strict=True))


SYMMETRIES = {
    "which-role-is-which": (
        TWO_ROLES,
        {
            **exchanged(A, B),
            **exchanged("teacher", "student"),
            **{f"52.0.{part}.{number}": f"52.0.{part}.{1 - number}" for part in range(3) for number in range(2)},
        },
    ),
    "which-of-two-other-addresses": (ONE, exchanged(OTHER, THIRD)),
    "which-addresses": (ONE_ROLE, {"52.0.0.0": "203.0.113.7", "52.0.0.1": "198.51.100.8", "52.0.1.1": "8.8.8.8"}),
    "what-the-meetings-are-called": (TWO_MEETINGS, {"m": "zebra", "other": "abc"}),
    "what-the-machines-are-called": (
        THREE,
        {A: "i-fffffffffffffff0a", B: "i-00000001", C: "i-abcdef012345678ff"},
    ),
}


def renamed(value: T, names: Mapping[str, str]) -> T:
    """The value with each whole word that is a name replaced, everywhere in it."""
    words = re.compile("|".join(rf"(?<![a-z\d.]){re.escape(name)}(?![a-z\d])" for name in sorted(names, key=len)[::-1]))

    def rename(part: object) -> object:
        if isinstance(part, str):
            return words.sub(lambda found: names[found[0]], part)
        if isinstance(part, Mapping):
            return {rename(key): rename(inner) for key, inner in part.items()}
        if is_dataclass(part) and not isinstance(part, type):
            return type(part)(**{field.name: rename(getattr(part, field.name)) for field in fields(part)})
        return part

    return rename(value)  # type: ignore[return-value]  # the same shape


def sample(family: Family) -> Iterator[Case]:
    chance = random.Random(seed_of_today())
    cases = (family[chance.randrange(len(family))] for _ in range(WORLDS))
    return (case for case in cases if case)


def same(one: State, other: State) -> bool:
    return one.rows == other.rows and same_world(one.records, other.records)


@pytest.mark.parametrize(("family", "names"), SYMMETRIES.values(), ids=SYMMETRIES)
def test_worlds_that_differ_in_names_alone_are_treated_alike(family: Family, names: dict[str, str]) -> None:
    for case in sample(family):
        alike = Case(renamed(case.state, names), case.settings)
        assert same(renamed(applied(case, force=True).state, names), applied(alike, force=True).state), case
        scope = sorted(case.state.instances)[:1]
        there = [renamed(instance, names) for instance in scope]
        assert same(renamed(applied(case, scope).state, names), applied(alike, there).state), case


def test_without_an_address_of_its_own_no_records_content_matters() -> None:
    names = exchanged(OWN, OTHER, THIRD)
    for case in sample(ONE):
        if not any(machine.public_ip for machine in case.state.instances.values()):
            alike = Case(renamed(case.state, names), case.settings)
            assert same(renamed(applied(case, force=True).state, names), applied(alike, force=True).state), case
