"""What a rule hears: its pattern tried with the events that AWS sends, here or in a cell."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from controller.doctor.diagnosis import Check, Status, failed, fails_as, warned
from controller.doctor.patterns import RIGHT_PATTERN, STATES, Matcher, Unmet, right_tag_pattern, unmet
from controller.doctor.routes import Trigger
from controller.errors import CallError


def judged(
    id: str,
    triggers: Iterable[Trigger],
    problems: Callable[[Trigger], Iterable[Check]],
    right: Callable[[Trigger], Check],
    off: str,
) -> Iterator[Check]:
    """Yield the problems of each trigger that is on, or that it is right; ``off`` is what to do about another one."""
    checks = list[Check]()
    for trigger in triggers:
        closed = _closed(id, trigger, off)
        try:
            checks += [closed] if closed else list(problems(trigger)) or [right(trigger)]
        except CallError as error:
            checks.append(fails_as(id, error))
    works = any(check.status is Status.PASS for check in checks)
    for check in checks:
        # Beside a trigger that works, one that never does does no harm.
        is_harmless = works and check.status is Status.FAIL
        yield replace(check, status=Status.WARN) if is_harmless else check


def _closed(id: str, trigger: Trigger, off: str) -> Check | None:
    """Return the check of a trigger that is switched off, None for one that is on."""
    if not trigger.enabled:
        return warned(id, f"{trigger} is disabled.", off)
    if not trigger.route.open:
        seen = f"{trigger} sends events{trigger.route.via}, and the function does not read that queue now."
        return warned(id, seen, off)
    return None


def state_problems(
    id: str, rule: Trigger, matcher: Matcher, change: Callable[[str], Mapping[str, Any]]
) -> Iterator[Check]:
    """Check which state changes the rule hears, and what else. ``change`` returns the event of a state."""
    text = rule.pattern or "{}"
    missing = [state for state in STATES if not matcher.matches(text, change(state))]
    if len(missing) == len(STATES):
        fewest = min((list(unmet(json.loads(text), change(state))) for state in STATES), key=len)
        why = "; ".join(map(str, fewest)) or "EventBridge says that it matches no state change"
        yield failed(id, f"{rule} never fires: {why}.", f"{_advice(fewest)}Give it the pattern {RIGHT_PATTERN}.")
        return
    if missing:
        seen = f"{rule} leaves out {', '.join(missing)}: for these a record waits for the schedule."
        yield warned(id, seen, f"Add them to detail.state, or give it the pattern {RIGHT_PATTERN}.")
    if matcher.matches(text, {**change("running"), "detail-type": "EC2 Spot Instance Interruption Warning"}):
        seen = f"{rule} also brings events that are not state changes, which the function refuses."
        yield warned(id, seen, f"Give it the pattern {RIGHT_PATTERN}.")


def tag_problems(
    id: str, rule: Trigger, matcher: Matcher, keys: Collection[str], change: Callable[[str], Mapping[str, Any]]
) -> Iterator[Check]:
    """Check which tags the rule watches. ``change`` returns the event of a tag's key."""
    text, fix = rule.pattern or "{}", f"Give it the pattern {right_tag_pattern(keys)}."
    missing = [key for key in keys if not matcher.matches(text, change(key))]
    if len(missing) == len(keys):
        why = (
            "; ".join(map(str, unmet(json.loads(text), change(missing[0])))) or "EventBridge says that it matches none"
        )
        yield warned(id, f"{rule} never fires: {why}.", fix)
    elif missing:
        yield warned(id, f"{rule} leaves out {', '.join(missing)}: such a change waits for the schedule.", fix)


def _advice(problems: Iterable[Unmet]) -> str:
    if any(problem.path.startswith("detail.tags") for problem in problems):
        return "Such an event has the instance's id and state only; the controller reads the tags itself. "
    return ""


def how(matcher: Matcher) -> str:
    """Return how the patterns were tried, as a sentence, where it was not EventBridge that said so."""
    return " Its pattern was read here, since events:TestEventPattern is denied." if matcher.denied else ""
