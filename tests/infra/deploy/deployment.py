"""The template, deployed by a change set as `sam deploy` does it.

The emulator gets it with three changes: the package's place is filled in; of the alarm on an expression only the metric
stays, since the emulator computes no expressions; and the condition keys that it does not know are left out.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from tests.infra.cloudformation import read
from tests.infra.deploy.account import Account
from tests.infra.deploy.emulator import Credentials
from tests.infra.iam import listed

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
QUICKLY = {"Delay": 0.05, "MaxAttempts": 1200}
#: The source of a test's events, to which a rule listens: AWS keeps `aws.ec2` to itself.
SOURCE = "a.test"


@dataclass(frozen=True, slots=True)
class Answer:
    """What an invocation has come to."""

    failed: bool
    content: Any
    log: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """A stack, and what it has put out."""

    account: Account
    stack: str
    outputs: Mapping[str, str]

    def client(self, service: str) -> Any:
        """The root user's client."""
        return self.account.client(service)

    def invoke(self, event: object) -> Answer:
        """Invoke the alias, as the schedule and the queue do."""
        answer = self.client("lambda").invoke(
            FunctionName=self.outputs["AliasArn"], Payload=json.dumps(event), LogType="Tail"
        )
        log = base64.b64decode(answer["LogResult"]).decode()
        return Answer("FunctionError" in answer, json.loads(answer["Payload"].read()), log)

    def live(self) -> dict[str, Any]:
        """The version that the alias leads to."""
        found = self.client("lambda").get_function(FunctionName=self.outputs["AliasArn"])
        return dict(found["Configuration"])

    def log(self) -> list[dict[str, Any]]:
        """Our lines in the log group."""
        pages = self.client("logs").get_paginator("filter_log_events").paginate(logGroupName=self.outputs["LogGroup"])
        messages = [event["message"] for page in pages for event in page["events"]]
        return [json.loads(message) for message in messages if message.startswith("{")]

    @property
    def role(self) -> str:
        """The role's name."""
        return self.outputs["RoleArn"].rpartition("/")[2]

    def credentials(self) -> Credentials:
        """What Lambda gives to the function: a session of its role."""
        session = self.client("sts").assume_role(RoleArn=self.outputs["RoleArn"], RoleSessionName="test")["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
            "AWS_SESSION_TOKEN": session["SessionToken"],
        }

    def without(self, action: str) -> AbstractContextManager[None]:
        """The role with this action taken out of its policies."""
        return without(self.client("iam"), self.role, action)

    def waiting(self, queue: str) -> int:
        """The messages in the queue of this output, those included that somebody is working on."""
        counts = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        attributes = self.client("sqs").get_queue_attributes(QueueUrl=self.outputs[queue], AttributeNames=counts)
        return sum(int(attributes["Attributes"][count]) for count in counts)

    @contextmanager
    def hearing(self, rule: str, **target: str) -> Iterator[None]:
        """Let the rule take a test's events, and let its target get what the test says."""
        events = self.client("events")
        found = events.describe_rule(Name=rule)
        kept = {key: found[key] for key in ("Name", "ScheduleExpression", "EventPattern", "State") if key in found}
        targets = events.list_targets_by_rule(Rule=rule)["Targets"]
        pattern = {**json.loads(kept.get("EventPattern", "{}")), "source": [SOURCE]}
        try:
            events.put_rule(**{**kept, "EventPattern": json.dumps(pattern)})
            events.put_targets(Rule=rule, Targets=[{**one, **target} for one in targets])
            yield
        finally:
            events.put_rule(**kept)
            events.put_targets(Rule=rule, Targets=targets)

    def happen(self, event: Mapping[str, Any]) -> None:
        """Put an event onto the bus, as if it came from a test."""
        entry = {"Source": SOURCE, "DetailType": event["detail-type"], "Detail": json.dumps(event["detail"])}
        assert self.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0

    def delete(self) -> dict[str, str]:
        """Take the stack down; what became of each resource."""
        formation = self.client("cloudformation")
        identity = formation.describe_stacks(StackName=self.stack)["Stacks"][0]["StackId"]
        formation.delete_stack(StackName=self.stack)
        formation.get_waiter("stack_delete_complete").wait(StackName=self.stack, WaiterConfig=QUICKLY)
        pages = formation.get_paginator("describe_stack_events").paginate(StackName=identity)
        events = [event for page in pages for event in page["StackEvents"]]
        return {one["LogicalResourceId"]: one["ResourceStatus"] for one in reversed(events)}


@contextmanager
def without(iam: Any, role: str, action: str) -> Iterator[None]:
    """Take an action out of a role's policies for a while."""
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    documents = {name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names}
    try:
        for name, document in documents.items():
            _put_policy(iam, role, name, [one for one in document["Statement"] if action not in listed(one["Action"])])
        yield
    finally:
        for name, document in documents.items():
            _put_policy(iam, role, name, document["Statement"])


def _put_policy(iam: Any, role: str, name: str, statements: list[dict[str, Any]]) -> None:
    policy = {"RoleName": role, "PolicyName": name}
    if not statements:  # IAM takes no empty policy
        iam.delete_role_policy(**policy)
        return
    iam.put_role_policy(**policy, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}))


def deploy(account: Account, package: Path, stack: str, **parameters: str) -> Deployment:
    """Make the stack, or change it."""
    formation = account.client("cloudformation")
    values = {"DomainRoot": "example.com", "ZoneId": account.cloudflare.zone_id, **parameters}
    change = {"StackName": stack, "ChangeSetName": f"deployment-{uuid4()}"}
    kind = "UPDATE" if _is_there(account, stack) else "CREATE"
    formation.create_change_set(
        **change,
        ChangeSetType=kind,
        TemplateURL=account.upload_template(f"{stack}.json", _template(account.upload(package))),
        Capabilities=CAPABILITIES,
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()],
    )
    formation.get_waiter("change_set_create_complete").wait(**change, WaiterConfig=QUICKLY)
    formation.execute_change_set(**change)
    formation.get_waiter(f"stack_{kind.lower()}_complete").wait(StackName=stack, WaiterConfig=QUICKLY)
    (created,) = formation.describe_stacks(StackName=stack)["Stacks"]
    return Deployment(account, stack, {one["OutputKey"]: one["OutputValue"] for one in created["Outputs"]})


#: Condition keys that the emulator never sets, so that a condition on them would refuse everything.
UNKNOWN_KEYS = {"ec2:Region", "dynamodb:ReturnValues", "lambda:SourceFunctionArn"}


def drop_unknown_keys(part: Any) -> None:
    """Remove the condition keys that the emulator does not know, wherever in the template."""
    if isinstance(part, dict):
        for keys in part.get("Condition", {}).values() if isinstance(part.get("Condition"), dict) else ():
            for unknown in UNKNOWN_KEYS & set(keys):
                del keys[unknown]
    for one in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        drop_unknown_keys(one)


def _template(package: str) -> str:
    template = read()
    resources = template["Resources"]
    resources["ElephantDNSWatchdog"]["Properties"]["CodeUri"] = package
    alarm = resources["NoFullPassAlarm"]["Properties"]
    (stat,) = [one["MetricStat"] for one in alarm.pop("Metrics") if "MetricStat" in one]
    alarm.update(stat["Metric"], Period=stat["Period"], Statistic=stat["Stat"])
    drop_unknown_keys(template)
    return json.dumps(template)


def _is_there(account: Account, stack: str) -> bool:
    try:
        account.client("cloudformation").describe_stacks(StackName=stack)
    except ClientError:
        return False
    return True
