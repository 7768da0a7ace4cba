"""Would the template find its names free? A function or rule that was created by hand keeps CloudFormation from it.

It looks at the names that the template gives. Where this program runs under the function's name, they are in use by
this deployment; a rule of that name that nobody remembers is seen where the function's triggers are.
"""

from collections.abc import Callable, Iterator
from typing import Any

from controller.aws.call import Call
from controller.doctor.diagnosis import Check, SkipError, if_allowed, passed, warned
from controller.doctor.function import HANDLER
from controller.doctor.look import Look
from controller.errors import CallError, NotFoundError
from controller.template import FUNCTION, QUEUES, RULES

_ID = "stack-names"
_FIX = (
    "To look first, deploy beside it with another NameSuffix and ScheduleAction=plan. Before the template takes these "
    "names, delete what has them: a rule, its targets first, then the function; a log group that an earlier stack left."
)


def names_check(look: Look) -> Iterator[Check]:
    """Check that nothing but this program has a name that the template gives."""
    name, suffix = look.function, look.function.removeprefix(FUNCTION)
    if not name.startswith(FUNCTION):
        raise SkipError(f"the template calls no function {name}")
    try:
        handler: str | None = look.deployment().function.handler
    except NotFoundError:
        handler = None
    except CallError as error:
        raise SkipError("the function cannot be looked at") from error
    if handler == HANDLER:
        yield passed(_ID, f"Function {name} runs this program, so the names of the template are this deployment's.")
        return
    function = [f"function {name}"] if handler else []
    yield if_allowed(_ID, lambda: _judged([*function, *_taken(look, suffix)]))


def _judged(taken: list[str]) -> Check:
    if not taken:
        return passed(_ID, "No function, rule, queue or log group has a name that the template gives.")
    seen = f"CloudFormation cannot create what is there already under a name of the template: {', '.join(taken)}."
    return warned(_ID, seen, _FIX)


def _taken(look: Look, suffix: str) -> Iterator[str]:
    """Yield what has a name of the template, beside the function. Raises CallError."""
    for name in (f"{rule}{suffix}" for rule in RULES):
        call = Call("events", "DescribeRule", f"rule {name}", proof="Name")
        if _is_there(look, call, look.aws.rules.describe_rule, Name=name):
            yield f"rule {name}"
    for name in (f"{queue}{suffix}" for queue in QUEUES):
        call = Call("sqs", "GetQueueUrl", f"queue {name}", proof="QueueUrl")
        if _is_there(look, call, look.aws.queues.get_queue_url, QueueName=name):
            yield f"queue {name}"
    group = f"/elephant-dns/{FUNCTION}{suffix}"
    call = Call("logs", "DescribeLogGroups", f"log group {group}", proof="logGroups")
    names = call(
        look.aws.logs.describe_log_groups,
        look.budget,
        lambda answer: [raw["logGroupName"] for raw in answer["logGroups"]],
        logGroupNamePrefix=group,
    )
    if group in names:  # the first of all that begin so
        yield f"log group {group}"


def _is_there(look: Look, call: Call, request: Callable[..., Any], **named: str) -> bool:
    try:
        return call(request, look.budget, bool, **named)
    except NotFoundError:
        return False
