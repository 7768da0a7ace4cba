"""The commands of a deployment with several cells: two regions, and a second account."""

import json

import pytest

from tests.support.build import name
from tests.support.cells import AWAY, CELLS, EAST, HUB, in_cell, lessons, machines_of, marks, refuse
from tests.support.servers import Clouds
from tests.system.cli.process import at_a_terminal, run


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


def test_nothing_to_do_beside_an_unread_cell_is_a_failure(clouds: Clouds, fleet: dict[str, str]) -> None:
    run(clouds, "apply", "--yes", **CELLS)
    refuse(clouds, "DescribeInstances", "us-east-1")
    for command in (("plan",), ("plan", "--detailed-exitcode"), ("apply", "--yes")):
        done = run(clouds, *command, "--quiet", **CELLS)
        said = " ".join(done.stdout.split())
        assert done.returncode == 1, command
        assert "1 cell not read." in said
        assert f"Cannot read the cell {EAST}: ec2:DescribeInstances on *: AccessDenied not allowed" in said


@pytest.mark.parametrize(("cells", "known"), [(CELLS, f"{HUB}, {EAST}, {AWAY}"), ({}, HUB)])
def test_an_unknown_cell_is_wrong_usage(clouds: Clouds, cells: dict[str, str], known: str) -> None:
    done = run(clouds, "plan", "--cell", "999999999999/eu-west-1", **cells)
    assert (done.returncode, done.stdout) == (64, "")
    assert f"Unknown cell '999999999999/eu-west-1': expected one of {known}." in done.stderr


def test_without_cells_the_one_place_is_accepted(clouds: Clouds) -> None:
    machine = clouds.launch()
    done = run(clouds, "apply", "--yes", "--cell", HUB)
    assert (done.returncode, set(clouds.records())) == (0, {name(machine)}), done.stderr


def test_explain_names_the_machines_cell(clouds: Clouds, fleet: dict[str, str]) -> None:
    for subject, cell in ((fleet[EAST], EAST), ("m-2", AWAY)):
        done = run(clouds, "explain", subject, **CELLS)
        assert (done.returncode, f"cell {cell}" in " ".join(done.stdout.split())) == (0, True), done.stdout


@pytest.mark.parametrize("subject", ["machine", "m-1"])
def test_explain_does_not_call_a_machine_gone_whose_cell_is_unread(
    clouds: Clouds, fleet: dict[str, str], subject: str
) -> None:
    run(clouds, "apply", "--yes", **CELLS)
    refuse(clouds, "DescribeInstances", "us-east-1")
    done = run(clouds, "explain", fleet[EAST] if subject == "machine" else subject, **CELLS)
    text = " ".join(done.stdout.split())
    assert done.returncode == 0, done.stderr
    assert f"not seen: cannot read the cell {EAST}" in text
    assert "does not know" not in text
    assert "would do nothing" in text
    assert f"cell-not-read {EAST}" in text
    assert f"teacher can join: no, because its machine {fleet[EAST]} was not seen" in text


def test_explain_of_an_unknown_name_names_the_unread_cells(clouds: Clouds, fleet: dict[str, str]) -> None:
    stranger = in_cell(EAST, "m-9")
    refuse(clouds, "DescribeInstances", "us-east-1")
    done = run(clouds, "explain", stranger, **CELLS)
    assert (done.returncode, f"Cannot read the cell {EAST}" in done.stderr) == (1, True), done.stderr
    planned = run(clouds, "plan", "--instance", stranger, **CELLS)
    assert (planned.returncode, "No machine of this deployment" in planned.stderr) == (1, False), planned.stderr


def test_status_does_not_hide_meetings_of_an_unread_cell(clouds: Clouds, fleet: dict[str, str]) -> None:
    for number, machine in enumerate(fleet.values()):
        student = in_cell((HUB, EAST, AWAY)[number], f"m-{number}", "student")
        clouds.aws.rows.edit(f"m-{number}", student_ec2_id=student, teacher_ec2_id=machine)
    run(clouds, "apply", "--yes", **CELLS)
    for number in range(3):
        clouds.aws.rows.edit(f"m-{number}", status="HEALTHY")
    assert run(clouds, "status", **CELLS).stdout.splitlines()[-1].startswith("3 meetings: 3 ready")
    refuse(clouds, "DescribeInstances", "us-east-1")
    done = run(clouds, "status", "--detailed-exitcode", **CELLS)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "3 meetings: 2 ready, 1 not known")
    assert f"Cannot read the cell {EAST}" in done.stdout
    assert "m-1" in done.stdout
    shown = json.loads(run(clouds, "status", "--format", "json", **CELLS).stdout)
    assert ([c["cell"] for c in shown["unread_cells"]], shown["counts"]["not_known"]) == ([EAST], 1)
    assert {m["meeting"]: m["standing"] for m in shown["meetings"]}["m-1"] == "not_known"
    for form in ("markdown", "html"):
        assert "Cannot read the cell" in run(clouds, "status", "--format", form, **CELLS).stdout


def test_retire_deletes_the_marks_of_the_named_cells_alone(clouds: Clouds, fleet: dict[str, str]) -> None:
    run(clouds, "apply", "--yes", **CELLS)
    done = run(clouds, "retire", "--yes", **{**CELLS, "CELLS": f"{EAST},{AWAY}"})
    assert (done.returncode, marks(clouds)) == (0, {name(fleet[HUB]): HUB}), done.stderr
    told = " ".join(done.stderr.split())
    assert f"Of 2 records to delete 2 lead to machines that are up ({EAST} 1, {AWAY} 1)." in told


def test_retire_says_that_a_cell_cannot_be_read(clouds: Clouds, fleet: dict[str, str]) -> None:
    run(clouds, "apply", "--yes", **CELLS)
    refuse(clouds, "DescribeInstances", "us-east-1")
    done = run(clouds, "retire", "--yes", **CELLS)
    assert (done.returncode, marks(clouds)) == (0, {}), done.stderr
    told = " ".join(done.stderr.split())
    assert f"Of 3 records to delete 2 lead to machines that are up ({HUB} 1, {AWAY} 1)." in told
    assert f"Cannot read the cell {EAST}, so machines there may be up as well:" in told


def test_retire_asks_for_the_cells_and_lists_other_owners(clouds: Clouds, fleet: dict[str, str]) -> None:
    run(clouds, "apply", "--yes", **CELLS)
    only_east = {**CELLS, "CELLS": EAST}
    code, shown = at_a_terminal(
        clouds, ["retire"], f"{EAST}\n", question=f"Type the owner id {EAST} to delete all 1 records", **only_east
    )
    assert (code, set(marks(clouds).values())) == (0, {HUB, AWAY}), shown
    done = run(clouds, "retire", "--yes", **only_east)
    assert (done.returncode, f"carries the mark of {EAST}. Records of other owners:" in done.stderr) == (1, True)


def test_doctor_takes_the_marks_of_all_cells_for_its_own(clouds: Clouds, fleet: dict[str, str]) -> None:
    run(clouds, "apply", "--yes", **CELLS)
    checks = json.loads(run(clouds, "doctor", "--format", "json", **CELLS).stdout)["checks"]
    found = {check["id"]: check["status"] for check in checks}
    assert [found[id] for id in ("other-owners", "marks-outside-domain", "shared-machines")] == ["pass"] * 3
