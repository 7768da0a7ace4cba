"""May what starts the function really call its target? Without a policy EventBridge drops every event in silence.

==================================  ====================================
asked                               IAM action
==================================  ====================================
who may invoke a function           ``lambda:GetPolicy``
who may write to a queue            ``sqs:GetQueueUrl``, ``sqs:GetQueueAttributes``
==================================  ====================================

A trigger that calls its target by a role (every schedule of EventBridge Scheduler does) is not asked about: what a role
may do is in IAM, which this command does not read.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from controller.aws.call import Call
from controller.clients import AwsClients
from controller.doctor.diagnosis import Check, Status, failed, if_allowed, passed, skipped, warned
from controller.doctor.look import Look
from controller.doctor.policies import Asked, allows
from controller.doctor.routes import Trigger
from controller.errors import NotFoundError
from controller.runtime.budget import Budget

_ID = "trigger-permission"
Policy = Mapping[str, Any]
_RULES = "events.amazonaws.com"
#: The key of AWS's own that SQS takes by default; its policy names no other service, and nobody can change it.
_MANAGED_KEY = "alias/aws/sqs"


def permission_checks(look: Look, triggers: Collection[Trigger]) -> Iterator[Check]:
    """Check that each rule may call its target."""
    rules = [trigger for trigger in triggers if trigger.role is None]
    roles = ", ".join(f"{trigger} by {trigger.role}" for trigger in triggers if trigger.role)
    if roles:
        yield skipped(_ID, f"IAM knows what a role may call, and is not read: {roles}")
    elif not rules:
        yield skipped(_ID, "nothing starts the function")
    if not rules:
        return
    target = _Targets(look.aws, look.budget)
    checks = [if_allowed(_ID, partial(_permission, target, rule)) for rule in rules]
    problems = list(dict.fromkeys(check for check in checks if check.status is not Status.PASS))
    names = ", ".join(dict.fromkeys(rule.name for rule in rules))
    yield from problems or [passed(_ID, f"Each rule may call its target: {names}.")]


def _permission(targets: "_Targets", rule: Trigger) -> Check:
    queue = rule.route.queue
    if not queue:
        return _judged(targets.policy_of_function(rule.route.function), rule, "lambda:InvokeFunction")
    policy, key = targets.queue(queue)
    if key.endswith(_MANAGED_KEY):
        seen = (
            f"{rule} cannot write{rule.route.via}: it is encrypted with {_MANAGED_KEY}, which EventBridge may not use."
        )
        return failed(_ID, seen, "Encrypt the queue with SqsManagedSseEnabled: true, as the template does.")
    check = _judged(policy, rule, "sqs:SendMessage")
    if key and check.status is Status.PASS:
        seen = f"{rule} writes{rule.route.via}, which is encrypted with the key {key}; that key's policy was not read."
        return warned(_ID, seen, f"See that the key's policy allows kms:GenerateDataKey and kms:Decrypt to {_RULES}.")
    return check


def _judged(policy: Policy, rule: Trigger, action: str) -> Check:
    target = rule.route.target
    allowed = allows(policy, Asked.by_service(_RULES, action, target, rule.arn))
    if allowed:
        return passed(_ID, f"{rule} may call its target.")
    fix = _fix(rule, action)
    if allowed is None:
        seen = f"Whether {rule} may call {target} depends on a condition that is not known here."
        return warned(_ID, seen, fix)
    has = "its policy does not allow it" if policy else "it has no policy"
    return failed(_ID, f"{rule} may not call {target}: {has}, and each event is dropped.", fix)


def _fix(rule: Trigger, action: str) -> str:
    target = rule.route.target
    if rule.route.queue:
        return f"In the policy of {target} allow {action} to {_RULES} for aws:SourceArn {rule.arn}."
    name, _, qualifier = target.partition(":function:")[2].partition(":")
    at = f" --qualifier {qualifier}" if qualifier else ""
    return (
        f"aws lambda add-permission --function-name {name}{at} --statement-id {rule.name} --action {action} "
        f"--principal {_RULES} --source-arn {rule.arn}"
    )


def _document(text: str) -> Policy:
    """Parse a policy. Raises TypeError or ValueError for what is not one: the answer is then unusable."""
    document = json.loads(text)
    if not isinstance(document, dict):
        raise TypeError("A policy is a JSON object.")
    return document


@dataclass(frozen=True, slots=True)
class _Targets:
    """Reads what a target allows. Every method raises CallError."""

    aws: AwsClients
    budget: Budget

    def policy_of_function(self, arn: str) -> Policy:
        """Return the policy of the function, or of the alias; empty where it has none."""
        name, _, qualifier = arn.partition(":function:")[2].partition(":")
        call = Call("lambda", "GetPolicy", f"function {arn.partition(':function:')[2]}", proof="Policy")
        at = {"Qualifier": qualifier} if qualifier else {}
        try:
            return call(
                self.aws.functions.get_policy,
                self.budget,
                lambda answer: _document(answer["Policy"]),
                FunctionName=name,
                **at,
            )
        except NotFoundError:
            return {}

    def queue(self, arn: str) -> tuple[Policy, str]:
        """Return the queue's policy, empty where it has none, and the key that encrypts it, if any."""
        *_, account, name = arn.split(":")
        call = Call("sqs", "GetQueueUrl", f"queue {arn}", proof="QueueUrl")
        where = {"QueueName": name, "QueueOwnerAWSAccountId": account}
        url = call(self.aws.queues.get_queue_url, self.budget, lambda answer: str(answer["QueueUrl"]), **where)
        return Call("sqs", "GetQueueAttributes", f"queue {arn}", proof="Attributes")(
            self.aws.queues.get_queue_attributes,
            self.budget,
            lambda answer: (
                _document(answer["Attributes"].get("Policy") or "{}"),
                str(answer["Attributes"].get("KmsMasterKeyId") or ""),
            ),
            QueueUrl=url,
            AttributeNames=["Policy", "KmsMasterKeyId", "QueueArn"],
        )
