"""Clients, sessions and proxies: builds what a pass talks through, without a call to a cloud."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, CredentialProvider, DeferredRefreshableCredentials
from botocore.exceptions import BotoCoreError, LoginError, MissingDependencyException, UnknownRegionError
from botocore.session import Session, get_session

from controller import USER_AGENT, trust
from controller.cloudflare.api import Api, Tokens
from controller.errors import SettingsError
from controller.runtime import threads
from controller.settings import DEFAULT_REGION, Settings, region_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sts import STSClient

#: Seconds.
CONNECT_TIMEOUT, READ_TIMEOUT = 5, 20

_VARIABLES = (
    "Check AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL, HTTPS_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE and "
    "AWS_CA_BUNDLE."
)
_NO_CRT = (
    "Install botocore[crt] beside elephant-dns for profiles of aws login. Or pass credentials on: "
    'eval "$(aws configure export-credentials --format env)".'
)


class Closable(Protocol):
    """A client with connections."""

    def close(self) -> None:
        """Close them."""


@dataclass(frozen=True, slots=True)
class Clients:
    """The clients of a pass, and their session. ``secrets`` is None if the token was given."""

    session: Session
    region: str
    ec2: "EC2Client"
    dynamodb: "DynamoDBClient"
    secrets: "SecretsManagerClient | None"
    http: httpx.Client


def connect(settings: Settings, session: Session | None = None) -> Clients:
    """Return the clients of a pass, without a call to a cloud.

    Reuse one ``session`` in a process: each new one asks for credentials, and an MFA code, again. A table or secret
    named by ARN is called in its region.

    Raises SettingsError if AWS, proxies or certificates cannot be used as the environment sets them.
    """
    with surroundings():
        used = session or new_session()
        secret_region = region_of(settings.secret_arn or "")
        return Clients(
            session=used,
            region=_region(used),
            ec2=client(used, "ec2"),
            dynamodb=client(used, "dynamodb", region_of(settings.table_name)),
            secrets=None if settings.api_token else client(used, "secretsmanager", secret_region),
            http=_http(settings),
        )


@dataclass(frozen=True, slots=True)
class AwsClients:
    """Clients for a look at all that a deployment needs, and their session; a pass needs fewer."""

    session: Session
    region: str
    sts: "STSClient"
    ec2: "EC2Client"
    dynamodb: "DynamoDBClient"
    secrets: "SecretsManagerClient"
    functions: "LambdaClient"
    rules: "EventBridgeClient"
    schedules: Any  # boto3-stubs for these are not among the tools
    queues: Any
    logs: Any

    def close(self) -> None:
        """Close the connections."""
        clients: tuple[Closable, ...] = (self.sts, self.ec2, self.dynamodb, self.secrets, self.functions, self.rules)
        for client in (*clients, self.schedules, self.queues, self.logs):
            client.close()


def aws_clients(settings: Settings | None = None, session: Session | None = None) -> AwsClients:
    """Return the clients, without a call to a cloud: table and secret as ``connect`` does, and SettingsError, too."""
    with surroundings():
        used = session or new_session()
        table_region = region_of(settings.table_name) if settings else None
        secret_region = region_of(settings.secret_arn or "") if settings else None
        return AwsClients(
            session=used,
            region=_region(used),
            sts=client(used, "sts"),
            ec2=client(used, "ec2"),
            dynamodb=client(used, "dynamodb", table_region),
            secrets=client(used, "secretsmanager", secret_region),
            functions=client(used, "lambda"),
            rules=client(used, "events"),
            schedules=client(used, "scheduler"),
            queues=client(used, "sqs"),
            logs=client(used, "logs"),
        )


@contextmanager
def cloudflare_api(settings: Settings, tokens: Tokens) -> Iterator[Api]:
    """Yield Cloudflare's API with the token of any source. Raises SettingsError as ``connect`` does."""
    with surroundings():
        client = _http(settings)
    with client as http:
        yield Api(http, settings.cloudflare_url, tokens)


@contextmanager
def surroundings() -> Iterator[None]:
    """Raise SettingsError, with what to check, if a library cannot work with the environment's values."""
    try:
        yield
    except (BotoCoreError, ValueError, OSError, ImportError, httpx.InvalidURL) as error:
        # ValueError and InvalidURL quote what they cannot read of a URL, which may be a piece of a password.
        said = type(error).__name__ if isinstance(error, (ValueError, httpx.InvalidURL)) else error
        raise SettingsError(
            f"What the environment says of AWS, of proxies or of certificates cannot be used: {said}.",
            _remedy(error),
        ) from error


def _remedy(error: Exception) -> str:
    if isinstance(error, MissingDependencyException):
        return _NO_CRT
    return "Log in again: aws login." if isinstance(error, LoginError) else _VARIABLES


