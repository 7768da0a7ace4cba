"""What rests on absence or on a lost tag, by the specification. Section 6 of the rules."""

from collections.abc import Iterable

from controller.model import Action, Result
from tests.properties import spec
from tests.properties.spec import Sight


def rests_on(result: Result, sight: Sight) -> set[str]:
    """The instances whose end the change takes for granted without having seen it."""
    change = result.change
    match change.action:
        case Action.DELETE_RECORD:
            candidates = {str(change.instance)}
        case Action.CLEAR_LINK:
            there = spec.linked(sight.rows[change.key], str(change.role), sight.settings)
            candidates = {str(there)}
        case Action.TERMINATE_MEETING:
            row = sight.rows[change.key]
            candidates = spec.members(sight, change.key, row) | spec.dead_ends(sight, change.key, row)
        case _:
            return set()
    return {i for i in candidates if spec.class_of(sight, i) in spec.GUARDED}


def all_concluded(results: Iterable[Result], sight: Sight) -> set[str]:
    return {instance for result in results for instance in rests_on(result, sight)}
