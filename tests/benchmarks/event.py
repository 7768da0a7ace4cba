"""From an event to the link in its row: sequential round trips and time, in a new process and in a warm one."""

from statistics import median
from typing import Any

from tests.benchmarks.functions import Functions
from tests.benchmarks.servers import Servers
from tests.benchmarks.sizes import Sizes
from tests.benchmarks.stopwatch import round_trips
from tests.benchmarks.table import Table, ratio
from tests.support.lambda_runtime import Answer, Function, Running

NOTE = """\
Each process runs the packaged function under Lambda's own runtime client; it gets one event while cold, then more.
Cloudflare answers after {cloudflare:.0f} ms and AWS after {aws:.0f} ms, the emulators' own time included. *Round trips*
are the longest row of requests in which each came after the answer to the one before, taken at the servers; *calls*
are all requests. Times are medians, from the hand-over of the event to the function's answer; *cold* adds the
process's start. The naive function does less: it looks at one record and one row, and checks nothing."""


def measure(sizes: Sizes, functions: Functions) -> dict[str, Any]:
    """Some processes of both, in turns."""
    samples: dict[str, list[dict[str, Any]]] = {}
    with Servers() as servers:
        for _ in range(sizes.event_starts):
            for function in functions():
                samples.setdefault(function.name, []).extend(_life(servers, sizes, function))
    latencies = {"cloudflare": sizes.cloudflare_latency, "aws": sizes.aws_latency}
    return {"latencies": latencies, "events": {name: _summary(events) for name, events in samples.items()}}


def _life(servers: Servers, sizes: Sizes, function: Function) -> list[dict[str, Any]]:
    """One process: a cold event, and warm ones."""
    watch = servers.reset(sizes.cloudflare_latency, sizes.aws_latency)
    found = []
    with Running(function, servers.environment()) as running:
        for number in range(1 + sizes.warm_events):
            machine = servers.launch(f"m{number}")
            answer = running.succeed(servers.started(machine))
            servers.check_linked(f"m{number}", machine)
            spans = watch.taken()
            trips = {"trips": round_trips(spans), "calls": len(spans), "path": [span.what for span in spans]}
            found.append({"warm": number > 0, **_times(answer, is_cold=number == 0), **trips})
    return found


def _times(answer: Answer, *, is_cold: bool) -> dict[str, float]:
    """Seconds for the event; a cold one includes the start of the process."""
    if is_cold:
        return {"seconds": answer.answered.wall, "cpu": answer.answered.cpu}
    return {"seconds": answer.seconds, "cpu": answer.answered.cpu - answer.asked.cpu}


def _summary(events: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        state: {
            "trips": median(event["trips"] for event in some),
            "calls": median(event["calls"] for event in some),
            "seconds": median(event["seconds"] for event in some),
            "cpu": median(event["cpu"] for event in some),
            "path": some[0]["path"],
        }
        for state, some in (
            ("cold", [event for event in events if not event["warm"]]),
            ("warm", [event for event in events if event["warm"]]),
        )
    }


def table(raw: dict[str, Any]) -> Table:
    """Cold and warm, ours against the naive function."""
    latencies = {name: seconds * 1000 for name, seconds in raw["latencies"].items()}
    return Table(
        title="From an event to the link",
        note=NOTE.format(**latencies),
        columns=("", "round trips", "calls", "ms", "CPU, ms"),
        rows=tuple(row for state in ("warm", "cold") for row in _rows(raw["events"], state)),
    )


def _rows(events: dict[str, Any], state: str) -> list[tuple[str, ...]]:
    found = {name: event[state] for name, event in events.items()}
    figures = [
        (
            f"{state}: {name}",
            *(f"{event[key]:.0f}" for key in ("trips", "calls")),
            *(f"{event[key] * 1000:.0f}" for key in ("seconds", "cpu")),
        )
        for name, event in found.items()
    ]
    factors = [ratio(found["ours"][key], found["naive"][key]) for key in ("trips", "calls", "seconds", "cpu")]
    return [*figures, (f"{state}: naive ÷ ours", *factors)]
