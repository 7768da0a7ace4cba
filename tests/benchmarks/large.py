"""Large worlds in memory: twenty cells in one plan, and the overview of a thousand meetings."""

import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from controller.aws.cells import CellFleet
from controller.model import Instance, Mode, Request
from controller.ports import Context, Readers
from controller.reconcile import reconcile
from controller.runtime.budget import Budget, SystemClock
from controller.status import as_html, as_json, as_markdown, as_text
from controller.status.overview import overview
from tests.benchmarks.functions import Functions
from tests.benchmarks.memory import MemoryFleet, MemoryTable, MemoryZone
from tests.benchmarks.sizes import Sizes
from tests.benchmarks.table import Table
from tests.support.build import TARGET, link, machine, record, row, settings, world

NOTE = """\
In memory, without an emulator. The plan is that of {cells} cells with {machines:,} machines each, all of them
without a record: observe, plan and report, with a listing a cell side by side. The overview is that of {meetings:,}
meetings with two machines each, from the observation on."""


@dataclass(frozen=True, slots=True)
class _Cell(MemoryFleet):
    budget: Budget | None = None


def measure(sizes: Sizes, _: Functions) -> dict[str, Any]:
    """One plan over all cells, and one overview in each form."""
    runs = {"plan of all cells": _run(lambda: _plan(sizes.cells, sizes.cell_machines))}
    seen = overview(_lessons(sizes.meetings), settings(), TARGET)
    runs["overview"] = _run(lambda: overview(_lessons(sizes.meetings), settings(), TARGET))
    for name, render in (("text", as_text), ("HTML", as_html), ("Markdown", as_markdown), ("JSON", as_json)):
        runs[f"overview as {name}"] = _run(lambda render=render: render.render(seen))  # type: ignore[misc]  # bound here
    return {"cells": sizes.cells, "machines": sizes.cell_machines, "meetings": sizes.meetings, "runs": runs}


def _plan(cells: int, machines: int) -> None:
    names = [f"{number:012}/us-west-2" for number in range(cells)]
    using = settings(CELLS=",".join(names), OWNER_ID="", CELL_ROLE="Cell")
    budget = Budget(SystemClock(), 600)
    fleets = {name: _Cell(_fleet(name, number, machines), budget) for number, name in enumerate(names)}
    fleet = CellFleet(fleets, budget)  # type: ignore[arg-type]  # fleets in memory
    readers = Readers(fleet, MemoryTable([]), MemoryZone(), fleet)
    report = reconcile(Request(Mode.PLAN), Context(using, TARGET, readers, None, budget))
    if len(report.results) != cells * machines:
        raise RuntimeError("The plan leaves machines out.")


def _fleet(cell: str, number: int, machines: int) -> list[Instance]:
    start = number * machines
    return [
        Instance(f"i-{n:017x}", "running", _address(n), True, f"m{n}", "teacher", None, cell)
        for n in range(start, start + machines)
    ]


def _address(number: int) -> str:
    return f"52.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def _lessons(meetings: int) -> Any:
    ids = [(f"i-{n:017x}", f"i-{n + 1_000_000:017x}") for n in range(meetings)]
    machines = [
        machine(each, meeting=f"m{n}", role=role)
        for n, pair in enumerate(ids)
        for each, role in zip(pair, ("teacher", "student"), strict=True)
    ]
    rows = [
        row(f"m{n}", "HEALTHY", ids={"teacher": a, "student": b}, links={"teacher": link(a), "student": link(b)})
        for n, (a, b) in enumerate(ids)
    ]
    return world(machines, [record(each, id=each) for pair in ids for each in pair], rows)


def _run(action: Callable[[], object]) -> dict[str, float]:
    start = time.process_time()
    action()
    seconds = time.process_time() - start
    tracemalloc.start()
    action()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {"cpu": seconds, "megabytes": peak / 1e6}


def table(figures: Any) -> Table:
    """CPU seconds and the peak of memory."""
    rows = tuple((name, f"{run['cpu']:.2f}", f"{run['megabytes']:,.0f}") for name, run in figures["runs"].items())
    return Table("Large worlds", NOTE.format(**figures), ("", "CPU, s", "memory at its peak, MB"), rows)
