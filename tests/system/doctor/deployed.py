"""A deployment to examine: what the template makes, and the doctor's view of it."""

import io
import json
import zipfile
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from controller.clients import AwsClients, aws_clients
from controller.doctor.diagnosis import Check, Diagnosis, Status, side_by_side
from controller.doctor.examine import PARTS, examine
from controller.doctor.function import HANDLER
from controller.doctor.look import Look
from controller.doctor.patterns import STATES, right_tag_pattern
from controller.events import STATE_CHANGE
from controller.runtime.budget import Budget
from controller.sandbox.aws import AwsServer, exported
from controller.sandbox.aws_http import operation_of
from controller.sandbox.cloudflare import Exchange, Proceed, Reply, Request
from controller.settings import Settings, read_settings
from tests.support.clock import FastClock
from tests.support.servers import Clouds
from tests.system.faults.aws_kinds import failure
from tests.system.faults.calls import Scene

FUNCTION = "ElephantDNSWatchdog"
STS_XML = (
    '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
    "<Code>ExpiredToken</Code><Message>Said the test.</Message></Error></ErrorResponse>"
)
PATTERN = {"source": ["aws.ec2"], "detail-type": [STATE_CHANGE], "detail": {"state": list(STATES)}}
TAG_PATTERN = json.loads(right_tag_pattern(("Project", "MeetingID", "Role")))


@dataclass(frozen=True, slots=True)
class Deployment:
    """Makes functions, queues, rules and schedules in the account, with what lets one call the other."""

    clouds: Clouds

    def function(self, name: str = FUNCTION, *, runs: str = HANDLER, seconds: int = 240, **changes: str) -> str:
        """A function with the settings of the tests, and these changes; its ARN."""
        keep = ("DOMAIN_ROOT", "ZONE_ID", "SECRET_ARN", "CLOUDFLARE_BASE_URL")
        environment = {key: self.clouds.environment()[key] for key in keep}
        answer = self.of("lambda").create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=self._role(),
            Handler=runs,
            Code={"ZipFile": _zipped("lambda_handler = None")},
            Environment={"Variables": {**environment, **changes}},
            Timeout=seconds,
            Publish=True,
        )
        return str(answer["FunctionArn"])

    def alias(self, name: str = "live", function: str = FUNCTION) -> str:
        """An alias of its first version; its ARN."""
        return str(self.of("lambda").create_alias(FunctionName=function, Name=name, FunctionVersion="1")["AliasArn"])

    def queue(self, reader: str, *, enabled: bool = True, **attributes: str) -> str:
        """A queue that the function with this ARN reads; the queue's ARN."""
        self.of("sqs").create_queue(QueueName="state-changes", Attributes=attributes)
        arn = f"arn:aws:sqs:us-west-2:{self.clouds.aws.account}:state-changes"
        self.of("lambda").create_event_source_mapping(FunctionName=reader, EventSourceArn=arn, Enabled=enabled)
        return arn

    def rule(self, name: str, target: str, *, allowed: bool = True, send: Mapping[str, Any] = {}, **fields: Any) -> str:
        """A rule, which may call its target; its ARN. A pattern is a dict; ``send`` are more fields of the target."""
        if "pattern" in fields:
            fields["EventPattern"] = json.dumps(fields.pop("pattern"))
        events = self.of("events")
        arn = str(events.put_rule(Name=name, **fields)["RuleArn"])
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": target, **send}])
        if allowed:
            self.allow(arn, target)
        return arn

    def allow(self, rule: str, target: str) -> None:
        """Let a rule call its target."""
        if ":sqs:" in target:
            self.policy(target, statement(target, rule))
            return
        name, _, qualifier = target.partition(":function:")[2].partition(":")
        self.of("lambda").add_permission(
            FunctionName=name,
            StatementId=rule.rpartition("/")[2],
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=rule,
            **({"Qualifier": qualifier} if qualifier else {}),
        )

    def policy(self, queue: str, *statements: Mapping[str, Any]) -> None:
        """Give the queue a policy of these statements."""
        url = self.of("sqs").get_queue_url(QueueName=queue.rpartition(":")[2])["QueueUrl"]
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        self.of("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": document})

    def schedule(self, target: str, expression: str = "rate(5 minutes)", name: str = "s", **fields: Any) -> None:
        """A schedule of EventBridge Scheduler; ``send`` is its input."""
        sent = {"Input": fields.pop("send")} if "send" in fields else {}
        self.of("scheduler").create_schedule(
            Name=name,
            FlexibleTimeWindow={"Mode": "OFF"},
            ScheduleExpression=expression,
            Target={"Arn": target, "RoleArn": f"arn:aws:iam::{self.clouds.aws.account}:role/scheduler", **sent},
            **fields,
        )

    def whole(self) -> str:
        """What the template makes: an alias, a queue before it, all rules; the alias's ARN."""
        self.function()
        live = self.alias()
        queue = self.queue(live)
        rules = {"ElephantEC2StateWatch": PATTERN, "ElephantTagWatch": TAG_PATTERN}
        made = [self.rule(name, queue, allowed=False, pattern=pattern) for name, pattern in rules.items()]
        self.policy(queue, statement(queue, made))
        self.rule("ElephantReconcile", live, ScheduleExpression="rate(5 minutes)")
        return live

    def _role(self) -> str:
        iam = self.of("iam")
        try:
            return str(iam.create_role(RoleName="watchdog", AssumeRolePolicyDocument="{}")["Role"]["Arn"])
        except iam.exceptions.EntityAlreadyExistsException:
            return str(iam.get_role(RoleName="watchdog")["Role"]["Arn"])

    def of(self, service: str) -> Any:
        """Return a client of this service of AWS."""
        return self.clouds.aws.client(service)


