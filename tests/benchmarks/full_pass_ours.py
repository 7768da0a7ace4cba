"""Our full pass: EC2 and DynamoDB in memory, Cloudflare over HTTP. boto3 is imported, as in every real process."""

from collections.abc import Callable
from typing import Any

import httpx

import controller.bootstrap  # noqa: F401  # for the memory that it takes
from controller.cloudflare.api import Api, GivenToken
from controller.cloudflare.records import CloudflareRecords, CloudflareWriter, ZoneCache
from controller.model import Mode, RecordChange, Request
from controller.ports import Context, Readers, Writers
from controller.reconcile import reconcile
from controller.report.report import Report, Target
from controller.runtime.budget import Budget, SystemClock
from controller.settings import Settings
from tests.benchmarks.memory import MemoryFleet, MemoryTable
from tests.benchmarks.scenes import Scene, machines, rows
from tests.support.build import OWNER, settings

#: Seconds a pass may take here.
DEADLINE = 600.0


def prepare(count: int, scene: Scene, url: str, zone: str, token: str) -> Callable[[], dict[str, Any]]:
    """The pass over this many machines."""
    using = settings(CLOUDFLARE_BASE_URL=url, ZONE_ID=zone, CLOUDFLARE_API_TOKEN=token)
    fleet, table = MemoryFleet(machines(count, scene)), MemoryTable(rows(count, scene))
    api = Api(httpx.Client(follow_redirects=False), url, GivenToken(token))

    def go() -> dict[str, Any]:
        report = reconcile(Request(Mode.APPLY), _pass(using, fleet, table, api))
        return {"changes": _record_changes(report), "whole": report.ended_well}

    return go


def _pass(using: Settings, fleet: MemoryFleet, table: MemoryTable, api: Api) -> Context:
    budget = Budget(SystemClock(), DEADLINE)
    readers = Readers(fleet, table, CloudflareRecords(api, using, budget, ZoneCache()))
    writers = Writers(table, CloudflareWriter(api, using, budget))
    target = Target("123456789012", "us-west-2", using.zone_id, using.domain_root, using.table_name, OWNER)
    return Context(using, target, readers, writers, budget)


def _record_changes(report: Report) -> int:
    return sum(isinstance(result.change, RecordChange) for result in report.results)
