"""Both clouds on loopback, and the controller as its users start it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import handler
from controller.bootstrap import Controller, build
from controller.model import DnsRecord, Instance, Mode, Request, Result
from controller.report.report import Report
from controller.sandbox.aws import SECRET, AwsServer, exported
from controller.sandbox.aws_machines import Machine
from controller.sandbox.cloudflare import CloudflareServer, Reply
from controller.settings import read_settings
from tests.support.build import MARK, link
from tests.support.state import State


@dataclass(frozen=True, slots=True)
class Clouds:
    """Two servers, reset for each test."""

    aws: AwsServer
    cloudflare: CloudflareServer
    controllers: list[Controller] = field(default_factory=list)

    def reset(self, **options: Any) -> None:
        """An empty zone, an empty table, no machines."""
        self.aws.reset()
        self.cloudflare.reset(**options)
        self.aws.make_table()
        self.aws.make_secret(self.cloudflare.token)
        self.aws.requests.clear()

    def environment(self, **changes: str) -> dict[str, str]:
        """Return the deployment's environment."""
        return {
            **self.aws.environment(),
            "DOMAIN_ROOT": "example.com",
            "ZONE_ID": self.cloudflare.zone_id,
            "SECRET_ARN": SECRET,
            "CLOUDFLARE_BASE_URL": self.cloudflare.base_url,
            **changes,
        }

    @contextmanager
    def exported(self, **changes: str) -> Iterator[dict[str, str]]:
        """The process's environment, for as long as it takes."""
        environment = self.environment(**changes)
        with exported(environment):
            yield environment

    def controller(self, **changes: str) -> Controller:
        """A controller in a new process, so to speak: nothing is remembered."""
        with self.exported(**changes) as environment:
            self.controllers.append(build(read_settings(environment), account=self.aws.account))
            return self.controllers[-1]

    def close(self) -> None:
        """End the connections of all controllers, the function's too: the next test may meet other settings."""
        while self.controllers:
            self.controllers.pop().close()
        self.forget_function()

    @staticmethod
    def forget_function() -> None:
        """The next invocation meets a new Lambda process."""
        handler.process.end()

    def apply(self, *scope: str, force: bool = False, seconds: float = 60, **changes: str) -> Report:
        """Apply over everything, or over these instances, within so many seconds. Return the report."""
        request = Request(Mode.APPLY, frozenset(scope) if scope else None, force=force)
        return self.controller(**changes).run(request, seconds)

    def plan(self, *scope: str, **changes: str) -> Report:
        """Plan for everything, or for these instances. Return the report, and write nothing."""
        return self.controller(**changes).run(Request(Mode.PLAN, frozenset(scope) if scope else None), 60)

    def launch(self, meeting: str = "m1", role: str = "teacher", *, age: timedelta | None = None, **how: Any) -> str:
        """Launch a machine, by default hours ago, and write its id into the row as the launcher does. Return the id."""
        machine = self.aws.machines.launch(
            meeting, role, launched_at=long_ago() if age is None else datetime.now(UTC) - age, **how
        )
        rows = self.aws.rows.all()
        row = {"status": "LAUNCHED", **rows.get(meeting, {}), f"{role}_ec2_id": machine}
        row.pop("id", None)
        self.aws.rows.put(meeting, **row)
        return machine

    def ready(self, meeting: str = "m1", status: str = "HEALTHY") -> str:
        """A teacher's machine that can be joined: its record and its link are right, and the row says HEALTHY."""
        machine = self.launch(meeting)
        self.seed(machine, str(self.address(machine)))
        self.aws.rows.edit(meeting, status=status, teacher_ec2_link=link(machine))
        return machine

    def restart(self, machine: str, *, age: timedelta | None = None) -> str | None:
        """Stop and start a machine, now or so long ago, and return its new address."""
        self.aws.machines.stop(machine)
        self.aws.machines.start(machine, launched_at=None if age is None else datetime.now(UTC) - age)
        return self.address(machine)

    def seed(self, machine: str, content: str, *, comment: str | None = MARK, **fields: Any) -> str:
        """Put an old own record at a machine's name; returns its id."""
        fields = {"created_on": long_ago(), **fields}
        return self.cloudflare.seed(f"{machine}.example.com", content, comment=comment, **fields)

    def records(self) -> dict[str, list[str]]:
        """Name → contents of the zone's A records."""
        found: dict[str, list[str]] = {}
        for record in self.cloudflare.records():
            if record["type"] == "A":
                found.setdefault(str(record["name"]), []).append(str(record["content"]))
        return found

    def state(self) -> State:
        """All that is true now, as the specification reads it."""
        return State(
            now=datetime.now(UTC),
            instances={key: _instance(machine) for key, machine in self.aws.machines.all().items()},
            records={str(record["id"]): _record(record) for record in self.cloudflare.records()},
            rows={key: {n: v for n, v in row.items() if n != "id"} for key, row in self.aws.rows.all().items()},
        )

    def address(self, machine: str) -> str | None:
        """The machine's public address."""
        return self.aws.machines.all()[machine].address


def _instance(machine: Machine) -> Instance:
    return Instance(
        id=machine.id,
        state=machine.state,
        public_ip=machine.address,
        tagged=machine.tags.get("Project") == "Elephant",
        meeting=machine.tags.get("MeetingID"),
        role=machine.tags.get("Role"),
        launched_at=machine.launched_at,
    )


def _record(record: Mapping[str, Any]) -> DnsRecord:
    return DnsRecord(
        id=record["id"],
        name=record["name"],
        instance=str(record["name"]).partition(".")[0],
        type=record["type"],
        content=record["content"],
        proxied=record["proxied"],
        comment=record["comment"] or "",
        created_on=datetime.fromisoformat(record["created_on"]),
        modified_on=datetime.fromisoformat(record["modified_on"]),
    )


def long_ago() -> datetime:
    """Three hours ago: past every grace period."""
    return datetime.now(UTC) - timedelta(hours=3)


def outcomes(report: Report) -> list[tuple[str, str]]:
    """Each change as its action and its outcome."""
    return [_outcome(result) for result in report.results]


def _outcome(result: Result) -> tuple[str, str]:
    return str(result.change.action), str(result.outcome)


def refusal(status: int, code: int, message: str) -> Reply:
    """What Cloudflare answers to a request that it refuses."""
    return Reply.of(status, {"result": None, "success": False, "errors": [{"code": code, "message": message}]})
