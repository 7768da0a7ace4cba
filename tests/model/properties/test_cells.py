"""Several cells are one world: what one cell plans, their union plans; and a cell that cannot be read is unknown."""

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.aws.cells import CellFleet
from controller.errors import TransientError
from controller.model import Action, Change, Instance, Mode, RecordChange, Request
from controller.ports import Context
from controller.reconcile import reconcile
from controller.report.report import Report, Target
from controller.runtime.budget import Budget
from tests.model.properties.clouds import Clouds
from tests.model.properties.many import Note, hold_in_many_worlds
from tests.model.properties.profiles import COSTLY, PROMISE
from tests.model.properties.random_worlds import cases
from tests.model.properties.test_regressions import ONE, THREE, TWO, world
from tests.model.properties.test_regressions import machine as a_machine
from tests.model.properties.test_regressions import record as a_record
from tests.model.properties.turns import taking_turns
from tests.support.build import link
from tests.support.ports import readers_of, writers_of
from tests.support.state import Case

A, B, C = CELLS = ("111122223333/us-west-2", "111122223333/eu-west-1", "444455556666/us-west-2")
MARK = "elephant-dns:"
LIVING = ("pending", "running", "stopping", "stopped")


@dataclass
class Script:
    """From which of its calls on each cell fails; those that are not named never do."""

    fails: Mapping[str, int] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)

    def call(self, cell: str) -> None:
        self.calls[cell] = self.calls.get(cell, 0) + 1
        if self.calls[cell] > self.fails.get(cell, 1_000_000):
            raise TransientError(f"{cell} is away.", "Look.")


@dataclass(frozen=True)
class InCell:
    """One cell's EC2, over the model."""

    clouds: Clouds
    cell: str
    script: Script
    budget: Budget

    def tagged(self) -> list[Instance]:
        return self._here(lambda machine: machine.tagged)

    def by_id(self, ids: Collection[str]) -> list[Instance]:
        return self._here(lambda machine: machine.id in ids)

    def of_meetings(self, meetings: Collection[str]) -> list[Instance]:
        return self._here(lambda machine: machine.meeting in meetings)

    def _here(self, fits: object) -> list[Instance]:
        assert callable(fits)
        self.script.call(self.cell)
        return [m for m in self.clouds.state.instances.values() if m.cell == self.cell and fits(m)]


def ran(
    case: Case,
    scope: Collection[str] | None = None,
    *,
    mode: Mode = Mode.PLAN,
    fails: Mapping[str, int] | None = None,
    homes: Mapping[str, str] | None = None,
    cells: Collection[str] | None = None,
) -> tuple[Report, Clouds]:
    """A pass over cells, and the clouds as it left them."""
    clouds, script = Clouds(case), Script(fails or {})
    target = Target("111122223333", "us-west-2", case.settings.zone_id, case.settings.domain_root, "meetings", A)
    budget = Budget(clouds.clock, 600.0)
    fleet = CellFleet({cell: InCell(clouds, cell, script, budget) for cell in case.settings.cells}, budget)  # type: ignore[misc]  # a fleet of the model
    readers = replace(readers_of(clouds), fleet=fleet, cells=fleet)
    context = Context(case.settings, target, readers, writers_of(clouds) if mode is Mode.APPLY else None, budget)
    request = Request(
        mode,
        None if scope is None else frozenset(scope),
        homes=homes or {},
        cells=None if cells is None else frozenset(cells),
    )
    with taking_turns(random.Random(0)):
        return reconcile(request, context), clouds


def in_one(case: Case) -> Case:
    """The world as one cell sees it: with the mark of that place."""
    return replace(case, settings=replace(case.settings, owner_id=A, place=A, adopt_unmarked=False))


def divided(case: Case, rng: random.Random, cells: Sequence[str] = CELLS) -> Case:
    """The same machines, each somewhere; own records with the mark of the cell of their machine."""
    homes = {instance: rng.choice(cells) for instance in sorted(case.state.instances)}
    machines = {i: replace(machine, cell=homes[i]) for i, machine in case.state.instances.items()}
    records = {
        key: replace(record, comment=_marked_anew(record.comment, homes.get(record.instance) or rng.choice(cells)))
        for key, record in case.state.records.items()
    }
    state = replace(case.state, instances=machines, records=records)
    return replace(case, state=state, settings=replace(case.settings, owner_id=A, place=A, cells=tuple(cells)))


