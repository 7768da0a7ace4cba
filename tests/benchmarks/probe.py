"""The probe of the links: side by side, and one after another."""

import time
from collections.abc import Callable
from typing import Any

from controller.probe.ask import probe
from controller.probe.verdict import Kind, Link
from controller.runtime.budget import Budget, SystemClock
from controller.sandbox.edge import Edge
from tests.benchmarks.functions import Functions
from tests.benchmarks.sizes import Sizes
from tests.benchmarks.table import Table, ratio
from tests.support.build import settings
from tests.support.edge import PATIENCE, running_edge

#: What a probe of so many links is to take at most, in seconds.
AIM_LINKS, AIM_SECONDS = 100, 2.0
NOTE = """\
{links:,} links to desktops that are up, behind the sandbox's edge, which answers after {latency:.0f} ms and asks the
desktops by TLS. Each link takes a connection, a TLS handshake and a request of its own. Probe, edge and desktops share
one process, so the CPU of all three is in the time."""


def measure(sizes: Sizes, _: Functions) -> dict[str, Any]:
    """The same links, sixteen at a time and one at a time."""
    with running_edge() as desk:
        links = [_link(number) for number in range(sizes.links)]
        for link in links:
            desk.record(str(link.address), at=link.name)
        desk.edge.latency = sizes.edge_latency
        using = settings(**desk.edge.environment())

        def at_once() -> list[Any]:
            return probe(links, using, Budget(SystemClock(), PATIENCE))

        def in_turn() -> list[Any]:
            return [probe([link], using, Budget(SystemClock(), PATIENCE))[0] for link in links]

        runs = {"side by side": _run(desk.edge, at_once), "one after another": _run(desk.edge, in_turn)}
    return {"links": sizes.links, "latency": sizes.edge_latency * 1000, "runs": runs}


def _link(number: int) -> Link:
    instance = f"i-{number:017x}"
    return Link(
        f"{instance}.example.com", 8443, instance, f"m{number}", "teacher", f"198.51.{number >> 8}.{number & 255}"
    )


def _run(edge: Edge, look: Callable[[], list[Any]]) -> dict[str, float]:
    edge.requests.clear()
    start = time.monotonic()
    verdicts = look()
    seconds = time.monotonic() - start
    if not all(verdict and verdict.kind is Kind.WORKS for verdict in verdicts):
        raise RuntimeError("A link that works was not found to work.")
    return {"requests": len(edge.requests), "seconds": seconds}


def table(raw: dict[str, Any]) -> Table:
    """Side by side against one after another."""
    runs = raw["runs"]
    rows = [(name, f"{run['requests']:,}", f"{run['seconds']:.2f}") for name, run in runs.items()]
    together, alone = runs.values()
    return Table(
        title=f"A probe of {raw['links']:,} links",
        note=NOTE.format(**raw),
        columns=("", "requests", "time, s"),
        rows=(*rows, ("one after another ÷ side by side", *(ratio(together[key], alone[key]) for key in together))),
    )
