"""AWS on loopback: moto's server with a table of meetings, a secret, and a fleet that tests control."""

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from threading import Event
from types import TracebackType
from typing import Any, Self

import boto3
from moto.moto_api._internal.models import moto_api_backend

from controller.sandbox.aws_functions import Functions
from controller.sandbox.aws_http import MOTO_LOCK, moto_application, operation_of
from controller.sandbox.aws_machines import Machine, Machines
from controller.sandbox.aws_rows import Rows
from controller.sandbox.cloudflare.exchange import Exchange, Interceptor, Reply, Request
from controller.sandbox.cloudflare.transport import LOOPBACK, Transport

ACCOUNT = "123456789012"  # moto's account for every caller
REGION = "us-west-2"
TABLE = "elephant-meetings"
SECRET = "prod/elephant/cloudflare"
NO_IMAGES = "MOTO_EC2_LOAD_DEFAULT_AMIS"


class AwsServer:
    """One account and region behind a real HTTP server. Use one at a time: moto's state is global to the process.

    ::

        with AwsServer() as aws:
            aws.make_table()
            machine = aws.machines.launch("m1", "teacher", address="192.0.2.1")
            aws.rows.put("m1", status="LAUNCHED", teacher_ec2_id=machine)
    """

    account = ACCOUNT
    region = REGION

    def __init__(self) -> None:
        self.machines = Machines(self.account, self.region)
        self.rows = Rows(self.account, self.region, TABLE)
        self.functions = Functions()
        self.intercept: Interceptor | None = None
        """Called before moto, as at the Cloudflare server. A reset removes it."""
        self.requests: list[Exchange] = []
        """Every request since the last reset, in the order of arrival."""
        self._numbers = count(1)
        self._over = Event()
        self._transport: Transport | None = None
        self._answer = moto_application()
        self._clients: dict[str, Any] = {}
        self._is_setting = False

    def start(self) -> Self:
        """Listen on a free port, with an empty account."""
        # moto reads this when it creates an account. Else it loads hundreds of images and searches them per instance.
        self._is_setting = NO_IMAGES not in os.environ
        os.environ.setdefault(NO_IMAGES, "false")
        self.reset()
        self._transport = Transport(self._respond)
        return self

    def stop(self) -> None:
        """Stop listening, end every connection and empty the account."""
        self.reset()
        while self._clients:
            self._clients.popitem()[1].close()
        if self._transport:
            self._transport.close()
            self._transport = None
        if self._is_setting:
            os.environ.pop(NO_IMAGES, None)

    def reset(self) -> None:
        """Empty the account and the log, end faults and lies. The socket stays open."""
        self._over.set()
        self._over = Event()
        self.intercept = None
        self._numbers, self.requests = count(1), []
        self.rows.table = TABLE
        self.functions.programs.clear()
        self.machines.show_truth()
        with MOTO_LOCK:
            moto_api_backend.reset()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Return the URL for ``AWS_ENDPOINT_URL``."""
        if not self._transport:
            raise RuntimeError("The server has not been started: call start().")
        return f"http://{LOOPBACK}:{self._transport.port}"

    def environment(self) -> dict[str, str]:
        """Return the variables with which boto3 and the AWS command line talk to this server alone."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": "sandbox",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": LOOPBACK,
            "no_proxy": LOOPBACK,  # takes precedence over NO_PROXY
        }

    def client(self, service: str) -> Any:
        """Return the boto3 client for this server, whatever the environment says."""
        if service not in self._clients:
            with exported(self.environment()):
                self._clients[service] = boto3.session.Session().client(
                    service  # type: ignore[call-overload]  # the stubs know the literal names only
                )
        return self._clients[service]

    def make_table(self, name: str = TABLE, *, index: str | None = None, key: str = "id") -> None:
        """Create the table of meetings, with an index on ``status`` if one is named. :attr:`rows` uses this table."""
        keys = [key, *(["status"] if index else [])]
        indexes = [
            {
                "IndexName": index,
                "KeySchema": [{"AttributeName": "status", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ]
        self.client("dynamodb").create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": field, "AttributeType": "S"} for field in keys],
            **({"GlobalSecondaryIndexes": indexes} if index else {}),
        )
        self.rows.table = name

    def make_secret(self, token: str) -> str:
        """Create or overwrite the secret with the Cloudflare token, and return its ARN."""
        return self.write_secret(json.dumps({"CLOUDFLARE_TOKEN": token}))

    def write_secret(self, text: str, name: str = SECRET) -> str:
        """Create or overwrite a secret with any text, and return its ARN."""
        client = self.client("secretsmanager")
        try:
            answer = client.create_secret(Name=name, SecretString=text)
        except client.exceptions.ResourceExistsException:
            answer = client.put_secret_value(SecretId=name, SecretString=text)
        return str(answer["ARN"])

    def operations(self) -> list[str]:
        """Return the operations called since the last reset, in order: ``["DescribeInstances", "Scan", …]``."""
        return [operation_of(exchange) for exchange in list(self.requests)]

    def _respond(
        self, method: str, target: str, headers: Mapping[str, str], content: bytes, connection: int
    ) -> tuple[Reply, Event]:
        over, intercept = self._over, self.intercept
        now = datetime.now(UTC)
        request = Request(next(self._numbers), method, target, headers, content, connection, now, time.monotonic())
        exchange = Exchange(request)
        self.requests.append(exchange)

        def proceed() -> Reply:
            exchange.answer = self.machines.answer(
                request, lambda: self.functions.answer(request, lambda: self._answer(request))
            )
            return exchange.answer

        exchange.reply = intercept(request, proceed) if intercept else proceed()
        return exchange.reply, over


@contextmanager
def exported(environment: Mapping[str, str]) -> Iterator[None]:
    """Give the process's environment these values and no other AWS settings, and restore it afterwards.

    boto3 reads the environment, and a user's profile or endpoint must not lead out of the sandbox.
    """
    before = dict(os.environ)
    for name in list(os.environ):
        if name.startswith("AWS_"):
            del os.environ[name]
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


__all__ = ["ACCOUNT", "REGION", "SECRET", "TABLE", "AwsServer", "Machine", "Machines", "Rows", "exported"]
