"""A pass over cells that were read, beside one that was not: for what it waits, and for how long."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from controller.aws.cells import CellFleet
from controller.errors import DeadlineError, TransientError
from controller.model import Heard, Instance, Mode, Request
from controller.ports import Context, Listener
from controller.reconcile import reconcile
from controller.report.report import Report
from controller.runtime.budget import Budget
from tests.support.build import NOW, PLACE, STUDENT, TEACHER, machine, record, row, settings
from tests.support.clock import FakeClock
from tests.support.memory import Clouds, at

SCOPE = frozenset({TEACHER})
AWAY, GONE = "123456789012/us-east-1", "210987654321/eu-west-1"


@dataclass
class Cell:
    """One cell's EC2."""

    machines: Collection[Instance]
    budget: Budget
    is_away: bool = False
    hint: str = "Look."
    asked: list[set[str]] = field(default_factory=list)

    def tagged(self) -> list[Instance]:
        return self._those(lambda _: True)

    def by_id(self, ids: Collection[str]) -> list[Instance]:
        self.asked.append(set(ids))
        return self._those(lambda machine: machine.id in ids)

    def of_meetings(self, meetings: Collection[str]) -> list[Instance]:
        return self._those(lambda machine: machine.meeting in meetings)

    def _those(self, fits: Callable[[Instance], bool]) -> list[Instance]:
        if self.is_away:
            raise TransientError("It is away.", self.hint)
        return [machine for machine in self.machines if fits(machine)]


def in_cells(clouds: Clouds) -> tuple[Context, Mapping[str, Cell]]:
    """A pass over two cells: one has a machine, the other none."""
    context = clouds.its()
    cells = {PLACE: Cell([replace(machine(), cell=PLACE)], context.budget), AWAY: Cell([], context.budget)}
    fleet = CellFleet(cells, context.budget)  # type: ignore[arg-type]  # cells in memory
    readers = replace(context.readers, fleet=fleet, cells=fleet)
    return replace(context, settings=replace(settings(), cells=tuple(cells)), readers=readers), cells


def woken(clouds: Clouds, home: str) -> None:
    """The pass that two events wake: one of a machine of the hub, one of a machine of this home."""
    context, cells = in_cells(clouds)
    cells[AWAY].is_away = True
    moment = NOW - timedelta(seconds=1)
    heard = dict.fromkeys((TEACHER, STUDENT), Heard("running", moment, moment))
    homes = {TEACHER: PLACE, STUDENT: home}
    reconcile(Request(Mode.APPLY, frozenset(heard), heard=heard, homes=homes), context)


@pytest.mark.parametrize("home", [AWAY, GONE], ids=["unread", "not in CELLS"])
def test_no_wait_for_a_machine_that_no_cell_can_show(home: str) -> None:
    clouds = Clouds(at(seconds=0, before=[], then=[]), [], [row(status="LAUNCHED", ids={"teacher": TEACHER})])
    woken(clouds, home)
    assert clouds.writes == [(0, f"create-record {TEACHER}"), (0, "m1")]
    assert clouds.clock.slept == []


@pytest.mark.parametrize(("home", "found"), [(PLACE, []), (GONE, ["event-of-unknown-cell"])])
def test_hub_that_is_not_a_cell_may_hear_its_own_machines(home: str, found: list[str]) -> None:
    """Who deleted its rules, as the finding advises for a cell, would hear of no cell any more."""
    context, _ = in_cells(Clouds(at(seconds=0, before=[], then=[])))
    context = replace(context, settings=replace(context.settings, cells=(AWAY,)))
    report = reconcile(Request(Mode.APPLY, frozenset({TEACHER}), homes={TEACHER: home}), context)
    assert ([finding.id for finding in report.findings], report.calls) == (found, {})


def test_machine_whose_cell_is_known_is_asked_for_there_alone() -> None:
    context, cells = in_cells(Clouds(at(seconds=0, before=[], then=[]), [record()]))
    cells[PLACE].machines = [replace(machine(state="stopped"), cell=PLACE)]
    reconcile(Request(Mode.PLAN), context)
    moment = NOW - timedelta(seconds=1)
    heard = {TEACHER: Heard("running", moment, moment)}
    reconcile(Request(Mode.APPLY, SCOPE, heard=heard, homes={TEACHER: PLACE}), context)
    assert cells[PLACE].asked == [{TEACHER}] * len(cells[PLACE].asked)
    assert len(cells[PLACE].asked) > 10, "the second look, and those at a machine that is behind its event"
    assert cells[AWAY].asked == []


@pytest.mark.parametrize(
    ("hint", "said"), [("Look.", "Look. elephant-dns doctor"), ("", "elephant-dns doctor")], ids=["hint", "none"]
)
def test_unread_cell_is_a_finding_with_its_remedy(hint: str, said: str) -> None:
    context, cells = in_cells(Clouds(at(seconds=0, before=[], then=[])))
    cells[AWAY].is_away, cells[AWAY].hint = True, hint
    (finding,) = [f for f in reconcile(Request(Mode.PLAN), context).findings if f.id == "cell-not-read"]
    assert (finding.key, finding.hint) == (AWAY, f"{said} checks each cell.")


@dataclass
class Moving(Listener):
    """Moves the row to a machine of the cell, which goes away at the same time."""

    clouds: Clouds
    cell: Cell

    def on_plan(self, report: Report) -> None:
        self.clouds.table["m1"] = {"status": "HEALTHY", "teacher_ec2_id": STUDENT}
        self.cell.is_away = True


def test_cell_that_goes_away_during_the_apply_fails_the_pass() -> None:
    clouds = Clouds(at(seconds=0, before=[], then=[]), [], [row(status="LAUNCHED")])
    context, cells = in_cells(clouds)
    report = reconcile(Request(Mode.APPLY), context, Moving(clouds, cells[AWAY]))
    assert clouds.writes == [(0, f"create-record {TEACHER}")]
    assert ([cell.name for cell in report.unread], report.complete) == ([AWAY], False)


@dataclass(frozen=True)
class Slow:
    """A cell that answers nothing in its time."""

    budget: Budget
    had: list[int]

    def look(self, *_: object) -> list[Instance]:
        self.had.append(round(self.budget.remaining()))
        raise DeadlineError("The pass's 600 seconds are over.", "A longer --deadline helps.")

    tagged = by_id = of_meetings = look


@pytest.mark.parametrize(("asks", "seconds"), [("tagged", 240), ("by_id", 21), ("of_meetings", 21)])
def test_cell_that_hangs_takes_its_share_and_its_error_says_so(asks: str, seconds: int) -> None:
    budget, had = Budget(FakeClock(), 600), list[int]()
    fleet = CellFleet({AWAY: Slow(budget, had)}, budget)  # type: ignore[dict-item]  # a cell in memory
    assert getattr(fleet, asks)(*[] if asks == "tagged" else [[str(number) for number in range(200)]]) == []
    assert had == [seconds]
    assert f"did not answer completely within {seconds} seconds" in str(fleet.unread()[AWAY])
