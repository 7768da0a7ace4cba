"""Many machines start at once: what their events ask of everybody, in batches of a queue and one by one."""

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
{machines:,} machines start, two for each meeting. Ours gets their events in batches of up to {batch}, as the template's
queue gathers them; the naive function gets each by itself, as EventBridge sends it, and here one after the other in one
process. *Round trips* are the sequential ones of all answers together, with Cloudflare at {cloudflare:.0f} ms and
AWS at {aws:.0f} ms, and *CPU* is the process's. Cloudflare allows all tools of a user 1,200 calls in five minutes."""


def measure(sizes: Sizes, functions: Functions) -> dict[str, Any]:
    """The same burst for both."""
    with Servers() as servers:
        runs = {function.name: _run(servers, sizes, function) for function in functions()}
    latencies = {"cloudflare": sizes.cloudflare_latency, "aws": sizes.aws_latency}
    return {"machines": sizes.burst, "batch": sizes.batch, "latencies": latencies, "runs": runs}


def _run(servers: Servers, sizes: Sizes, function: Function) -> dict[str, Any]:
    watch = servers.reset(sizes.cloudflare_latency, sizes.aws_latency)
    machines = {
        (f"m{number // 2}", ROLES[number % 2]): servers.launch(f"m{number // 2}", ROLES[number % 2])
        for number in range(sizes.burst)
    }
    events = [servers.started(machine) for machine in machines.values()]
    with Running(function, servers.environment()) as running:
        done = [running.succeed(event) for event in (_batches(events, sizes) if function.name == "ours" else events)]
    for (meeting, role), machine in machines.items():
        servers.check_linked(meeting, machine, role)
    spans = watch.taken()
    cpu = done[-1].answered.cpu - done[0].asked.cpu
    return {"answers": len(done), **_calls(spans), "trips": round_trips(spans), "cpu": cpu}


def _batches(events: list[dict[str, Any]], sizes: Sizes) -> Iterator[dict[str, Any]]:
    for start in range(0, len(events), sizes.batch):
        yield batch(*events[start : start + sizes.batch])


def _calls(spans: list[Span]) -> dict[str, int]:
    found = Counter(span.service for span in spans)
    return {service: found[service] for service in SERVICES}


def table(raw: dict[str, Any]) -> Table:
    """Ours against the naive function."""
    latencies = {name: seconds * 1000 for name, seconds in raw["latencies"].items()}
    rows = [(name, *_figures(run)) for name, run in raw["runs"].items()]
    keys = (*COUNTS, "cpu")
    factors = [ratio(raw["runs"]["ours"][key], raw["runs"]["naive"][key]) for key in keys]
    return Table(
        title=f"A burst of {raw['machines']:,} events",
        note=NOTE.format(**raw, **latencies),
        columns=("", "answers", *(f"{name} calls" for name in SERVICES.values()), "round trips", "CPU, s"),
        rows=(*rows, ("naive ÷ ours", *factors)),
    )


def _figures(run: dict[str, Any]) -> tuple[str, ...]:
    return (*(f"{run[key]:,}" for key in COUNTS), f"{run['cpu']:.1f}")
