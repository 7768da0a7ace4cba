"""Do state changes and changed tags reach the function, and does a schedule start it? Judged from what reaches it.

A trigger is tried as AWS would use it: EventBridge says whether a rule's pattern matches, the target's input is
computed, and the function's own parser reads it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from controller.doctor.delivery import UnknownError, request_of, scheduled_event
from controller.doctor.deployed import Deployment
from controller.doctor.diagnosis import Check, SkipError, Status, failed, passed, unless_allowed, warned
from controller.doctor.function import ANOTHER_PROGRAM, deployment_of, runs_another_program
from controller.doctor.hearing import how, judged, state_problems, tag_problems
from controller.doctor.interval import minutes_between
from controller.doctor.look import Look
from controller.doctor.patterns import (
    INSTANCE,
    RIGHT_PATTERN,
    Matcher,
    is_for_tags,
    right_tag_pattern,
    state_change,
    tag_change,
)
from controller.doctor.permission import permission_checks
from controller.doctor.routes import Trigger
from controller.errors import CallError, RequestError
from controller.model import Mode, Request

_STATE, _TAGS, _SCHEDULE = "state-changes", "tag-changes", "schedule"
#: Minutes between two passes, from which on somebody should look: the template's slowest schedule.
SLOWEST = 60

#: Never a command that switches it on: an event applies even in shadow mode, and after `retire` it creates records.
_OFF = (
    "Off on purpose where the stack has ScheduleAction=plan or Enabled=false, or where another rule has its place; "
    "else deploy with ScheduleAction=apply and Enabled=true."
)
_LEAVE = "Leave it so: a first version that hears of state changes writes DNS_WRITTEN over HEALTHY. Replace it instead."
_WHOLE = "Remove Input, InputPath and InputTransformer from the target: the function reads the whole event."
_INPUT = 'Give its target the input {"action": "apply", "scheduled": true}, or none at all.'


def trigger_checks(look: Look) -> Iterator[Check]:
    """Check each trigger, each kind that is missing, then that they may call their targets."""
    deployment = deployment_of(look)
    if isinstance(deployment, Check):
        raise SkipError("the function cannot be looked at")
    if isinstance(deployment.rules, CallError):
        yield _not_read(_STATE, "the rules", deployment.rules)
        raise SkipError("the rules cannot be looked at")
    matcher = look.matcher()
    states = _state_checks(deployment, matcher)
    if runs_another_program(deployment):
        yield from (replace(check, fix=check.fix and _LEAVE) for check in states)
        raise SkipError(ANOTHER_PROGRAM)
    yield from states
    yield from _tag_checks(deployment, matcher, look)
    yield from _schedule_checks(deployment, look.budget.clock.now())
    yield from permission_checks(look, deployment.triggers)


def _not_read(id: str, what: str, error: CallError) -> Check:
    return unless_allowed(id, error, f"What starts the function is not known, since {what}")


def _state_checks(deployment: Deployment, matcher: Matcher) -> Iterator[Check]:
    rules = [trigger for trigger in deployment.triggers if trigger.pattern and not is_for_tags(trigger.pattern)]
    if not rules:
        seen = "No rule brings state changes to the function: a record waits for the schedule."
        yield failed(_STATE, seen, f"Create a rule on the default event bus with the pattern {RIGHT_PATTERN}.")
    function = deployment.function

    def problems(rule: Trigger) -> Iterator[Check]:
        yield from state_problems(_STATE, rule, matcher, lambda state: state_change(state, function.arn))
        yield from _change(_STATE, rule, state_change("running", function.arn))

    def right(rule: Trigger) -> Check:
        return passed(_STATE, f"{rule} brings every state change{rule.route.via}.{how(matcher)}")

    yield from judged(_STATE, rules, problems, right, _OFF)


def _tag_checks(deployment: Deployment, matcher: Matcher, look: Look) -> Iterator[Check]:
    """Check the rules for changed tags. A deployment may do without: then nothing of it is more than a warning."""
    rules = [trigger for trigger in deployment.triggers if trigger.pattern and is_for_tags(trigger.pattern)]
    error, _ = look.problems
    keys = (*(() if error else look.settings.project_tag[:1]), "MeetingID", "Role")
    if not rules:
        seen = "No rule brings changed tags to the function: a machine that is tagged after its launch waits."
        fix = (
            f"Create a rule with the pattern {right_tag_pattern(keys)}, unless launchers tag in the call that launches."
        )
        yield warned(_TAGS, seen, fix)

    def problems(rule: Trigger) -> Iterator[Check]:
        yield from tag_problems(_TAGS, rule, matcher, keys, lambda key: tag_change(key, deployment.function.arn))
        yield from _change(_TAGS, rule, tag_change(keys[0], deployment.function.arn))

    def right(rule: Trigger) -> Check:
        return passed(_TAGS, f"{rule} brings changed tags{rule.route.via}.{how(matcher)}")

    for check in judged(_TAGS, rules, problems, right, _OFF):
        yield replace(check, status=Status.WARN) if check.status is Status.FAIL else check


def _schedule_checks(deployment: Deployment, now: datetime) -> Iterator[Check]:
    schedules = [trigger for trigger in deployment.triggers if trigger.schedule]
    if not schedules and isinstance(deployment.schedules, CallError):
        yield _not_read(_SCHEDULE, "EventBridge Scheduler", deployment.schedules)
    elif not schedules:
        seen = "No schedule starts the function: what a lost event or a change by hand leaves is never fixed."
        yield failed(_SCHEDULE, seen, "Create a rule with the schedule rate(5 minutes), or run apply from cron.")

    def problems(trigger: Trigger) -> Iterator[Check]:
        yield from _pass(trigger)
        yield from _often(trigger, now)

    def right(trigger: Trigger) -> Check:
        return passed(_SCHEDULE, f"{trigger} starts it, {trigger.schedule}.")

    yield from judged(_SCHEDULE, schedules, problems, right, _OFF)


# A rule for events: its pattern, then what its target makes of an event.


def _change(id: str, rule: Trigger, event: Mapping[str, Any]) -> Iterator[Check]:
    """Check that an event becomes a pass over its instance, and that it applies."""
    request = _received(id, rule, event, _WHOLE)
    if isinstance(request, Check):
        yield request
    elif request.mode is Mode.PLAN:
        yield warned(id, f"{rule} only plans at an event: nothing is fixed.", _WHOLE)
    elif request.scope is None:
        yield warned(id, f"{rule} starts a pass over everything at each event of the account.", _WHOLE)
    elif request.scope != {INSTANCE}:
        yield failed(id, f"{rule} always names {_few(request.scope)}, whatever has changed.", _WHOLE)


# A schedule: what its target makes of the event, then how often.


def _pass(trigger: Trigger) -> Iterator[Check]:
    """Check that the schedule starts a pass over everything, that it applies, and under the guard."""
    request = _received(_SCHEDULE, trigger, scheduled_event(trigger), _INPUT)
    if isinstance(request, Check):
        yield request
    elif request.scope is not None:
        yield failed(_SCHEDULE, f"{trigger} starts a pass over {_few(request.scope)} alone, never over all.", _INPUT)
    elif request.mode is Mode.PLAN:
        seen = f"{trigger} ({trigger.schedule}) only plans: nothing is fixed."
        yield warned(_SCHEDULE, seen, "When its plans are right, deploy with ScheduleAction=apply.")
    elif request.force:
        yield failed(_SCHEDULE, f"{trigger} sends force, so the guard holds nothing back, in any pass.", _INPUT)


def _often(trigger: Trigger, now: datetime) -> Iterator[Check]:
    fix = "Give it the expression rate(5 minutes)."
    if trigger.ends and trigger.ends <= now:
        yield failed(_SCHEDULE, f"{trigger} ended at {trigger.ends:%Y-%m-%d %H:%M %Z}.", "Remove its end date.")
    minutes = minutes_between(trigger.schedule or "")
    if minutes is None:
        yield warned(_SCHEDULE, f"{trigger} ({trigger.schedule}) does not start a pass on every day.", fix)
    elif minutes > SLOWEST:
        seen = f"{trigger} ({trigger.schedule}) leaves {minutes:,} minutes between two passes: what a lost event leaves"
        yield warned(_SCHEDULE, f"{seen} stays wrong for as long.", fix)


def _received(id: str, trigger: Trigger, event: Mapping[str, Any], fix: str) -> Request | Check:
    """Return what the function makes of the event, or the check that says why it refuses it."""
    try:
        request = request_of(trigger, event)
    except RequestError as error:
        return failed(id, f"{trigger} sends what the function refuses: {error.message}", fix)
    except UnknownError as error:
        return warned(id, f"What {trigger} sends cannot be computed here: {error}.", fix)
    if request.findings:
        return failed(
            id, f"{trigger} sends{trigger.route.via} what the function skips: {request.findings[0].message}", fix
        )
    return request


def _few(scope: Iterable[str]) -> str:
    some = sorted(scope)
    return ", ".join(some[:3]) + (f" and {len(some) - 3} more" if len(some) > 3 else "")
