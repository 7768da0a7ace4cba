"""Every write to a row names what it saw: it happens in the row that was read, and not in one that has moved on."""

from hypothesis import given

from controller.model import Action, Change, RowChange
from tests.model.properties.passes import planned
from tests.model.properties.profiles import PROMISE
from tests.model.properties.random_worlds import ODD, cases
from tests.model.properties.test_races import rewrites
from tests.support.ports import holds
from tests.support.spec import sight as spec
from tests.support.state import Case, Row

EARLY_OR_WRITTEN = (*spec.EARLY, "DNS_WRITTEN")


def still_wanted(change: Change, seen: Row, now: Row) -> bool:
    """Whether the write may still happen, by the rules for meetings."""
    link, named = f"{change.role}_ec2_link", f"{change.role}_ec2_id"
    match change.action:
        case Action.WRITE_LINK:
            is_alike = seen.get("status") in EARLY_OR_WRITTEN and now.get("status") in EARLY_OR_WRITTEN
            return now.get(named) == seen.get(named) and (is_alike or now.get("status") == seen.get("status"))
        case Action.CLEAR_LINK:
            return now.get(link) == seen.get(link) and now.get("status") != "TERMINATED"
        case _:
            return all(now.get(name) == seen.get(name) for name in seen.keys() | now.keys() if _is_named(name))


def _is_named(name: str) -> bool:
    return name == "status" or name.endswith(("_ec2_id", "_ec2_link"))


@PROMISE
@given(cases())
def test_write_applies_to_the_row_as_seen_and_not_to_a_changed_one(case: Case) -> None:
    for change in (r.change for r in planned(case, force=True).results if isinstance(r.change, RowChange)):
        seen = case.state.rows[change.key]
        assert all(holds(condition, seen) for condition in change.write.conditions)
        odd: list[Row] = [{**seen, name: ODD} for name in seen if _is_named(name)]
        lost: list[Row] = [{n: v for n, v in seen.items() if n != name} for name in seen if _is_named(name)]
        for now in [*(row for rewrite in rewrites(case) if (row := rewrite(seen))), *odd, *lost]:
            is_done = all(holds(condition, now) for condition in change.write.conditions)
            # DNS_WRITTEN seen and an early status now: a write may or may not name the early class as well.
            may_differ = change.action is Action.WRITE_LINK and seen.get("status") == "DNS_WRITTEN"
            assert is_done == still_wanted(change, seen, now) or (may_differ and not is_done), (change, now)
