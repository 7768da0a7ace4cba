"""Build a Controller from Settings: long-lived clients, and a pass on demand."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller.aws.call import Call
from controller.aws.dynamodb import DynamoTable, DynamoWriter
from controller.aws.ec2 import Ec2Fleet
from controller.aws.secret import SecretToken
from controller.clients import Clients, Closable, cell_clients, client, connect, new_session, surroundings
from controller.cloudflare.api import Api, GivenToken
from controller.cloudflare.records import CloudflareRecords, CloudflareWriter, ZoneCache
from controller.model import Mode, Request
from controller.ports import Context, LinkProbe, Listener, Readers, Writers
from controller.reconcile import SILENT, Decide, decide, reconcile
from controller.report.report import Report, Target
from controller.runtime import threads
from controller.runtime.budget import Budget, Clock, SystemClock
from controller.settings import Settings

if TYPE_CHECKING:
    from botocore.session import Session
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_sts import STSClient

    from controller.aws.cells import CellFleet


@dataclass(frozen=True, slots=True)
class Controller:
    """Long-lived clients, and a pass on demand."""

    settings: Settings
    target: Target
    clock: Clock
    ec2: "EC2Client"
    dynamodb: "DynamoDBClient"
    api: Api
    zone: ZoneCache
    clients: tuple[Closable, ...]
    session: "Session"  # one a process: another one asks for another MFA code
    cells: Mapping[str, "EC2Client"]  # by <account>/<region>; empty: the own place alone
    decide: Decide = decide

    def close(self) -> None:
        """Close the connections, for a process that goes on without a controller."""
        for each in self.clients:
            each.close()

    def run(
        self, request: Request, seconds: float, listener: Listener = SILENT, stop: threading.Event | None = None
    ) -> Report:
        """Run one pass and return its report: within ``seconds``, or soon after ``stop`` is set. See ``reconcile``."""
        return reconcile(request, self.begin(request.mode, seconds, stop), listener, self.decide)

    def begin(self, mode: Mode, seconds: float, stop: threading.Event | None = None) -> Context:
        """Return everything that a pass needs. Only a pass in mode apply gets writers."""
        budget = Budget(self.clock, seconds, stop, reserve=2 * threads.LAST_WORDS_SECONDS)
        cells = self._cells(budget) if self.cells else None
        readers = Readers(
            cells or Ec2Fleet(self.ec2, self.settings, budget),
            DynamoTable(self.dynamodb, self.settings, budget),
            CloudflareRecords(self.api, self.settings, budget, self.zone),
            cells,
        )
        writers = self._writers(budget) if mode is Mode.APPLY else None
        return Context(self.settings, self.target, readers, writers, budget, self._probe())

    def _probe(self) -> LinkProbe | None:
        """Import the probe only where it is wanted: it costs a cold start some milliseconds."""
        if not self.settings.probe_links:
            return None
        from controller.probe.full_pass import FullPassProbe

        return FullPassProbe(self.settings)

    def _cells(self, budget: Budget) -> "CellFleet":
        from controller.aws.cells import CellFleet

        fleets = {cell: Ec2Fleet(ec2, self.settings, budget, cell) for cell, ec2 in self.cells.items()}
        return CellFleet(fleets, budget)

    def _writers(self, budget: Budget) -> Writers:
        return Writers(
            DynamoWriter(self.dynamodb, self.settings, budget), CloudflareWriter(self.api, self.settings, budget)
        )


def build(
    settings: Settings,
    *,
    account: str | None = None,
    clients: Clients | None = None,
    clock: Clock | None = None,
    seconds: float = 30,
) -> Controller:
    """Build a controller for these settings.

    Without an ``account``, which Lambda knows, STS is asked and has ``seconds`` to answer.

    Raises SettingsError like ``connect``, and AuthenticationError if AWS does not accept the credentials.
    """
    clock = clock or SystemClock()
    session = clients.session if clients else _session()
    account = account or _account(session, Budget(clock, seconds))
    clients = clients or connect(settings, session)
    place = f"{account}/{clients.region}"
    settings = replace(settings, owner_id=settings.owner_id or place, place=place)
    secrets = clients.secrets
    cells, of_cells = cell_clients(session, settings)
    tokens = SecretToken(secrets, settings.secret_arn or "") if secrets else GivenToken(settings.api_token or "")
    return Controller(
        settings=settings,
        target=_target(settings, account, clients.region),
        clock=clock,
        ec2=clients.ec2,
        dynamodb=clients.dynamodb,
        api=Api(clients.http, settings.cloudflare_url, tokens),
        zone=ZoneCache(),
        clients=(clients.ec2, clients.dynamodb, clients.http, *([secrets] if secrets else []), *of_cells),
        cells=cells,
        session=session,
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


def _session() -> "Session":
    with surroundings():
        return new_session()


def _account(session: "Session", budget: Budget) -> str:
    with surroundings():
        sts: STSClient = client(session, "sts")
    call = Call("sts", "GetCallerIdentity", "these credentials", proof="Account")
    try:
        return threads.bounded(lambda: call(sts.get_caller_identity, budget, lambda who: str(who["Account"])), budget)
    finally:
        sts.close()
