"""The start of a new process: until it asks for its first event, and until it has answered it."""

from statistics import median
from typing import Any

from tests.benchmarks.functions import Functions
from tests.benchmarks.imports import by_package
from tests.benchmarks.servers import Servers
from tests.benchmarks.sizes import Sizes
from tests.benchmarks.stopwatch import waiting
from tests.benchmarks.table import Table
from tests.support.lambda_runtime import Function, Running

NOTE = """\
Medians of {starts} new processes each, in turns. Both packages have valid byte-code and run under Lambda's own runtime
client; ours is what `make package` builds, the naive one is the same wheels with botocore as it comes. *Wall* is from
the start of the interpreter, without the time in which the emulators were at work; *CPU* is the process's own, and to
be trusted where others use the machine. All connections are TLS on loopback, and each function trusts what it would
trust in Lambda, the servers' authority beside it."""
IMPORTS_NOTE = """\
From one process each, as `python -X importtime` shows it, until the first event is answered: the time that a package's
own modules take. The report of every import costs time itself."""
#: How many packages are shown.
PACKAGES = 14
FIGURES = (
    ("until it asks for an event, wall", "init", "wall"),
    ("until it asks for an event, CPU", "init", "cpu"),
    ("until the first event is answered, wall", "first", "wall"),
    ("until the first event is answered, CPU", "first", "cpu"),
)


def measure(sizes: Sizes, functions: Functions) -> dict[str, Any]:
    """New processes of both, in turns, and what each imports."""
    both = functions()
    starts: dict[str, list[dict[str, Any]]] = {function.name: [] for function in both}
    with Servers() as servers:
        for turn in range(sizes.cold_starts):
            for function in both[:: 1 if turn % 2 else -1]:
                starts[function.name].append(_start(servers, function))
        imports = {function.name: _imports(servers, function) for function in both}
    medians = {
        name: {stage: {kind: median(s[stage][kind] for s in some) for kind in ("wall", "cpu")} for stage in some[0]}
        for name, some in starts.items()
    }
    return {"starts": sizes.cold_starts, "medians": medians, "imports": imports}


def _start(servers: Servers, function: Function) -> dict[str, dict[str, float]]:
    watch = servers.reset()
    machine = servers.launch("m1")
    with Running(function, servers.environment()) as running:
        answer = running.succeed(servers.started(machine))
    servers.check_linked("m1", machine)
    asked, answered = answer.asked, answer.answered
    return {
        "init": {"wall": asked.wall, "cpu": asked.cpu},
        "first": {"wall": answered.wall - waiting(watch.taken()), "cpu": answered.cpu},
    }


def _imports(servers: Servers, function: Function) -> dict[str, float]:
    """Seconds of import by package, in a process of its own, because the report of every import costs time."""
    servers.reset()
    machine = servers.launch("m1")
    with Running(function, servers.environment(), ("-X", "importtime")) as running:
        running.succeed(servers.started(machine))
        return by_package(running.output())


def table(raw: dict[str, Any]) -> Table:
    """Ours against the naive function."""
    return Table(
        title="Cold start",
        note=NOTE.format(starts=raw["starts"]),
        columns=("", "ours, ms", "naive, ms", "ours ÷ naive"),
        rows=tuple(_row(raw["medians"], *figure) for figure in FIGURES),
    )


def imports_table(raw: dict[str, Any]) -> Table:
    """The packages that take longest to import."""
    ours, naive = raw["imports"]["ours"], raw["imports"]["naive"]
    names = sorted(ours | naive, key=lambda name: -max(ours.get(name, 0), naive.get(name, 0)))[:PACKAGES]
    return Table(
        title="What is imported",
        note=IMPORTS_NOTE,
        columns=("", "ours, ms", "naive, ms"),
        rows=tuple((name, *(f"{side.get(name, 0) * 1000:.1f}" for side in (ours, naive))) for name in names),
    )


def _row(medians: dict[str, Any], title: str, stage: str, kind: str) -> tuple[str, ...]:
    ours, naive = (medians[name][stage][kind] for name in ("ours", "naive"))
    return (title, f"{ours * 1000:.0f}", f"{naive * 1000:.0f}", f"{ours / naive:.2f}")
