"""How much is measured: in earnest, and as little as shows that the benchmarks still run."""

from dataclasses import dataclass

from tests.benchmarks.scenes import SCENES, Scene


@dataclass(frozen=True, slots=True)
class Sizes:
    """The size of every measurement."""

    records: int = 1000
    scenes: tuple[Scene, ...] = SCENES
    growth: tuple[int, ...] = (100, 1_000, 10_000, 100_000)
    meetings: int = 1000
    burst: int = 500
    batches: tuple[int, ...] = (10, 1000)  # events in one pass at most: of a queue without a window, and with one
    cold_starts: int = 21
    event_starts: int = 7
    warm_events: int = 5
    cloudflare_latency: float = 0.040  # seconds
    aws_latency: float = 0.010  # seconds
    links: int = 100
    edge_latency: float = 0.100  # seconds
    cells: int = 20
    cell_machines: int = 5_000


FULL = Sizes()
TINY = Sizes(
    records=4,
    scenes=("creates",),
    growth=(10, 20),
    meetings=2,
    burst=3,
    batches=(1, 2),
    cold_starts=1,
    event_starts=1,
    warm_events=1,
    cloudflare_latency=0.001,
    aws_latency=0.001,
    links=3,
    edge_latency=0.001,
    cells=2,
    cell_machines=2,
)
