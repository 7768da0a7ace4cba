"""Many machines start at once: what their events ask of everybody, in batches of a queue and one by one.

Ours is measured as the template's queue gathers events: without a window, and with one (BatchWindowSeconds).
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.benchmarks.functions import Functions
from tests.benchmarks.servers import Servers
from tests.benchmarks.sizes import Sizes
from tests.benchmarks.stopwatch import Span, round_trips
from tests.benchmarks.table import Table, ratio
from tests.support.events import batch
from tests.support.lambda_runtime import Function, Running

ROLES = ("teacher", "student")
SERVICES = {"cloudflare": "Cloudflare", "aws": "AWS"}
COUNTS = ("answers", *SERVICES, "trips")
NOTE = """\
{machines:,} machines start, two for each meeting. Ours gets their events in batches of up to {batches[0]}, as the
template's queue hands them over at once, and of up to {batches[1]:,}, as it gathers them with `BatchWindowSeconds=5`.
The naive function gets each by itself, as EventBridge sends it. All answers come one after the other in one process.
*Round trips* are the sequential ones of all answers together, with Cloudflare at {cloudflare:.0f} ms and AWS at
{aws:.0f} ms, and *CPU* is the process's. Cloudflare allows all tools of a user 1,200 calls in five minutes."""


def measure(sizes: Sizes, functions: Functions) -> dict[str, Any]:
    """The same burst for both, for ours in each size of batches."""
    with Servers() as servers:
        runs = {
            name: _run(servers, sizes, function, batch)
            for function in functions()
            for name, batch in _ways(function.name, sizes)
        }
    latencies = {"cloudflare": sizes.cloudflare_latency, "aws": sizes.aws_latency}
    return {"machines": sizes.burst, "batches": sizes.batches, "latencies": latencies, "runs": runs}


def _ways(name: str, sizes: Sizes) -> list[tuple[str, int | None]]:
    """The runs of a function: its name in the table, and how many events it gets at once; None for bare events."""
    return [(f"ours, up to {size:,}", size) for size in sizes.batches] if name == "ours" else [(name, None)]


def _run(servers: Servers, sizes: Sizes, function: Function, size: int | None) -> dict[str, Any]:
    watch = servers.reset(sizes.cloudflare_latency, sizes.aws_latency)
    machines = {
        (f"m{number // 2}", ROLES[number % 2]): servers.launch(f"m{number // 2}", ROLES[number % 2])
        for number in range(sizes.burst)
    }
    events = [servers.started(machine) for machine in machines.values()]
    with Running(function, servers.environment()) as running:
        done = [running.succeed(event) for event in (events if size is None else _batches(events, size))]
    for (meeting, role), machine in machines.items():
        servers.check_linked(meeting, machine, role)
    spans = watch.taken()
    cpu = done[-1].answered.cpu - done[0].asked.cpu
    return {"answers": len(done), **_calls(spans), "trips": round_trips(spans), "cpu": cpu}


def _batches(events: list[dict[str, Any]], size: int) -> Iterator[dict[str, Any]]:
    for start in range(0, len(events), size):
        yield batch(*events[start : start + size])


def _calls(spans: list[Span]) -> dict[str, int]:
    found = Counter(span.service for span in spans)
    return {service: found[service] for service in SERVICES}


def table(raw: dict[str, Any]) -> Table:
    """Ours against the naive function."""
    latencies = {name: seconds * 1000 for name, seconds in raw["latencies"].items()}
    rows = [(name, *_figures(run)) for name, run in raw["runs"].items()]
    keys = (*COUNTS, "cpu")
    ours = raw["runs"][f"ours, up to {raw['batches'][0]:,}"]
    factors = [ratio(ours[key], raw["runs"]["naive"][key]) for key in keys]
    return Table(
        title=f"A burst of {raw['machines']:,} events",
        note=NOTE.format(**raw, **latencies),
        columns=("", "answers", *(f"{name} calls" for name in SERVICES.values()), "round trips", "CPU, s"),
        rows=(*rows, (f"naive ÷ ours, up to {raw['batches'][0]:,}", *factors)),
    )


def _figures(run: dict[str, Any]) -> tuple[str, ...]:
    return (*(f"{run[key]:,}" for key in COUNTS), f"{run['cpu']:.1f}")
