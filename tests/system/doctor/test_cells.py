"""The places of CELLS: what the doctor says of each where one thing is wrong, and what it says where nothing is."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from controller.doctor.cell import Cell
from controller.doctor.diagnosis import Status
from controller.errors import DeadlineError
from controller.sandbox.aws import ACCOUNT
from tests.support.cells import AWAY, BUS, EAST, HUB, in_cell
from tests.support.servers import Clouds
from tests.system.doctor.cell_world import CELLS, OF_CELLS, STATE, TAGS, Cells, about, account_of, role_in
from tests.system.doctor.deployed import PATTERN, TAG_PATTERN

FAIL, WARN, PASS, SKIP = Status.FAIL, Status.WARN, Status.PASS, Status.SKIP


def test_cells_that_are_right_pass_and_are_read_once(cells: Cells, clouds: Clouds) -> None:
    for number, cell in enumerate(CELLS):
        in_cell(cell, f"m{number}")
    clouds.aws.requests.clear()
    checks = cells.said("ec2:DescribeInstances", "project-tag", *OF_CELLS)
    assert {check.status for check in checks} == {PASS}
    assert [set(about(checks, cell)) for cell in CELLS] == [
        {"cell-machines"},
        {*OF_CELLS[1:4]},
        {*OF_CELLS[:4]},
        {*OF_CELLS[:4]},
    ]
    assert about(checks, AWAY)["cell-machines"].seen.endswith("tagged Project=Elephant: 1.")
    assert "in 4 cells: 4." in checks[0].seen
    assert [check.id for check in checks].count("cell-forwarding") == 1
    called = Counter(clouds.aws.operations())
    assert (called["DescribeInstances"], called["AssumeRole"], called["DescribeEventBus"]) == (4, 2, 1)
    assert called["TestEventPattern"] == 9 + 1, "all rules are alike, and each is tried once"


@dataclass(frozen=True)
class World:
    """One thing that is wrong, or odd and right, in a cell, and what is said of it."""

    build: Callable[[Cells], object]
    cell: str
    id: str
    status: Status
    seen: str
    fix: str = ""
    changes: dict[str, Any] = field(default_factory=dict)


def as_it_is(cells: Cells) -> None:
    """Only the settings are wrong."""


def no_stack(cells: Cells) -> None:
    cells.without_stack(AWAY)


def another_external_id(cells: Cells) -> None:
    cells.trust[role_in(AWAY)] = "teachers"


def nobody_named_as_people(cells: Cells) -> None:
    cells.people = False


def region_not_enabled(cells: Cells) -> None:
    cells.not_enabled.add("eu-west-1")


def own_region_not_enabled(cells: Cells) -> None:
    cells.not_enabled.add("us-east-1")


def no_rule(cells: Cells) -> None:
    cells.without_target(AWAY, STATE)


def no_tag_rule(cells: Cells) -> None:
    cells.without_target(AWAY, TAGS)


def disabled_rule(cells: Cells) -> None:
    cells.rule(AWAY, STATE, PATTERN, on=False)


def target_in_another_region(cells: Cells) -> None:
    cells.rule(AWAY, STATE, PATTERN, target=BUS.replace("us-west-2", "eu-west-1"))


def target_without_a_role(cells: Cells) -> None:
    cells.rule(AWAY, STATE, PATTERN, role=None)


def target_without_a_role_in_the_own_account(cells: Cells) -> None:
    cells.rule(EAST, STATE, PATTERN, role=None)


def role_of_another_account(cells: Cells) -> None:
    cells.rule(AWAY, STATE, PATTERN, role=role_in(HUB))


def filter_on_tags(cells: Cells) -> None:
    cells.rule(AWAY, STATE, {**PATTERN, "detail": {"tags": {"Project": ["Elephant"]}}})


def pattern_of_the_hubs_account(cells: Cells) -> None:
    cells.rule(AWAY, STATE, {**PATTERN, "account": [ACCOUNT]})


def pattern_of_its_own_place(cells: Cells) -> None:
    cells.rule(AWAY, STATE, {**PATTERN, "account": [account_of(AWAY)], "region": ["eu-west-1"]})


def tags_left_out(cells: Cells) -> None:
    cells.rule(AWAY, TAGS, {**TAG_PATTERN, "detail": {**TAG_PATTERN["detail"], "changed-tag-keys": ["Role"]}})


ROLE_OF, MACHINES_OF, STATES_OF, TAGS_OF, FORWARDING = OF_CELLS
DENIED = f"The role {role_in(AWAY)} cannot be assumed: sts:AssumeRole on role {role_in(AWAY)}"
NO_ID = {"CELL_EXTERNAL_ID": ""}
WORLDS = [
    World(
        no_stack,
        AWAY,
        ROLE_OF,
        FAIL,
        DENIED,
        "Deploy infra/cell.yaml in account 210987654321",
    ),
    World(no_stack, AWAY, ROLE_OF, FAIL, DENIED, "arn:aws:sts::123456789012:"),
    World(as_it_is, AWAY, ROLE_OF, FAIL, "role/Other cannot be assumed", "CellRole=Other", {"CELL_ROLE": "Other"}),
    World(as_it_is, AWAY, ROLE_OF, FAIL, f"CELL_ROLE is not set, and the cell {AWAY}", "", {"CELL_ROLE": ""}),
    World(as_it_is, AWAY, ROLE_OF, FAIL, DENIED, "(it is not set)", NO_ID),
    World(another_external_id, AWAY, ROLE_OF, FAIL, DENIED, "the ExternalId that CELL_EXTERNAL_ID has here"),
    World(region_not_enabled, AWAY, MACHINES_OF, FAIL, "AuthFailure", "region eu-west-1 in account 210987654321"),
    World(own_region_not_enabled, EAST, MACHINES_OF, FAIL, "AuthFailure", "region us-east-1 in account 123456789012"),
    World(no_rule, AWAY, STATES_OF, FAIL, f"No rule on the default event bus there sends state changes to {BUS}", BUS),
    World(no_tag_rule, AWAY, TAGS_OF, WARN, f"sends changed tags to {BUS}: they wait", "infra/cell.yaml"),
    World(disabled_rule, AWAY, STATES_OF, WARN, f"Rule {STATE} is disabled.", "Enabled=false"),
    World(target_in_another_region, AWAY, STATES_OF, FAIL, "No rule on the default event bus there", BUS),
    World(target_without_a_role, AWAY, STATES_OF, FAIL, "its target has no role", "RoleArn"),
    World(target_without_a_role_in_the_own_account, EAST, STATES_OF, FAIL, "its target has no role", "RoleArn"),
    World(role_of_another_account, AWAY, STATES_OF, FAIL, "a role of another account than the rule's"),
    World(filter_on_tags, AWAY, STATES_OF, FAIL, "never fires: it asks for detail.tags", "the controller reads"),
    World(pattern_of_the_hubs_account, AWAY, STATES_OF, FAIL, 'asks for account ["123456789012"], and AWS sends "2109'),
    World(pattern_of_its_own_place, AWAY, STATES_OF, PASS, f"Rule {STATE} sends state changes to {BUS}"),
    World(tags_left_out, AWAY, TAGS_OF, WARN, f"{TAGS} leaves out Project, MeetingID"),
    World(nobody_named_as_people, AWAY, STATES_OF, WARN, "events:ListRuleNamesByTarget on *", "PeopleArns is given"),
]


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: f"{world.build.__name__}-{world.id}")
def test_what_is_wrong_in_a_cell_is_said_of_it(cells: Cells, world: World) -> None:
    world.build(cells)
    everything = cells.said(*OF_CELLS, cells=(EAST, AWAY), **world.changes)
    checks = about(everything, world.cell)
    said = checks[world.id]
    assert (said.status, world.seen in said.seen, world.fix in said.fix) == (world.status, True, True), said
    after = list(checks)[list(checks).index(world.id) + 1 :]
    assert {checks[id].status for id in after} <= {PASS, SKIP, WARN, FAIL if world.id == MACHINES_OF else PASS}
    others = [one for one in everything if one.id != FORWARDING and f"Cell {world.cell}:" not in one.seen]
    if not world.changes and world.build is not nobody_named_as_people:
        assert {one.status for one in others} == {PASS}, "no other cell has to do with it"


def test_role_without_an_answer_in_time_speaks_of_no_pass(cells: Cells, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*_: object) -> None:
        raise DeadlineError("The pass's time was over before the clouds answered.", "The next pass continues.")

    monkeypatch.setattr(Cell, "assume", late)
    role = about(cells.said(*OF_CELLS), AWAY)["cell-role"]
    assert (role.status, role.seen.endswith(f"STS gave no answer in time for the role {role_in(AWAY)}.")) == (
        FAIL,
        True,
    )
    assert "pass" not in role.fix
