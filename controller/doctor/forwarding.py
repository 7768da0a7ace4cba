"""The way of a cell's events: a rule there sends them to the hub's bus, the bus takes them, and a rule here hears them.

==================================  ====================================
asked                               IAM action
==================================  ====================================
the rules of a cell                 what ``rules.py`` names of EventBridge, there
whether a pattern matches           ``events:TestEventPattern``, at the hub
who may send to the hub's bus       ``events:DescribeEventBus``
==================================  ====================================
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from controller.aws.call import Call
from controller.doctor.cell import Cell
from controller.doctor.deployed import Deployed, Deployment
from controller.doctor.diagnosis import Check, SkipError, Status, failed, passed, skipped, unless_allowed, warned
from controller.doctor.function import deployment_of
from controller.doctor.hearing import how, judged, state_problems, tag_problems
from controller.doctor.look import Look
from controller.doctor.patterns import Matcher, is_for_tags, state_change, tag_change, unmet
from controller.doctor.policies import Asked, allows
from controller.doctor.routes import Route, Trigger
from controller.doctor.rules import Rules
from controller.errors import CallError, WatchdogError

_STATE, _TAGS, _HUB = "cell-state-changes", "cell-tag-changes", "cell-forwarding"
_OFF = "Off on purpose where the cell's stack has Enabled=false; else deploy infra/cell.yaml there with Enabled=true."
#: The sources of events that cells send, and what these are in words.
_EVENTS = {"aws.ec2": "state changes", "aws.tag": "changed tags"}


def forwarding_checks(look: Look, cell: Cell) -> Iterator[Check]:
    """Check the rules of a cell that is not the hub."""
    hub = _hub(look).function
    bus, place = _bus(hub), _place(cell.name, hub)
    try:
        rules = Rules(cell.rules(), look.budget).by(Route(bus))
    except WatchdogError as error:
        yield unless_allowed(_STATE, error, more="In another account infra/cell.yaml does, where PeopleArns is given.")
        raise SkipError("the rules there cannot be looked at") from error
    matcher = look.matcher()
    for_tags = [rule for rule in rules if rule.pattern and is_for_tags(rule.pattern)]
    for_states = [rule for rule in rules if rule.pattern and rule not in for_tags]
    keys = (look.settings.project_tag[0], "MeetingID", "Role")

    def states(rule: Trigger) -> Iterator[Check]:
        yield from state_problems(_STATE, rule, matcher, lambda state: state_change(state, place))
        yield from _sending(_STATE, rule, cell)

    def tags(rule: Trigger) -> Iterator[Check]:
        yield from tag_problems(_TAGS, rule, matcher, keys, lambda key: tag_change(key, place))
        yield from _sending(_TAGS, rule, cell)

    def right(id: str, rule: Trigger) -> Check:
        what = _EVENTS["aws.ec2" if id == _STATE else "aws.tag"]
        return passed(id, f"{rule} sends {what} to {bus} by {rule.role}; its rights in IAM are not read.{how(matcher)}")

    if not for_states:
        yield _none(_STATE, bus)
    yield from judged(_STATE, for_states, states, lambda rule: right(_STATE, rule), _OFF)
    if not for_tags:
        yield replace(_none(_TAGS, bus), status=Status.WARN)
    for check in judged(_TAGS, for_tags, tags, lambda rule: right(_TAGS, rule), _OFF):
        yield replace(check, status=Status.WARN) if check.status is Status.FAIL else check


def hub_checks(look: Look) -> Iterator[Check]:
    """Check that the hub's bus takes the events of each cell, and that a rule leads them to the function."""
    cells = [cell for name, cell in look.cells.items() if name != look.place]
    if not cells:
        return
    deployment = _hub(look)
    checks = list[Check]()
    for some in (_taken, _heard):
        try:
            checks += some(look, cells, deployment)
        except CallError as error:
            checks.append(unless_allowed(_HUB, error))
    seen = (
        f"{_bus(deployment.function)} takes events of {len(cells)} other cells, and rules bring them to the function."
    )
    yield from checks or [passed(_HUB, seen)]


def _hub(look: Look) -> Deployment:
    """Return what is deployed here. Raises SkipError where there is no function to which events could go."""
    deployment = deployment_of(look)
    if isinstance(deployment, Check):
        raise SkipError("the function cannot be looked at, so where events are to go is not known")
    return deployment


def _bus(hub: Deployed) -> str:
    return f"{_place(f'{hub.account}/{hub.region}', hub)}event-bus/default"


def _place(cell: str, hub: Deployed) -> str:
    """Return the beginning of an ARN in this cell."""
    account, _, region = cell.partition("/")
    return f"arn:{hub.arn.split(':')[1]}:events:{region}:{account}:"


