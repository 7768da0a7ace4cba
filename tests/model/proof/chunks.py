"""Small worlds by the thousand: the parts of a family for ``make proof``, and a rotating sample for ``make test``."""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

from tests.model.proof.explore import Explorer
from tests.model.proof.product_of_factors import Family
from tests.model.properties.turns import taking_turns

#: An explorer remembers every state of a part: about a kilobyte each.
SIZE = 12_000
#: After so many worlds in which something is wrong the rest has nothing to tell.
ENOUGH = 5


@dataclass(frozen=True, slots=True)
class Part:
    """Some of a family's worlds."""

    family: Family
    number: int
    worlds: range

    def __str__(self) -> str:
        return f"{self.family.name.replace(' ', '-')}-{self.number}"


def parts(*families: Family) -> list[Part]:
    """All of their worlds."""
    return [Part(f, n, some) for f in families for n, some in enumerate(f.parts(ceil(len(f) / SIZE)))]


def explored(family: Family, numbers: Iterable[int]) -> tuple[dict[int, list[str]], Counter[str]]:
    """What is wrong in the first worlds of these numbers in which anything is, and what was counted."""
    explorer, found = Explorer(), dict[int, list[str]]()
    with taking_turns(random.Random(0)):
        for number in numbers:
            case = family[number]
            if case and (wrong := explorer.explore(case, family.scopes)):
                found[number] = wrong
                if len(found) == ENOUGH:
                    break
    return found, explorer.counts
