"""One deployment, several accounts and regions: moto keeps them apart by the request's region and credentials."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest

import handler
from controller.errors import IncompleteError, SettingsError
from controller.model import Mode
from controller.model import Request as Pass
from controller.sandbox.aws import REGION
from controller.sandbox.aws_http import operation_of
from controller.sandbox.cloudflare import Reply
from controller.sandbox.cloudflare.exchange import Exchange
from tests.support.build import link, name
from tests.support.cells import AWAY, CELLS, EAST, HUB, lessons, machines_of, marks, refuse
from tests.support.events import batch, state_change
from tests.support.lambda_runtime import LambdaContext
from tests.support.servers import Clouds


@pytest.fixture
def fleet(clouds: Clouds) -> dict[str, str]:
    """One lesson in each cell: cell → the teacher's machine."""
    return lessons(clouds)


def assumed(clouds: Clouds) -> Iterator[dict[str, list[str]]]:
    """What each AssumeRole asked for."""
    for exchange in clouds.aws.requests:
        if operation_of(exchange) == "AssumeRole":
            yield parse_qs(exchange.request.content.decode())


def test_machines_of_all_cells_are_served_in_one_pass(clouds: Clouds, fleet: dict[str, str]) -> None:
    report = clouds.apply(**CELLS)
    assert report.complete
    assert marks(clouds) == {name(machine): cell for cell, machine in fleet.items()}
    rows = clouds.aws.rows.all()
    assert [rows[f"m-{n}"]["teacher_ec2_link"] for n in range(3)] == [link(machine) for machine in fleet.values()]
    assert [(cell.name, cell.instances) for cell in report.cells] == [(HUB, 1), (EAST, 1), (AWAY, 1)]
    assert not clouds.apply(**CELLS).results


def test_the_role_is_assumed_in_other_accounts_alone(clouds: Clouds, fleet: dict[str, str]) -> None:
    clouds.aws.requests.clear()
    controller = clouds.controller(**CELLS)
    for _ in range(2):
        controller.run(Pass(Mode.PLAN), 30)
    (asked,) = assumed(clouds)
    assert asked["RoleArn"] == ["arn:aws:iam::210987654321:role/ElephantDNSCell"]
    assert asked["ExternalId"] == ["pupils"]
    assert clouds.aws.operations().count("DescribeInstances") == 6


@pytest.mark.parametrize(
    ("operation", "region", "away"),
    [("AssumeRole", None, AWAY), ("DescribeInstances", "us-east-1", EAST), ("DescribeInstances", REGION, HUB)],
)
def test_a_cell_that_cannot_be_read_stops_nobody_else(
    clouds: Clouds, fleet: dict[str, str], operation: str, region: str | None, away: str
) -> None:
    refuse(clouds, operation, region)
    report = clouds.apply(**CELLS)
    assert not report.complete
    assert set(marks(clouds).values()) == {HUB, EAST, AWAY} - {away}
    (finding,) = (f for f in report.findings if f.id == "cell-not-read")
    assert finding.key == away
    assert [cell.name for cell in report.cells if cell.error] == [away]
    clouds.aws.intercept = None
    assert clouds.apply(**CELLS).complete
    assert set(marks(clouds).values()) == {HUB, EAST, AWAY}


def test_records_of_an_unread_cell_stay_and_no_meeting_ends(clouds: Clouds, fleet: dict[str, str]) -> None:
    clouds.apply(**CELLS)
    for cell, machine in fleet.items():
        machines_of(cell).terminate(machine)
    refuse(clouds, "DescribeInstances", "us-east-1")
    clouds.apply(**CELLS)
    assert set(marks(clouds).values()) == {EAST}
    assert {row["status"] for row in clouds.aws.rows.all().values()} == {"DNS_WRITTEN"}
    clouds.aws.intercept = None
    clouds.apply(**CELLS)
    assert marks(clouds) == {}
    assert {row["status"] for row in clouds.aws.rows.all().values()} == {"TERMINATED"}


