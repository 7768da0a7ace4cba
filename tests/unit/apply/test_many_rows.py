"""Of many rows each ends for itself; only what concerns every row stops the others."""

from collections import Counter

from controller.errors import CallError, DeniedError, RefusedError
from controller.model import Outcome
from controller.rules.plan import plan
from controller.runtime.threads import MAX_THREADS
from tests.support.build import machine, record, row, settings, world
from tests.unit.apply.odd_clouds import OddTable, OddZone, carried_out

ROWS = [f"m{number}" for number in range(100)]


def links_met(error: CallError) -> tuple[Counter[Outcome], int]:
    """How a hundred rows' links ended where each write meets this, and how many were tried."""
    machines = [machine(f"i-{number:017x}", meeting=meeting) for number, meeting in enumerate(ROWS)]
    seen = world(machines, [record(m.id, id=m.id) for m in machines], [row(meeting) for meeting in ROWS])
    table, zone = OddTable(None, [error] * len(ROWS), of=ROWS), OddZone([[]])
    ended = carried_out(plan(seen, settings()), seen, table, zone)
    return Counter(result.outcome for result in ended.results), len(table.writes)


def test_missing_permission_is_tried_by_at_most_one_row_per_thread() -> None:
    ends, tried = links_met(DeniedError("not yours"))
    assert 1 <= tried <= MAX_THREADS
    assert ends == {Outcome.FAILED: tried, Outcome.NOT_REACHED: len(ROWS) - tried}


def test_what_is_refused_of_one_row_stops_no_other() -> None:
    assert links_met(RefusedError("odd")) == (Counter({Outcome.FAILED: len(ROWS)}), len(ROWS))
