"""The sandbox's edge before a zone of its own, for tests of the probe; no AWS is started."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from controller.probe.ask import Prober
from controller.probe.verdict import Link, Verdict, judge
from controller.runtime.budget import Budget, SystemClock
from controller.sandbox.cloudflare import CloudflareServer
from controller.sandbox.edge import Edge, Kind
from tests.support.build import ADDRESS, TEACHER, name, settings

#: Seconds that no test reaches: a busy machine takes what it takes.
PATIENCE = 120.0


@contextmanager
def running_edge(zone: str = "example.com") -> Iterator["Desk"]:
    """Start a zone and the edge before it."""
    with CloudflareServer(zone) as cloudflare, Edge(cloudflare) as edge:
        yield Desk(cloudflare, edge)


class Desk:
    """The teacher's desktop, its record, and the edge before it."""

    def __init__(self, cloudflare: CloudflareServer, edge: Edge) -> None:
        self.cloudflare, self.edge = cloudflare, edge

    def reset(self) -> None:
        """Return to an empty zone and the settings of a new one."""
        self.cloudflare.reset()
        self.edge.reset()

    def record(self, content: str = ADDRESS, at: str = name(TEACHER), **fields: Any) -> None:
        """Put a record at the teacher's name."""
        self.cloudflare.seed(at, content, strict=False, **fields)

    def stands(self, kind: Kind) -> None:
        """Let the teacher's desktop be of this kind."""
        self.record()
        self.edge.desktops[ADDRESS] = kind

    def judged(
        self,
        at: str = name(TEACHER),
        port: int = 8443,
        *,
        address: str | None = None,
        timeout: httpx.Timeout | float = PATIENCE,
        **environment: str,
    ) -> Verdict:
        """Return the real probe's verdict."""
        link = Link(at, port, TEACHER, "m1", "teacher", address)
        prober = Prober(settings(**{**self.edge.environment(), **environment}), timeout)
        return judge(link, prober.look(link, Budget(SystemClock(), PATIENCE)))
