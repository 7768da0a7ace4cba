"""What was really done, as the servers saw it: every applied write, with the world just before and just after it."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from controller.sandbox.aws_machines import Machine
from controller.sandbox.cloudflare import Reply, Request
from tests.support.servers import Clouds
from tests.system.faults.calls import BATCH, UPDATE, Scene

Record = dict[str, Any]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class State:
    """The clouds at one moment."""

    machines: Mapping[str, Machine]
    records: tuple[Record, ...]
    rows: Mapping[str, Row]

    @classmethod
    def of(cls, clouds: Clouds) -> "State":
        """As they are now."""
        return cls(clouds.aws.machines.all(), tuple(clouds.cloudflare.records()), clouds.aws.rows.all())

    def record(self, record_id: object) -> Record | None:
        """The record with this id."""
        return next((record for record in self.records if record["id"] == record_id), None)

    def at(self, name: str) -> list[Record]:
        """The A records at a name."""
        return [record for record in self.records if (record["name"], record["type"]) == (name, "A")]


@dataclass(frozen=True, slots=True)
class Deed:
    """One request that changed something."""

    operation: str
    row: str | None  # which row it was about
    before: State
    after: State


def row_of(request: Request) -> str | None:
    """The row that a write is about."""
    body = request.json
    return str(body["Key"]["id"]["S"]) if isinstance(body, dict) and "Key" in body else None


@dataclass(slots=True)
class Witness:
    """Stands right before the API, and notes what each request did."""

    deeds: list[Deed] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __call__(self, scene: Scene) -> Reply:
        """Let the API act, one write at a time."""
        if scene.operation not in (BATCH, UPDATE):
            return scene.proceed()
        with self._lock:
            before = State.of(scene.clouds)
            reply = scene.proceed()
            after = State.of(scene.clouds)
            if (before.records, before.rows) != (after.records, after.rows):
                self.deeds.append(Deed(scene.operation, row_of(scene.request), before, after))
            return reply
