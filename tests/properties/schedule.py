"""What a scoped pass may change, and so what of the full pass's plan it should bring. Section 1 of the rules."""

from collections.abc import Collection

from controller.model import Action, Outcome, Result
from tests.properties import spec
from tests.properties.spec import Sight
from tests.properties.state import Case

LINKS = (Action.WRITE_LINK, Action.CLEAR_LINK)
WRITES = (Action.CREATE_RECORD, Action.UPDATE_RECORD)


def subject(result: Result) -> tuple[object, ...]:
    """What makes two changes the same, sentences for people aside."""
    change = result.change
    return (
        change.action, change.key, change.role, change.instance, change.before, change.after, change.record, change.row,
        change.rule, change.concluded,
    )  # fmt: skip


def subjects(results: Collection[Result], scope: Collection[str]) -> set[tuple[object, ...]]:
    """The same of each change, and of what goes instead of a link to a machine in scope whose record may fail."""
    unsure = {r.change.instance for r in results if r.change.record and r.change.instance in scope}

    def all_of(result: Result) -> tuple[object, ...]:
        change = result.change
        others = change.instead if change.action is Action.WRITE_LINK and change.instance in unsure else ()
        return subject(result), *(subject(Result(other, Outcome.PLANNED)) for other in others)

    return set(map(all_of, results))


def may_change(result: Result, case: Case, scope: Collection[str]) -> bool:
    """These instances' records, their roles' links, and their meetings' termination.

    Of those alive without our tag nothing is changed, and only a tag says which meeting and role an instance has.
    """
    sight, change = Sight.of(case.state, case.settings), result.change
    inside = [i for i in scope if spec.class_of(sight, i) != spec.UNTAGGED]
    if change.action in (*WRITES, Action.DELETE_RECORD):
        return change.instance in inside
    machines = [m for i in inside if (m := sight.instances.get(i)) and m.tagged and m.meeting == change.key]
    return any(change.action not in LINKS or m.role == change.role for m in machines)


def leads_outside(result: Result, full: Collection[Result], scope: Collection[str]) -> bool:
    """A link whose current is an instance outside the scope, with no record in place."""
    change = result.change
    if change.action is not Action.WRITE_LINK or change.instance in scope:
        return False
    return any(r.change.action in WRITES and r.change.instance == change.instance for r in full)
