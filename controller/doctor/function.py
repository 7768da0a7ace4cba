"""The deployed function: is it there, is it this program, may it run, and has it the settings of a pass from here?"""

from collections.abc import Iterator

from controller.aws.call import Call
from controller.doctor.agreement import agreement
from controller.doctor.deployed import Deployed, Deployment
from controller.doctor.diagnosis import Check, SkipError, failed, if_allowed, passed, skipped, unless_allowed, warned
from controller.doctor.look import Look
from controller.doctor.sharing import sharing_check
from controller.errors import CallError, NotFoundError

#: What the template deploys. The console names a function's code otherwise, and so does the first version.
HANDLER = "handler.lambda_handler"
#: Seconds for a pass that waits for EC2 to show what an event says, and ends in good order; and for many machines.
LEAST, ENOUGH = 30, 60
#: Why more is not asked of a function that runs something else: it would be repaired, not replaced.
ANOTHER_PROGRAM = "the function runs another program"


def function_checks(look: Look) -> Iterator[Check]:
    """Check the function, then each version or alias that its triggers start."""
    deployment = deployment_of(look)
    if isinstance(deployment, Check):
        yield deployment
        raise SkipError("the function cannot be looked at")
    yield _there(deployment)
    for deployed in deployment.woken.values():
        yield code_check(deployed)
        if deployed.handler == HANDLER:
            yield _time_out(deployed)
            yield agreement(look, deployed)
        else:
            yield from (skipped(id, ANOTHER_PROGRAM) for id in ("function-timeout", "function-settings"))
    yield _concurrency(look, deployment)
    yield sharing_check(look, deployment.function)


def deployment_of(look: Look) -> Deployment | Check:
    """Return what is deployed, or the check that says why it cannot be seen.

    Nothing that a pass from here needs is missing then, so it is a warning, unless AWS has no answer.
    """
    try:
        return look.deployment()
    except NotFoundError:
        seen = f"Lambda has no function {look.function} in this account and region."
        fix = "Deploy it, or name it with --function; where apply runs from cron, it is not needed."
        return warned("function", seen, f"{fix}{_elsewhere(look)}")
    except CallError as error:
        return unless_allowed("function", error, "The function")


def _elsewhere(look: Look) -> str:
    """Return that the function may be in another place, where a deployment has several."""
    error, _ = look.problems
    return "" if error or not look.settings.cells else " If another place is the hub, set AWS_PROFILE or AWS_REGION."


def _there(deployment: Deployment) -> Check:
    function = deployment.function
    names = ", ".join(alias.rpartition(":")[2] for alias in deployment.aliases)
    seen = f"{function.arn} is there{f', with the alias {names}' if names else ''}."
    for deployed in (function, *deployment.woken.values()):
        if deployed.state in ("Failed", "Inactive") or deployed.update == "Failed":
            seen = f"{deployed.arn} is in state {deployed.state}, its last update {deployed.update}."
            return failed("function", seen, "Deploy it again; Lambda's console says why it failed.")
    return passed("function", seen)


def code_check(deployed: Deployed) -> Check:
    """Check that the function runs this program, as far as its configuration shows; ``--invoke`` proves it."""
    if deployed.handler == HANDLER:
        return passed("function-code", f"{deployed.arn} runs {HANDLER}.")
    seen = f"{deployed.arn} runs {deployed.handler}, not {HANDLER}: it is another program, such as the first version."
    fix = "Follow docs/migrate.md: look first, then delete the function, and deploy the template."
    return failed("function-code", seen, fix)


def runs_another_program(deployment: Deployment) -> bool:
    """Return whether nothing that is started under the function's name is this program."""
    return all(deployed.handler != HANDLER for deployed in deployment.woken.values())


def _time_out(deployed: Deployed) -> Check:
    seen = f"The time-out of {deployed.arn} is {deployed.seconds} s"
    fix = "Set Timeout: 240, as the template does."
    if deployed.seconds < LEAST:
        return failed("function-timeout", f"{seen}, too short for a pass: it may wait 20 s for EC2 alone.", fix)
    if deployed.seconds < ENOUGH:
        return warned("function-timeout", f"{seen}; a pass over many machines may need more.", fix)
    return passed("function-timeout", f"{seen}.")


def _concurrency(look: Look, deployment: Deployment) -> Check:
    """Check the reserved concurrency: 0 switches the function off, 1 is less than a queue and a schedule use."""
    id, name = "function-concurrency", deployment.function.name
    call = Call("lambda", "GetFunctionConcurrency", f"function {name}", proof="ResponseMetadata")

    def read() -> Check:
        reserved = call(
            look.aws.functions.get_function_concurrency,
            look.budget,
            lambda answer: answer.get("ReservedConcurrentExecutions"),
            FunctionName=name,
        )
        seen = f"The reserved concurrency of {name} is {reserved}"
        fix = f"Remove it: aws lambda delete-function-concurrency --function-name {name}"
        if reserved == 0:
            return failed(id, f"{seen}: Lambda refuses every invocation.", fix)
        if reserved == 1 and any(trigger.route.queue for trigger in deployment.triggers):
            return warned(id, f"{seen}: the queue and the schedule throttle each other.", fix)
        return passed(id, f"{name} has no reserved concurrency." if reserved is None else f"{seen}.")

    return if_allowed(id, read)
