"""Which kind of fault meets which call: all of them, or a sample in which each kind and each call appears."""

from collections import defaultdict
from itertools import cycle
from typing import NamedTuple

from tests.system.faults import aws_kinds, cloudflare_kinds, hands
from tests.system.faults.calls import BATCH, DESCRIBE, GET, LIST, QUERY, SCAN, SECRET, UPDATE, ZONE, Call
from tests.system.faults.kinds import Kind
from tests.system.faults.scenarios import BLIND, CONTENDED, FRESH, FULL, INDEXED, SCOPED

KINDS = (*cloudflare_kinds.all_kinds(), *aws_kinds.all_kinds(), *hands.all_kinds())

_COUNTS = {
    FULL: {LIST: 1, BATCH: 1, SECRET: 1, DESCRIBE: 4, SCAN: 1, GET: 3, UPDATE: 7},
    SCOPED: {LIST: 1, BATCH: 1, SECRET: 1, DESCRIBE: 3, GET: 8, UPDATE: 4},
    FRESH: {LIST: 1, ZONE: 1, BATCH: 1, SECRET: 1, DESCRIBE: 2, GET: 1, UPDATE: 1},
    BLIND: {LIST: 1, ZONE: 2, BATCH: 2, SECRET: 1, DESCRIBE: 1, SCAN: 1, GET: 1, UPDATE: 2},
    INDEXED: {LIST: 1, BATCH: 1, SECRET: 1, DESCRIBE: 4, QUERY: 4, GET: 3, UPDATE: 7},
    CONTENDED: {LIST: 2, BATCH: 2, SECRET: 1, DESCRIBE: 6, SCAN: 1, GET: 5, UPDATE: 8},
}
#: Every call that a pass makes in each scenario; a test holds it against what passes really do.
CALLS = {
    scenario.name: tuple(Call(operation, number + 1) for operation, count in counts.items() for number in range(count))
    for scenario, counts in _COUNTS.items()
}


class Case(NamedTuple):
    """One trial."""

    scenario: str
    call: Call
    kind: Kind

    def __str__(self) -> str:
        return f"{self.scenario}-{self.call}-{self.kind}"


def places() -> list[tuple[str, Call]]:
    """Every call of every scenario."""
    return [(scenario, call) for scenario, calls in CALLS.items() for call in calls]


def cases_at(scenario: str, call: Call) -> list[Case]:
    """Every kind in each of its forms, as far as it fits the call."""
    return [Case(scenario, call, kind) for kind in KINDS if _fits(call, kind)]


def _fits(call: Call, kind: Kind) -> bool:
    return call.operation in kind.at


def sample() -> tuple[Case, ...]:
    """Each kind (in one of its forms) and each call at least once, spread over the scenarios as evenly as it goes."""
    forms = defaultdict[object, list[Kind]](list)
    for kind in KINDS:
        forms[kind.whole_family].append(kind)
    chosen, calls = list[Case](), cycle(places())
    for number, kinds in enumerate(forms.values()):
        kind = kinds[number % len(kinds)]
        scenario, call = next((s, c) for s, c in calls if _fits(c, kind))
        chosen.append(Case(scenario, call, kind))
    met = {(case.scenario, case.call) for case in chosen}
    for number, (scenario, call) in enumerate(place for place in places() if place not in met):
        cases = cases_at(scenario, call)
        chosen.append(cases[number * 7 % len(cases)])
    return tuple(chosen)
