"""A plan for some cells: the part of the whole plan that is about their machines."""

from dataclasses import replace

import pytest

from controller.model import Change, EndMeeting, Finding, Plan, WriteLink
from controller.rules.cells import restrict_to
from tests.support.build import (
    OTHER,
    PLACE,
    STRANGER,
    STUDENT,
    TEACHER,
    create,
    link,
    machine,
    name,
    of_row,
    row,
    settings,
    world,
)

AWAY = "123456789012/eu-west-1"
#: The student's machine of m1 and a machine of m2, which has no row, live in the other cell.
HOMES = {TEACHER: PLACE, STUDENT: AWAY, OTHER: AWAY}
SEEN = world(
    [machine(), machine(STUDENT, role="student"), machine(OTHER, meeting="m2")],
    [],
    [row(ids={"teacher": TEACHER, "student": STUDENT}), row("m3", links={"student": link(OTHER)})],
)


def part_of(wanted: Plan, *cells: str) -> Plan:
    using = replace(settings(), cells=(PLACE, AWAY))
    return restrict_to(frozenset(cells), wanted, SEEN, HOMES, using)


END = replace(of_row(EndMeeting), instance=None, role=None, evidence=(TEACHER, STUDENT))


@pytest.mark.parametrize(
    ("change", "cells"),
    [
        (create(), {PLACE}),
        (of_row(WriteLink, STUDENT), {AWAY}),
        (create(STRANGER), set()),  # nobody knows where it lives
        (END, set()),
        (replace(END, evidence=(TEACHER,)), {PLACE}),
    ],
    ids=["record", "link", "record of unknown cell", "end by both cells", "end by one cell"],
)
def test_change_belongs_to_the_cell_of_its_machines(change: Change, cells: set[str]) -> None:
    wanted = Plan((change,), ())
    assert {cell for cell in (PLACE, AWAY) if part_of(wanted, cell).changes} == cells
    assert part_of(wanted, PLACE, AWAY).changes == ((change,) if change.instance != STRANGER else ())


@pytest.mark.parametrize(
    ("key", "cells"),
    [
        (TEACHER, {PLACE}),
        (name(STUDENT), {AWAY}),
        ("m1", {PLACE, AWAY}),
        ("m2", {AWAY}),
        ("m3", {AWAY}),  # by its link alone
        (AWAY, {AWAY}),
        ("example.com", set()),
        (STRANGER, set()),
    ],
)
def test_finding_belongs_to_the_cells_that_it_is_about(key: str, cells: set[str]) -> None:
    wanted = Plan((), (Finding("odd", key, "Odd.", "Look."),))
    assert {cell for cell in (PLACE, AWAY) if part_of(wanted, cell).findings} == cells


def test_without_cells_everything_is_here() -> None:
    wanted = Plan((create(STRANGER),), (Finding("odd", "example.com", "Odd.", "Look."),))
    assert restrict_to(frozenset({PLACE}), wanted, SEEN, {}, settings()) is wanted
