"""What a scoped pass may change, and so what of the full pass's plan it should bring (docs/how-it-works.md)."""

from collections.abc import Collection, Iterator

from controller.model import Action, RecordChange, Result, RowChange
from tests.support.spec import sight as spec
from tests.support.spec.sight import Sight
from tests.support.state import Case

Subject = tuple[object, ...]
ALIVE = ("pending", "running")


def subject(result: Result) -> Subject:
    """What makes two changes the same, sentences for people aside."""
    change = result.change
    return (
        *change.ident, change.instance, change.before, change.after, change.rule, change.evidence,
        change.write if isinstance(change, RowChange) else None,
    )  # fmt: skip


def unlike_the_full_pass(
    case: Case, scope: Collection[str], full: Collection[Result], scoped: Collection[Result]
) -> list[str]:
    """What a pass for these machines plans that the full pass does not, and the other way round.

    Nothing is asked of it for a machine alive without our tag, nor for one that the full pass does not look at.
    """
    sight = Sight.of(case.state, case.settings)
    read = {i: m for i in scope if (m := case.state.instances.get(i)) and (m.tagged or m.state not in ALIVE)}
    inside = read.keys() & sight.instances.keys()
    rows = {machine.meeting for machine in read.values() if machine.meeting in sight.rows}
    mine = [r for r in scoped if r.change.instance not in read.keys() - inside]
    allowed = [r for r in full if _may_change(r, inside, rows, sight)]
    removals = _removals(mine)
    cleared = set(_removed_only(full, inside, rows, sight)) - _removals(allowed).keys()
    due = {subject(r) for r in allowed}
    planned = {subject(r) for r in mine} - {subject(r) for place, r in removals.items() if place in cleared}
    return [
        *(f"for {sorted(scope)} alone, and not for all: {s}" for s in planned - due),
        *(f"for all, and not for {sorted(scope)} alone: {s}" for s in due - planned),
        *(f"the link {place} to {sorted(scope)} is not removed" for place in cleared - removals.keys()),
    ]


def _removals(results: Collection[Result]) -> dict[tuple[str, str], Result]:
    """By meeting and role."""
    return {(r.change.key, str(r.change.role)): r for r in results if r.change.action is Action.CLEAR_LINK}


def _may_change(result: Result, inside: Collection[str], rows: Collection[str | None], sight: Sight) -> bool:
    """These instances' records, and links that lead, or are to lead, to them; only of rows that their tags name.

    Whether another meeting has a row is not judged, and no meeting is ended.
    """
    change = result.change
    if change.instance not in inside or change.action is Action.TERMINATE_MEETING:
        return False
    if isinstance(change, RecordChange):
        return True
    return change.key in rows and (change.action is Action.WRITE_LINK or _goes(change.key, str(change.role), sight))


def _removed_only(
    full: Collection[Result], inside: Collection[str], rows: Collection[str | None], sight: Sight
) -> Iterator[tuple[str, str]]:
    """Dead links to them that the full pass removes by ending the meeting, or by writing one to a machine outside."""
    for change in (result.change for result in full if result.change.key in rows):
        is_written = change.action is Action.WRITE_LINK and change.instance not in inside
        if is_written or change.action is Action.TERMINATE_MEETING:
            for role, there in spec.links_of(sight.rows[change.key], sight.settings).items():
                if there in inside and change.role in (None, role) and _goes(change.key, role, sight):
                    yield change.key, role


def _goes(meeting: str, role: str, sight: Sight) -> bool:
    """Whether a scoped pass sees that this link goes."""
    there = spec.linked(sight.rows[meeting], role, sight.settings)
    seen = Sight(sight.settings, sight.now, sight.instances, sight.records, sight.rows, is_full=False)
    return there is not None and spec.link_goes(seen, there, meeting, role)
