"""How CPU time and memory grow with the fleet, on a world in memory."""

from math import log
from statistics import linear_regression
from typing import Any

from tests.benchmarks.fresh import measured
from tests.benchmarks.functions import Functions
from tests.benchmarks.growth_step import STEPS
from tests.benchmarks.scenes import Scene
from tests.benchmarks.sizes import Sizes
from tests.benchmarks.table import Table

SCENES: tuple[Scene, ...] = ("no-op", "creates")
NOTE = """\
Two machines and two records for each meeting. *Plan* is the pure decision with its guards, *apply* carries it out
against clouds in memory, *report* makes digest and JSON. Each figure is per machine: the CPU time of the quickest of
several runs in a fresh process, the memory at the step's peak, and the calls of functions, Python's and C's. The
exponent is that of the power of the number of machines that fits the figures best, from the smallest fleet to the
largest: 1 is linear, and an *n* log *n* step would show about {nlogn:.2f}. Calls show how the code grows; times also
hold Python's garbage collector, which has nothing to do in a small world, and the processor's caches, which a large one
does not fit into."""


def measure(sizes: Sizes, functions: Functions) -> dict[str, Any]:
    """Every step over every fleet."""
    runs = []
    for scene in SCENES:
        for count in sizes.growth:
            steps = measured("tests.benchmarks.growth_step", count=count, scene=scene).result
            runs += [{"scene": scene, "step": step, "count": count, **cost} for step, cost in steps.items()]
    return {"counts": sizes.growth, "runs": runs}


def exponent(points: list[tuple[float, float]]) -> float:
    """The slope of a straight line through the logarithms (least squares)."""
    xs, ys = ([log(value) for value in values] for values in zip(*points, strict=True))
    return linear_regression(xs, ys).slope


def table(raw: dict[str, Any]) -> Table:
    """A line for each step and scene."""
    counts = raw["counts"]
    nlogn = exponent([(count, count * log(count)) for count in counts])
    return Table(
        title="Growth",
        note=NOTE.format(nlogn=nlogn),
        columns=("", *(f"{count:,}" for count in counts), "exponent"),
        rows=tuple(row for scene in SCENES for step in STEPS for row in _rows(raw["runs"], scene, step)),
    )


def _rows(runs: list[dict[str, Any]], scene: str, step: str) -> list[tuple[str, ...]]:
    some = [run for run in runs if (run["scene"], run["step"]) == (scene, step)]
    times = [f"{run['cpu'] / run['count'] * 1e6:.1f} µs" for run in some]
    memory = [f"{run['bytes'] / run['count'] / 1000:.2f} kB" for run in some]
    called = [f"{run['calls'] / run['count']:.0f}" for run in some]
    named = ((f"{scene}: {step}", "cpu", times), ("memory", "bytes", memory), ("calls", "calls", called))
    return [(name, *cells, f"{slope(some, key):.2f}") for name, key, cells in named]


def slope(runs: list[dict[str, Any]], key: str) -> float:
    """The exponent by which a figure grows over these runs."""
    return exponent([(run["count"], run[key]) for run in runs])