def _marked_anew(comment: str, cell: str) -> str:
    mark, space, hint = comment.partition(" ")
    return f"{MARK}{cell}{space}{hint}" if mark == f"{MARK}{A}" else comment


def told(changes: Sequence[Change]) -> list[tuple[object, ...]]:
    """The changes, marks aside."""
    return [(c.ident, c.instance, c.rule, _unmarked(c.before), _unmarked(c.after)) for c in changes]


def _unmarked(values: Sequence[tuple[str, object]]) -> list[tuple[str, object]]:
    return [(name, _without_cell(value)) for name, value in values]


def _without_cell(value: object) -> object:
    if isinstance(value, str):
        for cell in CELLS:
            value = value.replace(f"{MARK}{cell}", MARK)
    return value


def changes_of(report: Report) -> list[Change]:
    return [result.change for result in report.results]


@PROMISE
@given(cases(), st.randoms(use_true_random=False))
def test_the_union_of_cells_plans_what_one_cell_plans(case: Case, rng: random.Random) -> None:
    one = in_one(case)
    alone, _ = ran(divided(one, rng, (A,)))
    together, _ = ran(divided(one, rng))
    assert told(changes_of(together)) == told(changes_of(alone))
    assert [(f.id, f.key) for f in together.findings] == [(f.id, f.key) for f in alone.findings]
    assert together.complete


@PROMISE
@given(cases(), st.randoms(use_true_random=False))
def test_plans_of_single_cells_are_parts_of_the_whole_plan(case: Case, rng: random.Random) -> None:
    there = divided(in_one(case), rng)
    whole, _ = ran(there)
    parts = {cell: ran(there, cells=[cell])[0] for cell in CELLS}
    for cell, part in parts.items():
        assert told(changes_of(part)) == [c for c in told(changes_of(whole)) if c in told(changes_of(part))]
        homes = [there.state.instances[i].cell for c in changes_of(part) for i in _rests_on(c, there)]
        assert set(homes) <= {cell}
        assert set(part.findings) <= set(whole.findings)
    shown = [c for part in parts.values() for c in told(changes_of(part))]
    left = [c for c in changes_of(whole) if told([c])[0] not in shown]
    assert all(c.action is Action.TERMINATE_MEETING or c.instance not in there.state.instances for c in left)
    together = told(changes_of(ran(there, cells=CELLS)[0]))
    for change in changes_of(whole):
        rests_on = change.evidence if change.action is Action.TERMINATE_MEETING else [change.instance]
        assert (told([change])[0] in together) is all(machine in whole.homes for machine in rests_on)


def _rests_on(change: Change, case: Case) -> list[str]:
    """The machines that are there, of a change: an end's are all those on which it rests."""
    machines = change.evidence if change.action is Action.TERMINATE_MEETING else [change.instance or ""]
    return [machine for machine in machines if machine in case.state.instances]


@PROMISE
@given(cases(), st.randoms(use_true_random=False))
def test_a_record_is_marked_with_its_machines_cell(case: Case, rng: random.Random) -> None:
    there = divided(in_one(case), rng)
    _, clouds = ran(there, mode=Mode.APPLY)
    before = there.state.records
    for key, record in clouds.state.records.items():
        machine = there.state.instances.get(record.instance)
        if record != before.get(key):
            assert machine is not None
            assert record.comment.startswith(f"{MARK}{machine.cell}")


@PROMISE
@given(cases(), st.randoms(use_true_random=False), st.sampled_from(CELLS), st.integers(0, 3))
def test_an_unread_cell_is_left_alone_and_the_others_are_served(
    case: Case, rng: random.Random, away: str, after: int
) -> None:
    there = divided(in_one(case), rng)
    calm, _ = ran(there)
    report, clouds = ran(there, mode=Mode.APPLY, fails={away: after})
    if not any(cell.error for cell in report.cells):
        return  # it was asked no more often than it answered
    home = {instance: machine.cell for instance, machine in there.state.instances.items()}
    assert not report.complete
    assert [f.key for f in report.findings if f.id == "cell-not-read"] == [away]
    done = changes_of(report)
    assert not [c for c in done if c.instance and home.get(c.instance) == away], "nothing of its own"
    assert not [c for c in done if c.action is Action.TERMINATE_MEETING], "no end: it may have a machine of any meeting"
    for change in done:
        for instance in change.evidence:
            marks = {
                r.comment.removeprefix(MARK).split(" ")[0]
                for r in there.state.records.values()
                if r.instance == instance
            }
            assert instance in home or marks & (set(CELLS) - {away}), "absent, and its cell was read"
    wanted = [
        c for c in changes_of(calm) if isinstance(c, RecordChange) and home.get(c.instance or "") not in (None, away)
    ]
    assert told(wanted) == told([c for c in done if isinstance(c, RecordChange) and c.instance in home])
    assert clouds is not None


