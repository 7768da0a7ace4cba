"""The cells together: what the hub takes and hears of them, and what checks of the whole deployment make of them."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from controller.doctor.diagnosis import Status
from controller.sandbox.aws import ACCOUNT
from tests.support.cells import AWAY, EAST, HUB, in_cell
from tests.support.servers import Clouds
from tests.system.doctor.cell_world import (
    CELLS,
    EXTERNAL_ID,
    FAR,
    OF_CELLS,
    ROLE,
    Cells,
    about,
    account_of,
    role_in,
)
from tests.system.doctor.deployed import PATTERN, TAG_PATTERN, Deployment, deny, examined

FAIL, WARN, PASS, SKIP = Status.FAIL, Status.WARN, Status.PASS, Status.SKIP
FORWARDING = "cell-forwarding"


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
    in_cell(HUB, "m1")
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
    machine = in_cell(AWAY, "m1")
    clouds.aws.rows.put("m1", status="LAUNCHED", teacher_ec2_id=machine)
    (said,) = cells.said("project-tag")
    assert said.seen == "Of 1 machines that live meetings name, 1 have the tag Project=Elephant."
    (said,) = cells.said("project-tag", PROJECT_TAG="Project=Other")
    assert (said.status, f"1 of them run in 4 cells without it, such as {machine}" in said.seen) == (FAIL, True)


def test_marks_of_all_cells_are_this_deployments(cells: Cells, clouds: Clouds) -> None:
    machine = in_cell(AWAY, "m1")
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
    cells.without_stack(AWAY)
    (said,) = cells.said("invocation", invoke=True)
    assert (said.status, f"a pass from here cannot read {AWAY}" in said.seen) == (SKIP, True)


def test_cells_that_cannot_be_read_are_said_once(cells: Cells, clouds: Clouds) -> None:
    cells.not_enabled.add("us-east-1")
    cells.without_stack(AWAY)
    clouds.aws.rows.put("m1", status="LAUNCHED", teacher_ec2_id="i-0000000000000000a")
    listed, tag, *_ = cells.said("ec2:DescribeInstances", "project-tag")
    assert (listed.status, f"{EAST}, {AWAY}" in listed.seen) == (SKIP, True)
    assert (tag.status, "in a cell that cannot be read" in tag.seen) == (SKIP, True), "it may run there"