def statement(target: str, rule: str | list[str], **changes: Any) -> dict[str, Any]:
    """What lets a rule, or several, write to a queue, with these changes."""
    return {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": target,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
        **changes,
    }


def examined(clouds: Clouds, seconds: float = 600, /, **changes: str) -> Diagnosis:
    """The doctor's whole view."""
    with clouds.exported(**changes) as environment:
        return examine(environment, FUNCTION, Budget(FastClock(), seconds))


def table(clouds: Clouds, **changes: str) -> dict[str, Check]:
    """What it says of the table, by id."""
    return _by_id(part(clouds, "table", **changes))


def cloudflare(clouds: Clouds, **changes: str) -> dict[str, Check]:
    """What it says of secret, token and zone, by id."""
    return _by_id(part(clouds, "token", **changes))


def function(clouds: Clouds, name: str = FUNCTION, /, **changes: str) -> list[Check]:
    """What it says of the function and what starts it."""
    look = looked(clouds, name, **changes)
    return [*of_part("function", look), *of_part("schedule", look)]


def part(clouds: Clouds, id: str, **changes: str) -> list[Check]:
    """The checks of the part that has this one."""
    return of_part(id, looked(clouds, **changes))


def looked(clouds: Clouds, name: str = FUNCTION, invoke: bool = False, /, **changes: str) -> Look:
    """What the checks look at."""
    return Look(settings(clouds, **changes), _aws(clouds.aws), name, budget(), invoke=invoke)


def of_part(id: str, look: Look) -> list[Check]:
    (found,) = [part for part in PARTS if id in part.ids]
    return list(side_by_side([found], look, look.budget))


def settings(clouds: Clouds, **changes: str) -> Settings:
    """The settings of the tests, with changes."""
    return read_settings(clouds.environment(**changes))


def budget() -> Budget:
    """More time than anything takes, and no wait between two tries."""
    return Budget(FastClock(), 600)


@cache
def _aws(server: AwsServer) -> AwsClients:
    """Clients take long to make, and the server stays."""
    with exported(server.environment()):
        return aws_clients()


def _by_id(checks: Iterable[Check]) -> dict[str, Check]:
    found = list(checks)
    by_id = {check.id: check for check in found}
    assert len(by_id) == len(found), "each check once"
    return by_id


def by_status(diagnosis: Diagnosis, *wanted: Status) -> list[str]:
    """The ids of the checks that ended so."""
    return [check.id for check in diagnosis.checks if check.status in wanted]


def name_of(request: Request) -> str:
    """The operation that is asked for; of Lambda's API the method and the last piece of the path."""
    named = operation_of(Exchange(request))
    path = request.target.partition("?")[0].rstrip("/")
    return named or f"{request.method} {path.rpartition('/')[2]}"


def instead(clouds: Clouds, operations: Collection[str], answer: Callable[[Scene], Reply]) -> None:
    """From now on AWS answers so to these operations."""

    def intercept(request: Request, proceed: Proceed) -> Reply:
        return answer(Scene(request, proceed, clouds)) if name_of(request) in operations else proceed()

    clouds.aws.intercept = intercept


def deny(clouds: Clouds, *operations: str) -> None:
    """From now on IAM allows these no more."""

    def refuse(scene: Scene) -> Reply:
        if scene.operation == "DescribeInstances":
            return failure(403, "UnauthorizedOperation")(scene)
        if scene.operation == "GetCallerIdentity":
            return Reply.text(403, STS_XML, "text/xml")
        reply = failure(400, "AccessDeniedException")(scene)
        return Reply(403, reply.content, {**reply.headers, "x-amzn-errortype": "AccessDeniedException"})

    instead(clouds, operations, refuse)


def changed(clouds: Clouds, operation: str, change: Callable[[Any], None]) -> None:
    """From now on the JSON of this operation's answers is changed on its way."""

    def answer(scene: Scene) -> Reply:
        reply = scene.proceed()
        body = json.loads(reply.content)
        change(body)
        return Reply(reply.status, json.dumps(body).encode(), reply.headers)

    instead(clouds, [operation], answer)


def _zipped(source: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("handler.py", source)
    return content.getvalue()
