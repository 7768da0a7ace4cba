"""One process of the function lives for a week of faults, and holds no more at its end than after its first hours."""

import random
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import mean, median
from sysconfig import get_path
from typing import Any

import pytest

from tests.model.proof.seed import seed_of_today
from tests.model.proof.tally import counted
from tests.support.lambda_runtime import Function, Running
from tests.support.servers import Clouds
from tests.system.endurance.week import Week
from tests.system.endurance.world import TimedClouds, World, bystanders

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Lambda's runtime client exists for Linux only")

FUNCTION = Function(
    "ours", "tests.system.endurance.function.lambda_handler", (Path(__file__).parents[3], Path(get_path("purelib")))
)
#: Open files: the connections that the clients keep for the next pass, 16 for each service at most, and a few more.
MOST_DESCRIPTORS = 64
#: Of the last tenth to an early one. Of calls, which nothing disturbs: the fleet is a little larger or smaller.
CALLS, CPU = 1.5, 3.0
MOST_KILOBYTES = 16_000

Note = Callable[[str, object], None]


@contextmanager
def week_of(clouds: Clouds, folder: Path) -> Iterator[Week]:
    """A process that has just started, and a world on its clock."""
    ours = TimedClouds(clouds.aws, clouds.cloudflare)
    ours.reset(clock=ours.clock.now)
    chance = random.Random(seed_of_today())
    with Running(FUNCTION, ours.environment(), log=folder / "log") as running:
        yield Week(running, World(ours, chance), chance)


def lived(week: Week, events: int, schedules: int) -> None:
    """Live, and see that all is right in the end, what is not ours is untouched, and nothing is left open."""
    before = week.ask("begin")["held"]
    week.run(events, schedules)
    week.end()
    assert week.wrong == []
    assert bystanders(week.clouds.cloudflare.records()) == bystanders(week.before)
    assert [held["threads"] for held in measured(week, "held") if held["threads"]] == []
    assert max(held["descriptors"] for held in measured(week, "held")) <= before["descriptors"] + MOST_DESCRIPTORS
    assert week.ask("end")["held"]["descriptors"] <= before["descriptors"]


def measured(week: Week, what: str) -> list[Any]:
    """This, after each pass of the schedule."""
    return [answer[what] for answer in week.answers if "held" in answer]


def growth(values: Sequence[float]) -> float:
    """From the second tenth to the last one: before it, caches fill."""
    tenth = max(1, len(values) // 10)
    return median(values[-tenth:]) - median(values[tenth : 2 * tenth])


def ratio(values: Sequence[float]) -> float:
    """Of the last tenth to the second one. A mean: a kind of pass that becomes slower counts, however rare it is."""
    tenth = max(1, len(values) // 10)
    return mean(values[-tenth:]) / mean(values[tenth : 2 * tenth])


def test_an_hour_of_faults_leaves_nothing_open_or_wrong(clouds: Clouds, tmp_path: Path) -> None:
    with week_of(clouds, tmp_path) as week:
        lived(week, events=80, schedules=4)
        blocks = [held["blocks"] for held in measured(week, "held")]
        assert (blocks[3] - blocks[1]) / len(week.answers) < 50, "of a report alone there are hundreds"


@pytest.mark.proof
def test_week_of_faults_leaves_memory_and_time_flat(clouds: Clouds, tmp_path: Path, record_property: Note) -> None:
    with week_of(clouds, tmp_path) as week:
        try:
            lived(week, events=20_000, schedules=200)
        finally:
            record_property(counted("events in a simulated week"), week.events)
            record_property(counted("passes in a simulated week"), len(week.answers))
            record_property(counted("faults in a simulated week"), week.faults)
        held = measured(week, "held")
        assert growth([each["blocks"] for each in held]) / len(week.answers) < 0.5, "not an object for each pass"
        assert growth([each["kilobytes"] for each in held]) < MOST_KILOBYTES
        assert ratio(measured(week, "calls")) < CALLS
        assert ratio([answer["cpu"] for answer in week.answers if not answer["is_scheduled"]]) < CPU
