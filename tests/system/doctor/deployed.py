"""A deployment to examine: what the template makes, and the doctor's view of it."""

import io
import json
import zipfile
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from controller.clients import AwsClients, aws_clients
from controller.doctor.agreement import Here
from controller.doctor.cloudflare import cloudflare_checks
from controller.doctor.diagnosis import Check, Diagnosis, Status
from controller.doctor.examine import examine
from controller.doctor.function import function_checks
from controller.doctor.patterns import STATES
from controller.doctor.secret import TokenSource
from controller.doctor.table import table_checks
from controller.events import STATE_CHANGE
from controller.runtime.budget import Budget
from controller.sandbox.aws import AwsServer, exported
from controller.sandbox.aws_http import operation_of
from controller.sandbox.cloudflare import Exchange, Proceed, Reply, Request
from controller.settings import Settings, read_settings
from tests.support.build import OWNER
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


@dataclass(frozen=True, slots=True)
class Deployment:
    """Makes functions, queues and rules in the account."""

    clouds: Clouds

    def function(self, name: str = FUNCTION, **changes: str) -> str:
        """A function with the settings of the tests, and these changes; its ARN."""
        keep = ("DOMAIN_ROOT", "ZONE_ID", "SECRET_ARN", "CLOUDFLARE_BASE_URL")
        environment = {key: self.clouds.environment()[key] for key in keep}
        answer = self._of("lambda").create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=self._role(),
            Handler="handler.lambda_handler",
            Code={"ZipFile": _zipped("lambda_handler = None")},
            Environment={"Variables": {**environment, **changes}},
            Publish=True,
        )
        return str(answer["FunctionArn"])

    def alias(self, name: str = "live", function: str = FUNCTION) -> str:
        """An alias of its first version; its ARN."""
        return str(self._of("lambda").create_alias(FunctionName=function, Name=name, FunctionVersion="1")["AliasArn"])

    def queue(self, reader: str, *, enabled: bool = True) -> str:
        """A queue that the function with this ARN reads; the queue's ARN."""
        self._of("sqs").create_queue(QueueName="state-changes")
        arn = f"arn:aws:sqs:us-west-2:{self.clouds.aws.account}:state-changes"
        self._of("lambda").create_event_source_mapping(FunctionName=reader, EventSourceArn=arn, Enabled=enabled)
        return arn

    def rule(self, name: str, target: str, *, input: str | None = None, **fields: Any) -> None:
        """A rule; a pattern is given as a dict."""
        if "pattern" in fields:
            fields["EventPattern"] = json.dumps(fields.pop("pattern"))
        events = self._of("events")
        events.put_rule(Name=name, **fields)
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": target, **({"Input": input} if input else {})}])

    def whole(self) -> str:
        """What the template makes: an alias, a queue before it, both rules; the alias's ARN."""
        self.function()
        live = self.alias()
        self.rule("ElephantEC2StateWatch", self.queue(live), pattern=PATTERN)
        self.rule("ElephantReconcile", live, ScheduleExpression="rate(5 minutes)")
        return live

    def _role(self) -> str:
        iam = self._of("iam")
        try:
            return str(iam.create_role(RoleName="watchdog", AssumeRolePolicyDocument="{}")["Role"]["Arn"])
        except iam.exceptions.EntityAlreadyExistsException:
            return str(iam.get_role(RoleName="watchdog")["Role"]["Arn"])

    def _of(self, service: str) -> Any:
        return self.clouds.aws.client(service)


def examined(clouds: Clouds, seconds: float = 600, /, **changes: str) -> Diagnosis:
    """The doctor's whole view."""
    with clouds.exported(**changes) as environment:
        return examine(environment, FUNCTION, Budget(FastClock(), seconds))


def table(clouds: Clouds, **changes: str) -> dict[str, Check]:
    """What it says of the table, by id."""
    return _by_id(table_checks(_aws(clouds.aws).dynamodb, settings(clouds, **changes), budget()))


def cloudflare(clouds: Clouds, owner: str | None = OWNER, /, **changes: str) -> dict[str, Check]:
    """What it says of secret, token and zone, by id."""
    tokens = TokenSource(settings(clouds, **changes), _aws(clouds.aws).secrets)
    return _by_id(cloudflare_checks(tokens, tokens.settings, lambda: owner, budget()))


def function(clouds: Clouds, name: str = FUNCTION, owner: str | None = OWNER, /, **changes: str) -> list[Check]:
    """What it says of the function and its rules."""
    here = Here(settings(clouds, **changes), lambda: owner)
    return list(function_checks(_aws(clouds.aws), name, here, budget()))


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