# In a cell.


def _none(id: str, bus: str) -> Check:
    what = _EVENTS["aws.ec2" if id == _STATE else "aws.tag"]
    seen = f"No rule on the default event bus there sends {what} to {bus}: they wait for the schedule."
    return failed(id, seen, f"Deploy infra/cell.yaml there with HubBusArn={bus}.")


def _sending(id: str, rule: Trigger, cell: Cell) -> Iterator[Check]:
    """Check the role by which a rule sends: EventBridge needs one to another region or account."""
    fix = "Deploy infra/cell.yaml there: it creates the role and names it at the rule's target (RoleArn)."
    if rule.role is None:
        yield failed(id, f"{rule} sends nothing: its target has no role, which another region or account needs.", fix)
    elif rule.role.split(":")[4] != cell.account:
        yield failed(id, f"{rule} sends by {rule.role}, which is a role of another account than the rule's.", fix)


# At the hub.


def _taken(look: Look, cells: Collection[Cell], deployment: Deployment) -> Iterator[Check]:
    """Check the bus's policy. Events of the own account need none."""
    accounts = list(dict.fromkeys(cell.account for cell in cells if not cell.is_own))
    if not accounts:
        return
    bus, policy = _bus(deployment.function), _policy(look)
    fix = f"Deploy the hub's stack with CellAccounts={','.join(accounts)}."
    for source, what in _EVENTS.items():
        may = {account: _may_send(policy, account, bus, source) for account in accounts}
        if lost := _in(cells, [account for account in accounts if may[account] is False]):
            as_check = failed if source == "aws.ec2" else warned
            yield as_check(_HUB, f"The policy of {bus} does not let these cells send {what}: {lost}.", fix)
        if unknown := _in(cells, [account for account in accounts if may[account] is None]):
            seen = f"Whether {bus} takes {what} of {unknown} depends on a condition or a role that is not known here."
            yield warned(_HUB, seen, fix)
        accounts = [account for account in accounts if may[account]]  # the others are reported


def _may_send(policy: Mapping[str, Any], account: str, bus: str, source: str) -> bool | None:
    """Return whether the policy lets the account send; None where that is not known."""
    allowed = allows(policy, Asked.by_account(account, "events:PutEvents", bus, {"events:source": source}))
    names_a_role = re.search(rf":iam::{account}:(?!root)", json.dumps(policy))
    return None if allowed is False and names_a_role else allowed


def _policy(look: Look) -> Mapping[str, Any]:
    call = Call("events", "DescribeEventBus", "the default event bus", proof="Arn")
    return call(look.aws.rules.describe_event_bus, look.budget, lambda bus: dict(json.loads(bus.get("Policy") or "{}")))


def _heard(look: Look, cells: Collection[Cell], deployment: Deployment) -> Iterator[Check]:
    """Check that rules which are on hear the events of each cell. Where they hear none, other checks say so."""
    if isinstance(deployment.rules, CallError):
        yield skipped(_HUB, "the rules here cannot be looked at")
        return
    hub, key = deployment.function, look.settings.project_tag[0]
    rules = [rule for rule in deployment.rules if rule.pattern and rule.enabled and rule.route.open]
    samples = ((failed, "aws.ec2", partial(state_change, "running")), (warned, "aws.tag", partial(tag_change, key)))
    for as_check, source, sample in samples:
        events = {cell.name: sample(_place(cell.name, hub)) for cell in cells}
        lost = [name for name, event in events.items() if not _hears(rules, event, look.matcher())]
        if len(lost) == len(cells) and not _hears(rules, sample(hub.arn), look.matcher()):
            yield skipped(_HUB, f"no rule brings {_EVENTS[source]} to the function, not even those of its own place")
        elif lost:
            deaf = [rule for rule in rules if _hears([rule], sample(hub.arn), look.matcher())]
            why = [
                f"{rule}: {one}" for rule in deaf for one in unmet(json.loads(rule.pattern or "{}"), events[lost[0]])
            ]
            seen = f"No rule brings {_EVENTS[source]} of these cells to the function: {', '.join(lost)}."
            fix = "Remove account, region and resources from the pattern of the rule, or name every cell there."
            yield as_check(_HUB, " ".join([seen, *(f"{one}." for one in why)]), fix)


def _hears(rules: Collection[Trigger], event: Mapping[str, Any], matcher: Matcher) -> bool:
    return any(matcher.matches(rule.pattern or "{}", event) for rule in rules)


def _in(cells: Collection[Cell], accounts: Collection[str]) -> str:
    """Return the names of the cells in these accounts."""
    return ", ".join(cell.name for cell in cells if cell.account in accounts)