def test_expired_credentials_of_a_cell_stop_nobody_else(clouds: Clouds, fleet: dict[str, str]) -> None:
    keys = "<AccessKeyId>A</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
    old = f"<Credentials>{keys}<Expiration>2020-01-01T00:00:00Z</Expiration></Credentials>"
    reply = Reply.text(200, f"<R><AssumeRoleResult>{old}</AssumeRoleResult></R>", "text/xml")
    clouds.aws.intercept = lambda asked, go: reply if operation_of(Exchange(asked)) == "AssumeRole" else go()
    report = clouds.apply(**CELLS)
    assert set(marks(clouds).values()) == {HUB, EAST}
    (error,) = (cell.error for cell in report.unread)
    assert "the refreshed credentials are still expired" in str(error)


def test_a_role_is_needed_for_another_account(clouds: Clouds) -> None:
    with pytest.raises(SettingsError, match=f"CELL_ROLE is not set, and the cell {AWAY}"):
        clouds.controller(CELLS=f"{HUB},{AWAY}")


def test_a_region_that_does_not_exist_is_named(clouds: Clouds) -> None:
    with pytest.raises(SettingsError, match="CELLS names 210987654321/zz-north-1, and zz-north-1 is not a region"):
        clouds.controller(**{**CELLS, "CELLS": f"{HUB},210987654321/zz-north-1"})


def test_all_cells_share_one_client_of_sts_which_is_closed(clouds: Clouds) -> None:
    places = f"{HUB},{AWAY},210987654322/eu-west-1"
    of = [
        each.meta.service_model.service_name
        for each in clouds.controller(**{**CELLS, "CELLS": places}).clients
        if hasattr(each, "meta")
    ]
    assert (of.count("sts"), of.count("ec2")) == (1, 4)


def from_cell(cell: str, machine: str) -> dict[str, object]:
    """A state change as the cell's rule forwards it."""
    account, _, region = cell.partition("/")
    return {**state_change(machine), "account": account, "region": region}


def handled(clouds: Clouds, event: object) -> dict[str, Any]:
    clouds.forget_function()
    try:
        with clouds.exported(**CELLS):
            return handler.lambda_handler(event, LambdaContext())
    finally:
        clouds.forget_function()


def test_forwarded_events_are_served_in_their_cells(clouds: Clouds, fleet: dict[str, str]) -> None:
    clouds.aws.requests.clear()
    handled(clouds, batch(*(from_cell(cell, machine) for cell, machine in fleet.items())))
    assert marks(clouds) == {name(machine): cell for cell, machine in fleet.items()}


def test_an_event_of_an_unknown_cell_is_a_finding(clouds: Clouds, fleet: dict[str, str]) -> None:
    report = handled(clouds, from_cell("999999999999/eu-west-1", fleet[HUB]))
    assert [(f["id"], f["key"]) for f in report["findings"]] == [("event-of-unknown-cell", "999999999999/eu-west-1")]
    assert clouds.records() == {}


def test_the_function_fails_after_the_other_cells_were_served(clouds: Clouds, fleet: dict[str, str]) -> None:
    refuse(clouds, "AssumeRole")
    with pytest.raises(IncompleteError, match=f"Cannot read the cell {AWAY}"):
        handled(clouds, {"action": "apply"})
    assert set(marks(clouds).values()) == {HUB, EAST}


def test_report_names_the_cell_of_each_change(clouds: Clouds, fleet: dict[str, str]) -> None:
    report = clouds.plan(**CELLS)
    assert {result.change.instance: report.cell_of(result.change.instance) for result in report.results} == {
        machine: cell for cell, machine in fleet.items()
    }


def test_the_message_of_a_machine_in_an_unread_cell_goes_back(clouds: Clouds, fleet: dict[str, str]) -> None:
    refuse(clouds, "DescribeInstances", "us-east-1")
    answer = handled(clouds, batch(*(from_cell(cell, machine) for cell, machine in fleet.items())))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert set(marks(clouds).values()) == {HUB, AWAY}
