"""Settings → Controller: the only place where clients are made, and kept for the life of the process."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import boto3
import httpx
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from controller import parallel
from controller.aws import DynamoTable, DynamoWriter, Ec2Fleet
from controller.aws_calls import Call
from controller.budget import Budget, Clock, SystemClock
from controller.cloudflare import CloudflareRecords, CloudflareWriter, ZoneCache
from controller.cloudflare_http import Api, Tokens
from controller.errors import SettingsError
from controller.model import Result
from controller.ports import Readers, Writers
from controller.reconcile import Decide, Pass, decide, reconcile
from controller.report.report import Report, Target
from controller.request import Mode, Request
from controller.settings import DEFAULT_REGION, Settings
from controller.tokens import GivenToken, SecretToken

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sts import STSClient

#: Seconds. boto3 itself does not retry: the controller does, within the pass's time.
CONNECT_TIMEOUT, READ_TIMEOUT = 5, 20


class Closable(Protocol):
    """A client with connections."""

    def close(self) -> None:
        """End them."""


@dataclass(frozen=True, slots=True)
class Controller:
    """Long-lived clients, and a pass whenever one is asked for."""

    settings: Settings
    target: Target
    clock: Clock
    ec2: "EC2Client"
    dynamodb: "DynamoDBClient"
    api: Api
    zone: ZoneCache
    clients: tuple[Closable, ...]

    def close(self) -> None:
        """End the connections; for a process that goes on without a controller."""
        for client in self.clients:
            client.close()

    def run(
        self,
        request: Request,
        seconds: float,
        *,
        on_plan: Callable[[Report], None] = lambda _: None,
        on_result: Callable[[Result], None] = lambda _: None,
        stop: threading.Event | None = None,
        decide: Decide = decide,
    ) -> Report:
        """One pass that ends within ``seconds``, or soon after ``stop`` is set. More is said at ``reconcile``."""
        return reconcile(request, self.begin(request.mode, seconds, stop), on_plan, on_result, decide)

    def begin(self, mode: Mode, seconds: float, stop: threading.Event | None = None) -> Pass:
        """All that a pass stands on; only one that applies gets writers."""
        budget = Budget(self.clock, max(0.0, seconds - 2 * parallel.COURTESY), stop)
        readers = Readers(
            Ec2Fleet(self.ec2, self.settings, budget),
            DynamoTable(self.dynamodb, self.settings, budget),
            CloudflareRecords(self.api, self.settings, budget, self.zone),
        )
        writers = self._writers(budget) if mode is Mode.APPLY else None
        return Pass(self.settings, self.target, readers, writers, budget)

    def _writers(self, budget: Budget) -> Writers:
        return Writers(
            DynamoWriter(self.dynamodb, self.settings, budget), CloudflareWriter(self.api, self.settings, budget)
        )


def build(
    settings: Settings, *, account: str | None = None, clock: Clock | None = None, seconds: float = 30
) -> Controller:
    """A controller for these settings; ``account`` where it is known already (in Lambda), else STS is asked.

    STS has ``seconds`` for its answer.

    Raises SettingsError where AWS's own settings cannot be used, AuthenticationError where its credentials cannot.
    """
    with _aws_settings():
        return _build(settings, account, clock or SystemClock(), seconds)


@dataclass(frozen=True, slots=True)
class AwsClients:
    """Clients for a look at everything that a deployment stands on; a pass needs fewer."""

    region: str
    sts: "STSClient"
    ec2: "EC2Client"
    dynamodb: "DynamoDBClient"
    secrets: "SecretsManagerClient"
    functions: "LambdaClient"
    rules: "EventBridgeClient"

    def close(self) -> None:
        """End the connections."""
        for client in (self.sts, self.ec2, self.dynamodb, self.secrets, self.functions, self.rules):
            client.close()


def aws_clients() -> AwsClients:
    """The clients, without a call to anybody. Raises SettingsError where AWS's own settings cannot be used."""
    with _aws_settings():
        session = boto3.session.Session()
        config = _config(session)
        return AwsClients(
            region=_region(session),
            sts=session.client("sts", config=config),
            ec2=session.client("ec2", config=config),
            dynamodb=session.client("dynamodb", config=config),
            secrets=session.client("secretsmanager", config=config),
            functions=session.client("lambda", config=config),
            rules=session.client("events", config=config),
        )


@contextmanager
def cloudflare_api(settings: Settings, tokens: Tokens) -> Iterator[Api]:
    """Cloudflare's API with a token from wherever it comes."""
    with httpx.Client(follow_redirects=False) as http:
        yield Api(http, settings.cloudflare_url, tokens)


@contextmanager
def _aws_settings() -> Iterator[None]:
    """Say it in our words where boto3 cannot work with what it was told."""
    try:
        yield
    except (BotoCoreError, ValueError) as error:
        raise SettingsError(
            f"The AWS settings cannot be used: {error}.", "Check AWS_PROFILE, AWS_REGION and AWS_ENDPOINT_URL."
        ) from error


def _region(session: boto3.session.Session) -> str:
    return session.region_name or DEFAULT_REGION


def _config(session: boto3.session.Session) -> Config:
    return Config(
        region_name=_region(session),
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retries={"total_max_attempts": 1},
        max_pool_connections=parallel.WIDTH,
    )


def _build(settings: Settings, account: str | None, clock: Clock, seconds: float) -> Controller:
    session = boto3.session.Session()
    region, config = _region(session), _config(session)
    account = account or _account(session, config, Budget(clock, seconds))
    settings = replace(settings, owner_id=settings.owner_id or f"{account}/{region}")
    target = Target(
        account=account,
        region=region,
        zone=settings.zone_id,
        domain_root=settings.domain_root,
        table=settings.table_name,
        owner=settings.owner_id or "",
    )
    ec2, dynamodb = session.client("ec2", config=config), session.client("dynamodb", config=config)
    secrets = None if settings.api_token else session.client("secretsmanager", config=config)
    tokens = SecretToken(secrets, settings.secret_arn or "") if secrets else GivenToken(settings.api_token or "")
    http = httpx.Client(follow_redirects=False)
    return Controller(
        settings=settings,
        target=target,
        clock=clock,
        ec2=ec2,
        dynamodb=dynamodb,
        api=Api(http, settings.cloudflare_url, tokens),
        zone=ZoneCache(),
        clients=(ec2, dynamodb, http, *([secrets] if secrets else [])),
    )


def _account(session: Any, config: Config, budget: Budget) -> str:
    sts = session.client("sts", config=config)
    call = Call("sts", "GetCallerIdentity", "these credentials", proof="Account")
    try:
        return parallel.bounded(lambda: call(sts.get_caller_identity, budget, lambda who: str(who["Account"])), budget)
    finally:
        sts.close()
