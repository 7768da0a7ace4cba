"""What rests on absence, by the specification. Sections 3 and 7 of the rules."""

from controller.model import Action, Result
from tests.support.spec import sight as spec
from tests.support.spec.sight import Sight


def rests_on(result: Result, sight: Sight) -> set[str]:
    """The instances that the change takes for ended without having seen it."""
    change = result.change
    match change.action:
        case Action.DELETE_RECORD:
            return {str(change.instance)} if spec.class_of(sight, str(change.instance)) == spec.ABSENT else set()
        case Action.TERMINATE_MEETING:
            return spec.absent_of(sight, change.key, sight.rows[change.key])
        case _:
            return set()


def is_held(result: Result, sight: Sight) -> bool:
    """Whether the guard holds it: it rests on absence, and absence is not believed."""
    return bool(rests_on(result, sight)) and not spec.believes_absence(sight)
