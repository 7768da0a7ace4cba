"""The commands of a deployment with several cells: two regions, and a second account."""

import json

import pytest

from tests.support.build import name
from tests.support.cells import AWAY, CELLS, EAST, HUB, in_cell, lessons, machines_of, marks, refuse
from tests.support.servers import Clouds
from tests.system.cli.process import run


@pytest.fixture
def fleet(clouds: Clouds) -> dict[str, str]:
    """One lesson in each cell: cell → the teacher's machine."""
    return lessons(clouds)


def test_plan_of_a_cell_shows_what_apply_of_it_does(clouds: Clouds, fleet: dict[str, str]) -> None:
    planned = json.loads(run(clouds, "plan", "--cell", EAST, "--format", "json", **CELLS).stdout)
    assert (planned["scope"], planned["only_cells"]) == ([fleet[EAST]], [EAST])
    assert {change["instance"] for change in planned["changes"]} == {fleet[EAST]}
    assert planned["observed"]["instances"] == 3, "everything is observed"
    full = json.loads(run(clouds, "plan", "--format", "json", **CELLS).stdout)
    expected = ("apply", "--yes", "--expect", planned["digest"])
    assert run(clouds, *expected, **CELLS).returncode == 1, f"not the digest of the whole plan, {full['digest']}"
    assert marks(clouds) == {}
    done = run(clouds, *expected, "--cell", EAST, **CELLS)
    assert (done.returncode, marks(clouds)) == (0, {name(fleet[EAST]): EAST}), done.stderr
    assert done.stdout.splitlines()[0] == f"apply for example.com: only cells {EAST}"
    again = run(clouds, "plan", "--detailed-exitcode", "--cell", EAST, **CELLS)
    assert (again.returncode, "Nothing to do" in again.stdout) == (0, True)


def test_an_end_needs_all_cells_of_its_machines(clouds: Clouds) -> None:
    teacher, student = in_cell(HUB, "m1"), in_cell(EAST, "m1", "student")
    clouds.aws.rows.put("m1", status="LAUNCHED", teacher_ec2_id=teacher, student_ec2_id=student)
    run(clouds, "apply", "--yes", **CELLS)
    machines_of(HUB).terminate(teacher)
    machines_of(EAST).terminate(student)
    run(clouds, "apply", "--yes", "--cell", EAST, **CELLS)
    assert set(marks(clouds).values()) == {HUB}
    assert clouds.aws.rows.get("m1")["status"] == "DNS_WRITTEN"
    run(clouds, "apply", "--yes", "--cell", EAST, "--cell", HUB, **CELLS)
    assert (marks(clouds), clouds.aws.rows.get("m1")["status"]) == ({}, "TERMINATED")


@pytest.mark.parametrize(("asked", "fails"), [(EAST, True), (AWAY, False)])
def test_only_the_named_cell_decides_how_apply_ends(
    clouds: Clouds, fleet: dict[str, str], asked: str, fails: bool
) -> None:
    refuse(clouds, "DescribeInstances", "us-east-1")
    done = run(clouds, "apply", "--yes", "--cell", asked, "--format", "json", **CELLS)
    report = json.loads(done.stdout)
    assert (done.returncode, report["complete"]) == (int(fails), not fails)
    assert [f["key"] for f in report["findings"] if f["id"] == "cell-not-read"] == ([EAST] if fails else [])
    assert set(marks(clouds).values()) == (set() if fails else {AWAY})


@pytest.mark.parametrize(("cells", "known"), [(CELLS, f"{HUB}, {EAST}, {AWAY}"), ({}, HUB)])
def test_an_unknown_cell_is_wrong_usage(clouds: Clouds, cells: dict[str, str], known: str) -> None:
    done = run(clouds, "plan", "--cell", "999999999999/eu-west-1", **cells)
    assert (done.returncode, done.stdout) == (64, "")
    assert f"Unknown cell '999999999999/eu-west-1': expected one of {known}." in done.stderr


def test_without_cells_the_one_place_is_accepted(clouds: Clouds) -> None:
    machine = clouds.launch()
    done = run(clouds, "apply", "--yes", "--cell", HUB)
    assert (done.returncode, clouds.records().keys()) == (0, {name(machine)}), done.stderr
