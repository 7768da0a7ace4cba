"""The places of CELLS: what the doctor says of each where one thing is wrong, and what it says where nothing is."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from controller.doctor.diagnosis import Check, Status
from controller.sandbox.aws import ACCOUNT
from tests.support.servers import Clouds
from tests.system.doctor.cell_world import (
    AWAY,
    BUS,
    CELLS,
    EAST,
    EXTERNAL_ID,
    FAR,
    HUB,
    ROLE,
    STATE,
    TAGS,
    Cells,
    account_of,
    launched,
    role_in,
)
from tests.system.doctor.deployed import PATTERN, TAG_PATTERN, Deployment, deny, examined

FAIL, WARN, PASS, SKIP = Status.FAIL, Status.WARN, Status.PASS, Status.SKIP
OF_CELLS = ("cell-role", "cell-machines", "cell-state-changes", "cell-tag-changes", "cell-forwarding")


@pytest.fixture
def cells(deployment: Deployment) -> Cells:
    """The hub and three cells, everything right."""
    made = Cells(deployment)
    made.whole(*CELLS)
    return made


def about(checks: list[Check], cell: str) -> dict[str, Check]:
    """What is said of a cell, by id."""
    found = [check for check in checks if check.seen.startswith(f"Cell {cell}: ")]
    assert len({check.id for check in found}) == len(found)
    return {check.id: check for check in found}


def test_cells_that_are_right_pass_and_are_read_once(cells: Cells, clouds: Clouds) -> None:
    for number, cell in enumerate(CELLS):
        launched(cell, f"m{number}")
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
    del cells.trust[role_in(AWAY)]


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
    World(no_stack, AWAY, ROLE_OF, FAIL, DENIED, "Deploy infra/cell.yaml in account 210987654321"),
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


def test_cells_that_cannot_be_read_are_said_once(cells: Cells, clouds: Clouds) -> None:
    cells.not_enabled.add("us-east-1")
    no_stack(cells)
    clouds.aws.rows.put("m1", status="LAUNCHED", teacher_ec2_id="i-0000000000000000a")
    listed, tag, *_ = cells.said("ec2:DescribeInstances", "project-tag")
    assert (listed.status, f"{EAST}, {AWAY}" in listed.seen) == (SKIP, True)
    assert (tag.status, "in a cell that cannot be read" in tag.seen) == (SKIP, True), "it may run there"


# The hub.

ONE, BOTH = {"AWS": account_of(AWAY)}, {"AWS": [account_of(AWAY), f"arn:aws:iam::{account_of(FAR)}:root"]}
HEARD = "ElephantEC2StateWatch"


def hub_hears(name: str, **pattern: Any) -> Callable[[Cells], object]:
    of = {HEARD: PATTERN, "ElephantTagWatch": TAG_PATTERN}
    return lambda cells: cells.rule_of_hub(name, {**of[name], **pattern})


@pytest.mark.parametrize(
    ("build", "status", "seen"),
    [
        (lambda cells: cells.policy(BOTH), PASS, "takes events of 3 other cells"),
        (lambda cells: cells.policy("*"), PASS, "takes events of"),
        (lambda cells: cells.policy(ONE), FAIL, f"does not let these cells send state changes: {FAR}."),
        (lambda cells: cells.policy({"AWS": HUB[:12]}), FAIL, f"send state changes: {AWAY}, {FAR}."),
        (lambda cells: cells.policy(BOTH, Effect="Deny"), FAIL, f"send state changes: {AWAY}, {FAR}."),
        (lambda cells: cells.policy(BOTH, Condition=only("aws.ec2")), WARN, f"send changed tags: {AWAY}, {FAR}."),
        (
            lambda cells: cells.policy("*", Condition=of_organisation()),
            WARN,
            f"of {AWAY}, {FAR} depends on",
        ),
        (lambda cells: cells.policy({"AWS": [role_in(AWAY), account_of(FAR)]}), WARN, f"of {AWAY} depends on"),
        (hub_hears(HEARD, account=[ACCOUNT]), FAIL, f"to the function: {AWAY}, {FAR}. Rule {HEARD}: it asks for acc"),
        (hub_hears(HEARD, region=["us-west-2"]), FAIL, f"to the function: {EAST}, {AWAY}."),
        (hub_hears(HEARD, account=[ACCOUNT, account_of(AWAY), account_of(FAR)]), PASS, "takes events of"),
        (hub_hears(HEARD, account=[account_of(AWAY)]), FAIL, f"to the function: {EAST}, {FAR}."),
        (hub_hears(HEARD, **{"$or": [{"account": [ACCOUNT]}, {"region": ["us-west-2"]}]}), FAIL, f"function: {AWAY}."),
        (
            hub_hears("ElephantTagWatch", account=[ACCOUNT]),
            WARN,
            f"changed tags of these cells to the function: {AWAY[:4]}",
        ),
        (lambda cells: deny(cells.clouds, "DescribeEventBus"), WARN, "events:DescribeEventBus"),
        (lambda cells: deny(cells.clouds, "ListRuleNamesByTarget"), SKIP, "the rules here cannot be looked at"),
        (lambda cells: cells.deployment.of("events").disable_rule(Name=HEARD), SKIP, "no rule brings state changes"),
    ],
)
def test_the_hub_takes_and_hears_the_events_of_every_cell(
    cells: Cells, build: Callable[[Cells], object], status: Status, seen: str
) -> None:
    build(cells)
    (said,) = cells.said(FORWARDING)
    assert (said.status, seen in said.seen) == (status, True), said


def only(source: str) -> dict[str, object]:
    return {"ForAllValues:StringEquals": {"events:source": source}}


def of_organisation() -> dict[str, object]:
    return {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}


# Where it looks from.


def test_cells_that_name_the_place_alone_change_nothing(cells: Cells, clouds: Clouds) -> None:
    launched(HUB, "m1")
    calls = []
    for changes in ({}, {"CELLS": HUB}):
        clouds.aws.requests.clear()
        diagnosis = examined(clouds, **changes)
        calls.append((Counter(clouds.aws.operations()), [(check.id, check.status) for check in diagnosis.checks]))
    assert calls[0] == calls[1]


def test_a_hub_without_machines_is_said_to_be_none_of_its_cells(cells: Cells) -> None:
    (said,) = cells.said("owner-id", cells=[EAST])
    assert (said.status, f"{HUB}, where arn:aws:lambda:us-west-2" in said.seen) == (PASS, True)
    checks = cells.said(*OF_CELLS, cells=[EAST])
    assert ([check.status for check in checks], len(about(checks, EAST))) == ([PASS] * 4, 3)


def test_a_place_that_is_no_cell_and_has_no_function_warns(clouds: Clouds, deployment: Deployment) -> None:
    elsewhere = Cells(deployment)
    said = {check.id: check for check in elsewhere.said("owner-id", "function", *OF_CELLS, cells=[EAST])}
    assert (said["owner-id"].status, f"{HUB}, which these credentials" in said["owner-id"].seen) == (WARN, True)
    assert "If another place is the hub, set AWS_PROFILE or AWS_REGION." in said["function"].fix
    assert (said["cell-machines"].status, said["cell-state-changes"].status) == (PASS, SKIP)


def test_without_the_account_of_the_credentials_cells_are_skipped(cells: Cells, clouds: Clouds) -> None:
    deny(clouds, "GetCallerIdentity")
    checks = cells.said("project-tag", *OF_CELLS)
    assert {(check.status, "account of these credentials" in check.seen) for check in checks} == {(SKIP, True)}


# What other checks make of cells.


def test_the_tag_is_looked_for_in_every_cell(cells: Cells, clouds: Clouds) -> None:
    machine = launched(AWAY, "m1")
    clouds.aws.rows.put("m1", status="LAUNCHED", teacher_ec2_id=machine)
    (said,) = cells.said("project-tag")
    assert said.seen == "Of 1 machines that live meetings name, 1 have the tag Project=Elephant."
    (said,) = cells.said("project-tag", PROJECT_TAG="Project=Other")
    assert (said.status, f"1 of them run in 4 cells without it, such as {machine}" in said.seen) == (FAIL, True)


def test_marks_of_all_cells_are_this_deployments(cells: Cells, clouds: Clouds) -> None:
    machine = launched(AWAY, "m1")
    clouds.aws.rows.put("m1", status="LAUNCHED", teacher_ec2_id=machine)
    ids = ("other-owners", "marks-outside-domain", "shared-machines")
    clouds.seed(machine, "192.0.2.1", comment=f"elephant-dns:{AWAY} teacher of m1")
    assert [check.status for check in cells.said(*ids)] == [PASS, PASS, PASS]
    clouds.cloudflare.seed(f"{machine}.old.example.com", "192.0.2.1", comment=f"elephant-dns:{EAST} x")
    removed = [cell for cell in CELLS if cell != AWAY]
    others, outside, shared = cells.said(*ids, cells=removed)
    assert (others.status, f"{AWAY} 1." in others.seen, "CELLS set to it alone" in others.fix) == (WARN, True, True)
    assert (outside.status, "under old.example.com 1." in outside.seen) == (WARN, True)
    assert shared.status is FAIL


@pytest.mark.parametrize(
    ("there", "status", "seen"),
    [
        ({"CELLS": ",".join(reversed(CELLS))}, PASS, "has the same cells"),
        ({"CELLS": ",".join(CELLS[:3])}, FAIL, f"undo each other: CELLS has {FAR} only here."),
        ({}, FAIL, f"CELLS has {EAST}, {AWAY}, {FAR} only here."),
        (
            {"CELLS": ",".join(CELLS), "CELL_EXTERNAL_ID": "other"},
            WARN,
            f"CELL_EXTERNAL_ID is {EXTERNAL_ID} here and other there",
        ),
        ({"CELLS": ",".join(CELLS), "CELL_ROLE": ""}, WARN, f"CELL_ROLE is {ROLE} here and not set there"),
    ],
)
def test_the_function_is_to_have_the_same_cells(
    deployment: Deployment, there: dict[str, str], status: Status, seen: str
) -> None:
    role = {"CELL_ROLE": ROLE, "CELL_EXTERNAL_ID": EXTERNAL_ID} if there else {}
    deployment.function(**{**role, **there})  # type: ignore[arg-type]  # strings of the environment
    (said,) = Cells(deployment).said("function-settings")
    assert (said.status, seen in said.seen) == (status, True), said.seen


def test_a_plan_that_leaves_out_a_cell_is_not_compared(cells: Cells) -> None:
    no_stack(cells)
    (said,) = cells.said("invocation", invoke=True)
    assert (said.status, f"a pass from here cannot read {AWAY}" in said.seen) == (SKIP, True)