def _http(settings: Settings) -> httpx.Client:
    """Return the HTTP client. Without encryption, on loopback, it uses no proxy: a proxy would see the token."""
    is_encrypted = settings.cloudflare_url.lower().startswith("https:")
    return httpx.Client(
        follow_redirects=False,
        trust_env=False,
        proxy=_proxy(settings.cloudflare_url) if is_encrypted else None,
        verify=trust.for_http() if is_encrypted else trust.nobody(),
    )


def _proxy(url: str) -> str | None:
    """Return the proxy for this URL, found as botocore does: httpx cannot read every NO_PROXY (an IPv6 network)."""
    if proxy_bypass(urlsplit(url).netloc):
        return None
    proxies = getproxies()
    proxy = proxies.get("https") or proxies.get("all")
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy


def new_session() -> Session:
    """Return a session of botocore: importing boto3 around it costs 60 modules more, and a tenth of a cold start.

    It has its region. Lambda, AWS's CLI and its other SDKs know AWS_REGION; botocore does not.
    An empty variable counts as unset; botocore takes it for a region, and the commands would look into another one.
    """
    session = get_session()
    named = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    session.set_config_variable("region", named or session.get_scoped_config().get("region") or DEFAULT_REGION)
    return session


def _region(session: Session) -> str:
    return str(session.get_config_variable("region"))


def cell_clients(session: Session, settings: Settings) -> tuple[dict[str, "EC2Client"], tuple[Closable, ...]]:
    """Return EC2's client in each cell, without a call to a cloud, and all clients that are to be closed at the end.

    The role of another account is assumed when needed. A warm process renews the role's credentials by itself.
    """
    with surroundings():
        is_away = any(cell_role(session, cell, settings) for cell in settings.cells)
        sts = client(session, "sts") if is_away else None
        cells: dict[str, EC2Client] = {
            cell: client(cell_session(session, cell, settings, sts), "ec2", cell.partition("/")[2])
            for cell in settings.cells
        }
    return cells, (*cells.values(), *([sts] if sts else []))


def cell_role(session: Session, cell: str, settings: Settings) -> str | None:
    """Return the ARN of the role to assume for a cell; None in the own account.

    Raises SettingsError if CELL_ROLE is not set, or botocore does not know the region.
    """
    account, _, region = cell.partition("/")
    if (settings.place or "").partition("/")[0] == account:
        return None
    if not settings.cell_role:
        raise SettingsError(
            f"CELL_ROLE is not set, and the cell {cell} is in another account than {settings.place}.",
            "Set CELL_ROLE to the name of the role that infra/cell.yaml creates there.",
        )
    try:
        partition = session.get_partition_for_region(region)
    except UnknownRegionError as error:
        raise SettingsError(
            f"CELLS names {cell}, and {region} is not a region that this version knows.",
            "Correct the region in CELLS. If AWS has opened it lately, update elephant-dns.",
        ) from error
    return f"arn:{partition}:iam::{account}:role/{settings.cell_role}"


def cell_session(session: Session, cell: str, settings: Settings, sts: Any) -> Session:
    """Return the session for a cell: with the credentials of the role, where ``cell_role`` names one.

    ``sts`` is the client that assumes it, with the session's own credentials; None if no cell has a role.
    """
    role = cell_role(session, cell, settings)
    if role is None:
        return session
    external = {"ExternalId": settings.cell_external_id} if settings.cell_external_id else {}
    fetcher = AssumeRoleCredentialFetcher(
        lambda *_, **__: sts,
        session.get_credentials(),
        role,
        extra_args={"RoleSessionName": "elephant-dns", **external},
    )
    assumed = get_session()
    # AWS's models, parsed once: EC2's takes half a second and tens of megabytes in each session that reads it anew.
    assumed.register_component("data_loader", session.get_component("data_loader"))
    assumed.set_config_variable("region", cell.partition("/")[2])
    provider = _Assumed(DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role"))
    assumed.get_component("credential_provider").providers[:] = [provider]
    return assumed


class _Assumed(CredentialProvider):
    """Gives a session the credentials of a role, and none from the environment."""

    METHOD = "assume-role"

    def __init__(self, credentials: DeferredRefreshableCredentials) -> None:
        super().__init__()
        self._credentials = credentials

    def load(self) -> DeferredRefreshableCredentials:
        """Return the role's credentials."""
        return self._credentials


def client(session: Session, service: str, region: str | None = None) -> Any:
    """Return a client, by default in the session's region. It does not retry: the controller does, within its time."""
    verify = trust.for_aws(session, region or _region(session))
    return session.create_client(service, region_name=region, config=_config(), verify=verify)


def _config() -> Config:
    return Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retries={"total_max_attempts": 1},
        max_pool_connections=threads.MAX_THREADS,
        user_agent_extra=USER_AGENT,
    )