@PROMISE
@given(cases(), st.randoms(use_true_random=False), st.lists(st.sampled_from(CELLS), max_size=2, unique=True))
def test_no_meeting_ends_while_a_machine_of_any_cell_lives(case: Case, rng: random.Random, several: list[str]) -> None:
    there = divided(in_one(case), rng)
    report, _ = ran(there, mode=Mode.APPLY, fails=dict.fromkeys(several, 0))
    ended = {c.meeting for c in changes_of(report) if c.action is Action.TERMINATE_MEETING}
    alive = {m.meeting for m in there.state.instances.values() if m.state in LIVING}
    assert not ended & alive


@COSTLY
@given(cases(), st.randoms(use_true_random=False))
def test_events_that_name_a_wrong_cell_change_nothing(case: Case, rng: random.Random) -> None:
    there = divided(in_one(case), rng)
    for instance, machine in there.state.instances.items():
        wrong = rng.choice([cell for cell in CELLS if cell != machine.cell])
        report, _ = ran(there, [instance], mode=Mode.APPLY, homes={instance: wrong})
        assert report.results == ()


@COSTLY
@given(cases(), st.randoms(use_true_random=False))
def test_events_with_and_without_a_home_plan_alike(case: Case, rng: random.Random) -> None:
    there = divided(in_one(case), rng)
    for instance, machine in there.state.instances.items():
        home = {instance: machine.cell or ""}
        assert told(changes_of(ran(there, [instance], homes=home)[0])) == told(changes_of(ran(there, [instance])[0]))


@COSTLY
@given(cases(), st.randoms(use_true_random=False), st.sampled_from(CELLS))
def test_a_cell_that_is_taken_out_has_nothing_deleted(case: Case, rng: random.Random, gone: str) -> None:
    there = divided(in_one(case), rng)
    left = replace(there, settings=replace(there.settings, cells=tuple(cell for cell in CELLS if cell != gone)))
    _, clouds = ran(left, mode=Mode.APPLY)
    for key, record in there.state.records.items():
        if record.comment.startswith(f"{MARK}{gone}"):
            assert clouds.state.records.get(key) == record


@COSTLY
@given(cases(), st.randoms(use_true_random=False))
def test_where_no_cell_is_read_nothing_is_done(case: Case, rng: random.Random) -> None:
    report, _ = ran(divided(in_one(case), rng), mode=Mode.APPLY, fails=dict.fromkeys(CELLS, 0))
    assert report.results == ()
    assert [cell.error for cell in report.cells] == [f"{cell} is away." for cell in CELLS]


@pytest.mark.proof
@pytest.mark.parametrize(
    "promise",
    [
        test_the_union_of_cells_plans_what_one_cell_plans,
        test_plans_of_single_cells_are_parts_of_the_whole_plan,
        test_a_record_is_marked_with_its_machines_cell,
        test_an_unread_cell_is_left_alone_and_the_others_are_served,
        test_no_meeting_ends_while_a_machine_of_any_cell_lives,
        test_events_that_name_a_wrong_cell_change_nothing,
        test_events_with_and_without_a_home_plan_alike,
        test_a_cell_that_is_taken_out_has_nothing_deleted,
    ],
)
def test_many_worlds_of_cells(promise: object, record_property: Note) -> None:
    hold_in_many_worlds(
        promise,
        "worlds of cells",
        record_property,
        away=lambda rng: rng.choice(CELLS),
        gone=lambda rng: rng.choice(CELLS),
        several=lambda rng: rng.sample(CELLS, rng.randrange(len(CELLS))),
        after=lambda rng: rng.randrange(4),
    )


