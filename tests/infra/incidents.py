"""What the watchdog's metrics show in an incident: passes as the real handler ends them, put one after another.

A period is one of the default schedule's, five minutes. Before each incident an hour goes well, except at a first
deployment; after each an hour goes well again.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

import handler
from controller.errors import WatchdogError
from controller.sandbox.cloudflare import Proceed, Reply, Request
from tests.infra.alarm import Period, Watched
from tests.infra.cloudformation import ACCOUNT, REGION, stack
from tests.support.events import SCHEDULED
from tests.support.lambda_runtime import LambdaContext
from tests.support.servers import Clouds

HOUR = 12
ELSEWHERE = "us-east-1"
DENIED = "<Response><Errors><Error><Code>UnauthorizedOperation</Code></Error></Errors></Response>"
DEPLOYED = stack()
QUEUES = {name: queue["QueueName"] for name, queue in DEPLOYED.resources("AWS::SQS::Queue").items()}

#: A metric's name and the value of its dimension: enough to tell all that the alarms look at.
Key = tuple[str, str]
#: Prepares the clouds for a pass and returns the settings that differ.
World = Callable[[Clouds], Mapping[str, str]]
FUNCTION = "ElephantDNSWatchdog"


@dataclass(frozen=True)
class Pass:
    """How one full pass ended: as an error of the function or not, and with which metrics."""

    failed: bool
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Span:
    """Five minutes: the scheduled pass, if it runs, and what the queues show."""

    run: str | None = "clean"
    lost_starts: int = 0  # scheduled events that waited in vain
    age: float | None = None  # of the oldest state change
    dead: int = 0  # state changes in the dead-letter queue
    unreachable: int = 0  # links that do not work, where they are probed
    to_link: Period = (20,)  # seconds from launches to the links that these minutes wrote


def recorded(clouds: Clouds, prepare: World, capsys: pytest.CaptureFixture[str]) -> Pass:
    """Run one scheduled pass of the real handler in the world that ``prepare`` makes, with its settings."""
    clouds.reset()
    changes = prepare(clouds)
    capsys.readouterr()
    failed = False
    with clouds.exported(**changes):
        try:
            handler.lambda_handler(SCHEDULED, LambdaContext())
        except WatchdogError:
            failed = True
        finally:
            clouds.forget_function()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (found,) = [line for line in lines if "_aws" in line] or [{}]
    return Pass(failed, {name: value for name, value in found.items() if isinstance(value, int | float)})


def _clean(clouds: Clouds) -> Mapping[str, str]:
    clouds.launch()
    return {}


def _stubborn(clouds: Clouds) -> Mapping[str, str]:
    clouds.reset(quota=0)
    clouds.launch()
    return {}


def _guarded(clouds: Clouds) -> Mapping[str, str]:
    clouds.seed(clouds.launch(), "192.0.2.1", comment="elephant-dns:classroom")
    clouds.aws.machines.purge(*clouds.aws.machines.all())
    return {"OWNER_ID": "classroom"}


def _refused(clouds: Clouds) -> Mapping[str, str]:
    clouds.cloudflare.revoke_token()
    return {}


def _leaked(clouds: Clouds) -> Mapping[str, str]:
    clouds.launch(age=timedelta(hours=13))
    return {}


def _unread(clouds: Clouds) -> Mapping[str, str]:
    def refuse(request: Request, proceed: Proceed) -> Reply:
        return Reply.text(403, DENIED, "text/xml") if ELSEWHERE in request.headers["authorization"] else proceed()

    clouds.launch()
    clouds.aws.intercept = refuse
    return {"CELLS": f"{ACCOUNT}/{REGION},{ACCOUNT}/{ELSEWHERE}"}


#: A world for each way in which a full pass can end.
WORLDS: Mapping[str, World] = {
    "clean": _clean,
    "stubborn": _stubborn,
    "guarded": _guarded,
    "refused": _refused,
    "leaked": _leaked,
    "unread": _unread,
}

FAILING = [Span("refused")]
AWAY = [Span("refused", age=min(600, 300 * number)) for number in range(1, 6)]
STOPPED = [Span(None)] * 6
THROTTLED = [
    Span(None, lost_starts=int(number > 1), age=min(600, 300 * number), dead=int(number > 5)) for number in range(1, 9)
]
UNREAD = [Span(age=300 * number) for number in range(1, 13)]

#: The incidents, by their names in the runbook.
INCIDENTS: Mapping[str, Sequence[Span]] = {
    "one pass fails": FAILING,
    "every fourth pass fails, for five hours": [Span("refused"), Span(), Span(), Span()] * 15,
    "Cloudflare is away for 25 minutes": AWAY,
    "the token is refused": [Span("refused")] * 24,
    "one record can never be written": [Span("stubborn")] * 24,
    "the guard holds changes": [Span("guarded")] * 24,
    "the schedule's rule is off or gone": STOPPED,
    "the function gets no concurrency": THROTTLED,
    "the queue is not read": UNREAD,
    "the state changes' rule is off or gone": [Span()] * 24,
    "one event fails in every attempt": [Span(dead=1)] * 3,
    "a desktop was forgotten": [Span("leaked")] * 24,
    "links come late for two hours": [Span(to_link=(20, 30, 400))] * 24,
    "one link comes late": [Span(to_link=(400,))],
    "one of several cells cannot be read": [Span("unread")] * 24,
    "a desktop does not answer, with links probed": [Span(unreachable=1)] * 6,
    "the first deployment": [Span(None)],
}


def series(name: str, passes: Mapping[str, Pass]) -> Mapping[Key, Sequence[Period]]:
    """Each metric's periods in this incident."""
    before = [] if name == "the first deployment" else [Span()] * HOUR
    found: dict[Key, list[Period]] = {}
    spans = [*before, *INCIDENTS[name], *[Span()] * HOUR]
    for number, span in enumerate(spans):
        for key, values in _shown(span, passes).items():
            found.setdefault(key, [()] * len(spans))[number] = values
    return found


def _shown(span: Span, passes: Mapping[str, Pass]) -> dict[Key, Period]:
    """What CloudWatch has of these five minutes. Lambda and EMF report nothing where nothing ran."""
    shown: dict[Key, Period] = {
        ("ApproximateNumberOfMessagesVisible", QUEUES["StateChangeDeadLetters"]): (span.dead,),
        ("NumberOfMessagesSent", QUEUES["ReconcileDeadLetters"]): (span.lost_starts,),
    }
    if span.age is not None:
        shown["ApproximateAgeOfOldestMessage", QUEUES["StateChanges"]] = (span.age,)
    if span.run is not None:
        run = passes[span.run]
        shown |= {(metric, FUNCTION): (value,) for metric, value in run.metrics.items()}
        shown["Errors", FUNCTION] = (int(run.failed),)
        shown["LinksUnreachable", FUNCTION] = (span.unreachable,)
        shown["SecondsToLink", FUNCTION] = span.to_link
        # Lambda sends each asynchronous invocation that failed to the function's destination.
        shown["NumberOfMessagesSent", QUEUES["ReconcileDeadLetters"]] = (int(run.failed) + span.lost_starts,)
    return shown


def watched(alarm: Any) -> Key:
    """The metric that an alarm watches, as the series name it."""
    metric = Watched.by(alarm)
    return metric.name, str(metric.dimensions[0]["Value"])
