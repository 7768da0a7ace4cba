"""Clients, sessions and proxies: what a pass talks through, made without a call to anybody."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.session import Session, get_session

from controller.cloudflare.api import Api, Tokens
from controller.errors import SettingsError
from controller.runtime import threads
from controller.settings import DEFAULT_REGION, Settings

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
    with surroundings():
        found = session()
        return Clients(
            region=_region(found),
            ec2=client(found, "ec2"),
            dynamodb=client(found, "dynamodb"),
            secrets=None if settings.api_token else client(found, "secretsmanager"),
            http=_http(settings),
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
    schedules: Any  # boto3-stubs for these two are not among the tools
    queues: Any

    def close(self) -> None:
        """End the connections."""
        clients: tuple[Closable, ...] = (self.sts, self.ec2, self.dynamodb, self.secrets, self.functions, self.rules)
        for client in (*clients, self.schedules, self.queues):
            client.close()


def aws_clients() -> AwsClients:
    """The clients, without a call to anybody. Raises SettingsError like ``connect``."""
    with surroundings():
        found = session()
        return AwsClients(
            region=_region(found),
            sts=client(found, "sts"),
            ec2=client(found, "ec2"),
            dynamodb=client(found, "dynamodb"),
            secrets=client(found, "secretsmanager"),
            functions=client(found, "lambda"),
            rules=client(found, "events"),
            schedules=client(found, "scheduler"),
            queues=client(found, "sqs"),
        )


@contextmanager
def cloudflare_api(settings: Settings, tokens: Tokens) -> Iterator[Api]:
    """Cloudflare's API with a token from wherever it comes. Raises SettingsError like ``connect``."""
    with surroundings():
        client = _http(settings)
    with client as http:
        yield Api(http, settings.cloudflare_url, tokens)


@contextmanager
def surroundings() -> Iterator[None]:
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


def session() -> Session:
    """A session with its region. Lambda, AWS's command line and its other SDKs know AWS_REGION; botocore does not.

    An empty variable counts as none; botocore takes it for set, and the commands would look into another region.
    """
    made = get_session()
    named = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    made.set_config_variable("region", named or made.get_scoped_config().get("region") or DEFAULT_REGION)
    return made


def _region(session: Session) -> str:
    return str(session.get_config_variable("region"))


def client(session: Session, service: str) -> Any:
    """A client that does not retry by itself: the controller does, within the pass's time."""
    config = Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retries={"total_max_attempts": 1},
        max_pool_connections=threads.MAX_THREADS,
    )
    return session.create_client(service, config=config)
