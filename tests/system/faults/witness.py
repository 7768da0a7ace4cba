"""What was really done, as the servers saw it: every applied write, with the world just before and just after it."""

import threading
from dataclasses import dataclass, field, replace

from controller.sandbox.cloudflare import Reply, Request
from tests.support.journal import Write
from tests.system.faults.calls import BATCH, UPDATE, Scene

_METHODS = {BATCH: "records.write", UPDATE: "rows.write"}


def row_of(request: Request) -> str | None:
    """The row that a write is about."""
    body = request.json
    return str(body["Key"]["id"]["S"]) if isinstance(body, dict) and "Key" in body else None


@dataclass(slots=True)
class Witness:
    """Stands right before the API, and notes what each request did."""

    deeds: list[Write] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __call__(self, scene: Scene) -> Reply:
        """Let the API act, one write at a time."""
        if scene.operation not in _METHODS:
            return scene.proceed()
        with self._lock:
            before, row = scene.clouds.state(), row_of(scene.request) or ""
            reply = scene.proceed()
            after = scene.clouds.state()
            if before.rows.get(row) != after.rows.get(row) if row else before.records != after.records:
                old = before.records
                records = {key: old[key] if old.get(key) == now else now for key, now in after.records.items()}
                self.deeds.append(Write(_METHODS[scene.operation], before, replace(after, records=records), key=row))
            return reply
