"""The deployed function: is it there, has it the settings of a pass from here, and what wakes it?

Asked are ``lambda:GetFunctionConfiguration`` and ``lambda:ListAliases``, and what ``rules.py`` names.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from controller.aws.call import Call
from controller.clients import AwsClients
from controller.doctor.agreement import Deployed, Here, agreement
from controller.doctor.diagnosis import Check, fails_as, passed, skipped, warned
from controller.doctor.pages import pages
from controller.doctor.rules import Rules
from controller.doctor.triggers import trigger_checks
from controller.errors import CallError, DeniedError, NotFoundError
from controller.runtime.budget import Budget


def function_checks(aws: AwsClients, name: str, here: Here, budget: Budget) -> Iterator[Check]:
    """The function, the rules that reach it, and the settings of what they reach."""
    look = _Look(aws, name, budget)
    try:
        function = look.deployed()
        aliases = look.aliases()
        rules = {target: Rules(aws, budget).reaching(target) for target in (function.arn, *aliases)}
    except CallError as error:
        yield from _not_seen(name, error)
        return
    yield passed("function", f"{function.arn} is there{_aliased(aliases)}.")
    woken = [target for target, found in rules.items() if found] or aliases or [function.arn]
    for target in woken:
        yield _settings(look, target, here)
    reaching = [rule for found in rules.values() for rule in found]
    yield from trigger_checks(reaching, function.arn)


def _not_seen(name: str, error: CallError) -> Iterator[Check]:
    yield _unseen(name, error)
    because = "the function is not there" if isinstance(error, NotFoundError) else "not all can be looked at"
    yield from (skipped(id, because) for id in ("function-settings", "state-changes", "schedule"))


def _unseen(name: str, error: CallError) -> Check:
    """Nothing that a pass from here needs is missing, so it is a warning, unless AWS has no answer."""
    match error:
        case NotFoundError():
            seen = f"There is no Lambda function {name} in this account and region."
            fix = "Deploy it, or name it with --function; where apply runs from cron, it is not needed."
            return warned("function", seen, fix)
        case DeniedError():
            fix = f"{error.hint} Only this command needs it."
            return warned("function", f"The function and its rules cannot be looked at: {error.message}", fix)
    return fails_as("function", error)


def _aliased(aliases: list[str]) -> str:
    names = ", ".join(alias.rpartition(":")[2] for alias in aliases)
    return f", with the alias {names}" if names else ""


def _settings(look: "_Look", target: str, here: Here) -> Check:
    try:
        return agreement(here, look.deployed(target))
    except CallError as error:
        return fails_as("function-settings", error)


@dataclass(frozen=True, slots=True)
class _Look:
    aws: AwsClients
    name: str
    budget: Budget

    def deployed(self, target: str | None = None) -> Deployed:
        """What is deployed as the function, or at the alias with this ARN. Raises CallError."""
        name = target or self.name
        call = Call("lambda", "GetFunctionConfiguration", f"function {name}", proof="FunctionArn")
        return call(self.aws.functions.get_function_configuration, self.budget, Deployed.parsed, FunctionName=name)

    def aliases(self) -> list[str]:
        """The ARNs of its aliases. Raises CallError."""
        found = pages(
            Call("lambda", "ListAliases", f"function {self.name}", proof="Aliases"),
            self.aws.functions.list_aliases,
            self.budget,
            lambda page: [str(alias["AliasArn"]) for alias in page["Aliases"]],
            ("NextMarker", "Marker"),
            FunctionName=self.name,
        )
        return list(found)
