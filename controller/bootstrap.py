"""Settings → Controller: the only place where clients are made, and kept for the life of the process."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.session import Session, get_session

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

#: Seconds. botocore itself does not retry: the controller does, within the pass's time. Its own sessions make the
#: clients, since importing boto3 around it costs 60 modules more, and a tenth of a cold start.
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
        budget = Budget(self.clock, seconds, stop, reserve=2 * parallel.COURTESY)
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


@dataclass(frozen=True, slots=True)
class Clients:
    """What a pass talks through. ``secrets`` is None where the token was given."""

    region: str
    ec2: "EC2Client"
    dynamodb: "DynamoDBClient"
    secrets: "SecretsManagerClient | None"
    http: httpx.Client


def connect(settings: Settings) -> Clients:
    """The clients of a pass, without a call to anybody.

    Raises SettingsError where what the environment says of AWS, proxies or certificates cannot be used.
    """
    with _surroundings():
        session = _session()
        return Clients(
            region=_region(session),
            ec2=_client(session, "ec2"),
            dynamodb=_client(session, "dynamodb"),
            secrets=None if settings.api_token else _client(session, "secretsmanager"),
            http=_http(settings),
        )


def build(
    settings: Settings,
    *,
    account: str | None = None,
    clients: Clients | None = None,
    clock: Clock | None = None,
    seconds: float = 30,
) -> Controller:
    """A controller for these settings; ``account`` where it is known already (in Lambda), else STS is asked.

    STS has ``seconds`` for its answer.

    Raises SettingsError like ``connect``, AuthenticationError where AWS's credentials cannot be used.
    """
    clock = clock or SystemClock()
    account = account or _account(Budget(clock, seconds))
    clients = clients or connect(settings)
    place = f"{account}/{clients.region}"
    settings = replace(settings, owner_id=settings.owner_id or place, place=place)
    secrets = clients.secrets
    tokens = SecretToken(secrets, settings.secret_arn or "") if secrets else GivenToken(settings.api_token or "")
    return Controller(
        settings=settings,
        target=_target(settings, account, clients.region),
        clock=clock,
        ec2=clients.ec2,
        dynamodb=clients.dynamodb,
        api=Api(clients.http, settings.cloudflare_url, tokens),
        zone=ZoneCache(),
        clients=(clients.ec2, clients.dynamodb, clients.http, *([secrets] if secrets else [])),
    )


def _target(settings: Settings, account: str, region: str) -> Target:
    return Target(
        account=account,
        region=region,
        zone=settings.zone_id,
        domain_root=settings.domain_root,
        table=settings.table_name,
        owner=settings.owner_id or "",
    )


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
    """The clients, without a call to anybody. Raises SettingsError like ``connect``."""
    with _surroundings():
        session = _session()
        return AwsClients(
            region=_region(session),
            sts=_client(session, "sts"),
            ec2=_client(session, "ec2"),
            dynamodb=_client(session, "dynamodb"),
            secrets=_client(session, "secretsmanager"),
            functions=_client(session, "lambda"),
            rules=_client(session, "events"),
        )


@contextmanager
def cloudflare_api(settings: Settings, tokens: Tokens) -> Iterator[Api]:
    """Cloudflare's API with a token from wherever it comes. Raises SettingsError like ``connect``."""
    with _surroundings():
        client = _http(settings)
    with client as http:
        yield Api(http, settings.cloudflare_url, tokens)


@contextmanager
def _surroundings() -> Iterator[None]:
    """Say it in our words where a library cannot work with what the environment tells it."""
    try:
        yield
    except (BotoCoreError, ValueError, OSError, ImportError, httpx.InvalidURL) as error:
        # These two quote what they cannot read of a URL, and that may be a piece of a password.
        told = type(error).__name__ if isinstance(error, (ValueError, httpx.InvalidURL)) else error
        raise SettingsError(
            f"What the environment says of AWS, of proxies or of certificates cannot be used: {told}.",
            "Check AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL, HTTPS_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE and "
            "AWS_CA_BUNDLE.",
        ) from error


def _http(settings: Settings) -> httpx.Client:
    """Where the way is not encrypted (on loopback) no proxy comes between, and so none sees the token."""
    is_encrypted = settings.cloudflare_url.lower().startswith("https:")
    return httpx.Client(
        follow_redirects=False,
        trust_env=False,
        proxy=_proxy(settings.cloudflare_url) if is_encrypted else None,
        verify=httpx.create_ssl_context(trust_env=is_encrypted),
    )


def _proxy(url: str) -> str | None:
    """The proxy on the way to this URL, found as botocore does; httpx cannot read every NO_PROXY (no IPv6 network)."""
    if proxy_bypass(urlsplit(url).netloc):
        return None
    proxies = getproxies()
    proxy = proxies.get("https") or proxies.get("all")
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy


def _session() -> Session:
    """A session with its region. Lambda, AWS's command line and its other SDKs know AWS_REGION; botocore does not.

    An empty variable counts as none; botocore takes it for set, and the commands would look into another region.
    """
    session = get_session()
    named = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    session.set_config_variable("region", named or session.get_scoped_config().get("region") or DEFAULT_REGION)
    return session


def _region(session: Session) -> str:
    return str(session.get_config_variable("region"))


def _client(session: Session, service: str) -> Any:
    config = Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retries={"total_max_attempts": 1},
        max_pool_connections=parallel.WIDTH,
    )
    return session.create_client(service, config=config)


def _account(budget: Budget) -> str:
    with _surroundings():
        sts: STSClient = _client(_session(), "sts")
    call = Call("sts", "GetCallerIdentity", "these credentials", proof="Account")
    try:
        return parallel.bounded(lambda: call(sts.get_caller_identity, budget, lambda who: str(who["Account"])), budget)
    finally:
        sts.close()