def in_cells(case: Case, **homes: str) -> Case:
    """The case with each machine in its cell, by the machine's id with an underscore."""
    machines = {i: replace(m, cell=homes[i.replace("-", "_")]) for i, m in case.state.instances.items()}
    settings = replace(case.settings, owner_id=A, place=A, cells=CELLS)
    return replace(case, state=replace(case.state, instances=machines), settings=settings)


@pytest.mark.parametrize("named_in", ["teacher_ec2_id", "teacher_ec2_link"])
def test_a_link_does_not_leave_a_machine_in_an_unread_cell(named_in: str) -> None:
    """The second machine serves as well; the first one may, in the cell that is away."""
    has = {"status": "HEALTHY", named_in: link(ONE) if named_in.endswith("link") else ONE}
    case = world([a_machine(ONE, "203.0.113.1"), a_machine(TWO, "203.0.113.2")], [], m=has)
    there = in_cells(case, i_00000001=B, i_00000002=A)
    report, _ = ran(there, mode=Mode.APPLY, fails={B: 0})
    assert [(c.action, c.instance) for c in changes_of(report)] == [(Action.CREATE_RECORD, TWO)]


def test_what_an_unread_cell_showed_before_does_not_count() -> None:
    """Its listing came; the second look at a machine that stopped did not. Its other machine waits as well."""
    case = world(
        [
            a_machine(ONE, "203.0.113.1"),
            a_machine(TWO, None, state="stopped"),
            a_machine(THREE, "203.0.113.3", role="student"),
        ],
        [a_record("r1", TWO, "203.0.113.2", f"{MARK}{B}")],
        m={"status": "HEALTHY"},
    )
    there = in_cells(case, i_00000001=B, i_00000002=B, i_00000003=A)
    calm, _ = ran(there)
    assert {c.instance for c in changes_of(calm)} == {ONE, TWO, THREE}
    report, _ = ran(there, mode=Mode.APPLY, fails={B: 1})
    assert {c.instance for c in changes_of(report)} == {THREE}
    assert [cell.instances for cell in report.cells] == [1, 0, 0]


def test_records_of_two_cells_at_a_name_stay_while_one_is_unread() -> None:
    """The machine may live in the cell that is away, whatever mark was written last."""
    records = [a_record("r1", ONE, "203.0.113.1", f"{MARK}{B}"), a_record("r2", ONE, "203.0.113.9", f"{MARK}{A}")]
    for order in (records, records[::-1]):
        there = in_cells(world([a_machine(ONE, "203.0.113.1")], order), i_00000001=B)
        assert [c.rule for c in changes_of(ran(there)[0])] == ["record-duplicate"]
        assert changes_of(ran(there, fails={B: 0})[0]) == []


def test_absence_proves_nothing_while_the_cell_is_unread() -> None:
    """EC2 knows neither machine. One cell was read, so its machine is gone; the other's may be up."""
    here, away = (a_record(f"r{i}", i, "203.0.113.1", f"{MARK}{cell}") for i, cell in ((ONE, A), (TWO, B)))
    there = in_cells(world([], [here, away]))
    calm, _ = ran(there)
    assert {c.instance for c in changes_of(calm)} == {ONE, TWO}
    report, _ = ran(there, mode=Mode.APPLY, fails={B: 0})
    assert [(c.action, c.instance) for c in changes_of(report)] == [(Action.DELETE_RECORD, ONE)]


@dataclass(frozen=True)
class Hanging:
    """A cell that answers nothing for as long as it may."""

    clouds: Clouds
    budget: Budget

    def tagged(self) -> list[Instance]:
        self.clouds.clock.sleep(self.budget.remaining())
        raise TransientError("It does not answer.", "Look.")


def test_cell_that_hangs_leaves_time_for_the_pass() -> None:
    clouds = Clouds(world([], []))
    budget = Budget(clouds.clock, 100.0)
    fleet = CellFleet({A: Hanging(clouds, budget)}, budget)  # type: ignore[dict-item]  # a fleet of the model
    with taking_turns(random.Random(0)):
        assert fleet.tagged() == []
    assert list(fleet.unread()) == [A]
    assert budget.remaining() >= 50
