"""A full pass on Cloudflare's side: ours on a paid and on a free plan, and octoDNS's."""

from collections.abc import Sequence
from typing import Any

from controller.sandbox.cloudflare import CloudflareServer, PlanName
from tests.benchmarks.fresh import measured
from tests.benchmarks.functions import Functions
from tests.benchmarks.scenes import Scene, name, seeds, wanted
from tests.benchmarks.sizes import Sizes
from tests.benchmarks.stopwatch import Stopwatch, waiting
from tests.benchmarks.table import Table, ratio

OURS, OCTODNS = "tests.benchmarks.full_pass_ours", "tests.benchmarks.full_pass_octodns"
#: OctoDNS sends each change by itself on every plan, so one is enough for it.
RUNS: tuple[tuple[str, str, PlanName], ...] = (
    ("ours, paid plan", OURS, "pro"),
    ("ours, free plan", OURS, "free"),
    ("octoDNS", OCTODNS, "pro"),
)
NOTE = """\
Both are fed the same fleet, as values, and work on the same zone on the same server, which answers after
{latency:.0f} ms. *Waiting* is the time in which at least one request was under way, taken at the server. *CPU* and
*pass's memory* are those of the pass alone, in a fresh process after all imports and with the fleet at hand;
for octoDNS, making the wanted zone is not counted. *Memory* is the whole process's peak. Our pass also plans and writes
the meetings' links and ends, into memory. octoDNS is spared its page rules (one call more), which the server does not
have, and the free zone may hold {count:,} records, as older ones may."""


def measure(sizes: Sizes, functions: Functions) -> dict[str, Any]:
    """Every scene by everybody."""
    with CloudflareServer("example.com") as server:
        runs = [
            {"scene": scene, "who": who, **_run(server, sizes, scene, module, plan)}
            for scene in sizes.scenes
            for who, module, plan in RUNS
        ]
    return {"count": sizes.records, "latency": sizes.cloudflare_latency, "runs": runs}


def _run(server: CloudflareServer, sizes: Sizes, scene: Scene, module: str, plan: PlanName) -> dict[str, Any]:
    server.reset(plan=plan, quota=2 * sizes.records)
    for seed in seeds(sizes.records, scene):
        server.seed(name(seed.instance), seed.content, comment=seed.comment)
    watch = Stopwatch()
    server.intercept = watch.before("cloudflare", sizes.cloudflare_latency)
    where = {"url": server.base_url, "zone": server.zone_id, "token": server.token}
    cost = measured(module, count=sizes.records, scene=scene, **where)
    _check(server, sizes.records, scene, cost.result)
    spans = watch.taken()
    return {"calls": len(spans), "waiting": waiting(spans), "cpu": cost.cpu, "memory": cost.memory, "added": cost.added}


def _check(server: CloudflareServer, count: int, scene: Scene, result: Any) -> None:
    """Raises RuntimeError where a fast pass did not do its work."""
    done = {(record["name"], record["content"], record["comment"]) for record in server.records()}
    right = {(name(seed.instance), seed.content, seed.comment) for seed in wanted(count, scene)}
    expected = {"changes": 0 if scene == "no-op" else count, "whole": True}
    if done != right or result != expected:
        raise RuntimeError(f"The pass {scene!r} did not do its work: {result}, not {expected}.")


def table(raw: dict[str, Any]) -> Table:
    """Each scene, with octoDNS last and what it needs against our paid plan."""
    by_scene: dict[str, list[dict[str, Any]]] = {}
    for run in raw["runs"]:
        by_scene.setdefault(run["scene"], []).append(run)
    return Table(
        title=f"A full pass over {raw['count']:,} machines, on Cloudflare's side",
        note=NOTE.format(latency=raw["latency"] * 1000, count=raw["count"]),
        columns=("", "calls", "waiting, s", "CPU, s", "memory, MB", "pass's memory, MB"),
        rows=tuple(row for runs in by_scene.values() for row in _rows(runs)),
    )


def _rows(runs: Sequence[dict[str, Any]]) -> list[tuple[str, ...]]:
    ours, theirs = runs[0], runs[-1]
    factors = [ratio(ours[key], theirs[key]) for key in ("calls", "waiting", "cpu", "memory", "added")]
    figures = [_figures(run) for run in runs]
    return [*figures, (f"{theirs['scene']}: octoDNS ÷ ours", *factors)]


def _figures(run: dict[str, Any]) -> tuple[str, ...]:
    costs = (f"{run['calls']:,}", f"{run['waiting']:.2f}", f"{run['cpu']:.2f}")
    memory = (f"{run[key] / 1e6:.1f}" for key in ("memory", "added"))
    return (f"{run['scene']}: {run['who']}", *costs, *memory)
