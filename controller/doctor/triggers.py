"""Is the function told of state changes, and is it woken by a schedule? Judged from the rules that reach it."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from controller.doctor.diagnosis import Check, Status, failed, passed, warned
from controller.doctor.patterns import RIGHT_PATTERN, STATES, Unmet, state_change, unmet
from controller.doctor.rules import Rule

_STATE, _SCHEDULE = "state-changes", "schedule"

#: Never a command that switches it on: an event applies even in shadow mode, and after `retire` it makes records anew.
_OFF = (
    "Off on purpose where the stack has ScheduleAction=plan or Enabled=false, or where another rule has its place; "
    "else deploy with ScheduleAction=apply and Enabled=true."
)


def trigger_checks(rules: Sequence[Rule], arn: str) -> Iterator[Check]:
    """A check for each rule, and one for each kind of rule that is missing."""
    yield from _state_checks([rule for rule in rules if rule.pattern], arn)
    yield from _schedule_checks([rule for rule in rules if rule.schedule])


def _state_checks(rules: Sequence[Rule], arn: str) -> Iterator[Check]:
    if not rules:
        seen = "No rule brings state changes to the function: a record waits for the schedule."
        yield failed(_STATE, seen, f"Make a rule on the default event bus with the pattern {RIGHT_PATTERN}.")
    checks = [_closed(_STATE, rule) or _pattern(rule, arn) for rule in rules]
    works = any(check.status is Status.PASS for check in checks)
    for check in checks:
        # Beside a rule that works, one that never fires does no harm.
        is_harmless = works and check.status is Status.FAIL
        yield replace(check, status=Status.WARN) if is_harmless else check


def _schedule_checks(rules: Sequence[Rule]) -> Iterator[Check]:
    if not rules:
        seen = "No rule wakes the function on a schedule: what a lost event or a change by hand leaves is never fixed."
        yield failed(_SCHEDULE, seen, "Make a rule with the schedule rate(5 minutes), or run apply from cron.")
    for rule in rules:
        yield _closed(_SCHEDULE, rule) or _schedule(rule)


def _closed(id: str, rule: Rule) -> Check | None:
    """The check of a rule from which nothing comes now, because somebody has switched it off."""
    if not rule.enabled:
        return warned(id, f"Rule {rule.name} is disabled.", _OFF)
    if not rule.route.open:
        seen = f"Rule {rule.name} sends events{rule.route.via}, and the function does not read that queue now."
        return warned(id, seen, _OFF)
    return None


def _schedule(rule: Rule) -> Check:
    if rule.input and _action(rule.input) == "plan":
        seen = f"Rule {rule.name} ({rule.schedule}) only plans: nothing is fixed."
        return warned(_SCHEDULE, seen, "When its plans are right, deploy with ScheduleAction=apply.")
    return passed(_SCHEDULE, f"Rule {rule.name} wakes the function, {rule.schedule}.")


def _action(text: str) -> Any:
    try:
        content = json.loads(text)
    except ValueError:
        return None
    return content.get("action") if isinstance(content, dict) else None


def _pattern(rule: Rule, arn: str) -> Check:
    pattern = json.loads(rule.pattern or "{}")
    lacks = {state: list(unmet(pattern, state_change(state, arn))) for state in STATES}
    heard = [state for state in STATES if not lacks[state]]
    if not heard:
        fewest = min(lacks.values(), key=len)
        seen = f"Rule {rule.name} never fires: {'; '.join(map(str, fewest))}."
        return failed(_STATE, seen, f"{_advice(fewest)}Give it the pattern {RIGHT_PATTERN}.")
    missing = [state for state in STATES if lacks[state]]
    if missing:
        seen = f"Rule {rule.name} leaves out {', '.join(missing)}: for these a record waits for the schedule."
        return warned(_STATE, seen, f"Add them to detail.state, or give it the pattern {RIGHT_PATTERN}.")
    other = {**state_change("running", arn), "detail-type": "EC2 Spot Instance Interruption Warning"}
    if not list(unmet(pattern, other)):
        seen = f"Rule {rule.name} also brings events that are no state changes, which the function refuses."
        return warned(_STATE, seen, f"Give it the pattern {RIGHT_PATTERN}.")
    return passed(_STATE, f"Rule {rule.name} brings every state change{rule.route.via}.")


def _advice(problems: Iterable[Unmet]) -> str:
    if any(problem.path.startswith("detail.tags") for problem in problems):
        return "Such an event has the instance's id and state only; the controller reads the tags itself. "
    return ""
