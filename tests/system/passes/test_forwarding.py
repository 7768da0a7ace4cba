"""An event in a cell, through its rule, the hub's bus, the hub's rule and queue, to the function: as the templates say.

moto is the EventBridge. It forwards as if the event came from the hub, for anyone, and by rules that are off. Here it
does as AWS documents it: the event keeps its account, region and resources, and the bus asks its policy.
"""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from moto.events.models import Rule, events_backends

import handler
from controller.sandbox.aws import exported
from tests.infra.cloudformation import ACCOUNT, Stack, stack
from tests.infra.iam import Permission, allows
from tests.support.build import name
from tests.support.cells import AWAY, BUS, CELLS, EAST, HUB, in_cell, machines_of, marks
from tests.support.events import batch, state_change, tag_change
from tests.support.lambda_runtime import LambdaContext
from tests.support.servers import Clouds, long_ago

OTHER = AWAY.partition("/")[0]
SEND_TO_TARGETS = Rule.send_to_targets
#: By what a cell's machine can be heard of.
KINDS: dict[str, Callable[..., dict[str, Any]]] = {"state": state_change, "tag": tag_change}


class World:
    """The hub and cells as their templates make them; what the cells' events have put into the hub's queue."""

    def __init__(self, clouds: Clouds) -> None:
        self.clouds = clouds
        self.hub = stack(Cells=str(CELLS["CELLS"]), CellRole=str(CELLS["CELL_ROLE"]), CellAccounts=OTHER)
        self.queues = self.client("sqs", HUB)
        (queue,) = [one for one in self.hub.resources("AWS::SQS::Queue").values() if "RedrivePolicy" in one]
        self.queue = self.queues.create_queue(QueueName=queue["QueueName"])["QueueUrl"]
        self._apply_rules(self.hub, HUB)

    def client(self, service: str, cell: str) -> Any:
        """A client in a cell: moto tells accounts apart by the role that is assumed."""
        account, _, region = cell.partition("/")
        with exported(self.clouds.environment()):
            keys: dict[str, Any] = {}
            if account != ACCOUNT:
                role = f"arn:aws:iam::{account}:role/anyone"
                found = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
                keys = {
                    "aws_access_key_id": found["AccessKeyId"],
                    "aws_secret_access_key": found["SecretAccessKey"],
                    "aws_session_token": found["SessionToken"],
                }
            return boto3.client(service, region_name=region, **keys)  # type: ignore[call-overload]  # any service

    def add(self, cell: str, **parameters: str) -> None:
        """Deploy infra/cell.yaml into a cell."""
        self._apply_rules(stack("cell.yaml", HubBusArn=BUS, **parameters), cell)

    def _apply_rules(self, deployed: Stack, cell: str) -> None:
        events = self.client("events", cell)
        for rule in deployed.resources("AWS::Events::Rule").values():
            if "EventPattern" in rule:
                pattern = json.dumps(rule["EventPattern"])
                events.put_rule(Name=rule["Name"], EventPattern=pattern, State=rule["State"])
                events.put_targets(Rule=rule["Name"], Targets=rule["Targets"])

    def takes(self, event: dict[str, Any], bus: str) -> bool:
        """Whether the policy of the hub's bus lets the event's account send it."""
        if event["account"] == ACCOUNT:
            return True
        policies = [one["Statement"] for one in self.hub.resources("AWS::Events::EventBusPolicy").values()]
        named = [one for one in policies if event["account"] in one["Principal"]["AWS"]]
        return allows(named, Permission("events:PutEvents", bus).with_keys({"events:source": [event["source"]]}))

    def launch(self, cell: str) -> str:
        """A machine in a cell, and its id in the row."""
        machine = in_cell(cell, "m-1")
        self.clouds.aws.rows.put("m-1", status="LAUNCHED", teacher_ec2_id=machine)
        return machine

    def happen(self, event: dict[str, Any], cell: str) -> None:
        """AWS says in a cell what has happened."""
        entry = {
            "Source": event["source"],
            "DetailType": event["detail-type"],
            "Detail": json.dumps(event["detail"]),
            "Resources": [one.replace(HUB.replace("/", ":"), cell.replace("/", ":")) for one in event["resources"]],
        }
        assert self.client("events", cell).put_events(Entries=[entry])["FailedEntryCount"] == 0

    def waiting(self) -> list[str]:
        """The messages in the hub's queue, which are gone then."""
        found = self.queues.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", [])
        return [one["Body"] for one in found]

    def handle(self) -> object:
        """Give the function what waits."""
        self.clouds.forget_function()
        with self.clouds.exported(**CELLS):
            return handler.lambda_handler(batch(*self.waiting()), LambdaContext())


@pytest.fixture
def world(clouds: Clouds, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(clouds)

    def send(rule: Rule, event: dict[str, Any], **_: object) -> None:
        if rule.state != "ENABLED" or not rule.event_pattern.matches_event(event):  # type: ignore[arg-type]  # moto's own type has no name for JSON
            return
        targets = rule.targets
        for target in targets:
            _, _, _, region, account, resource = target["Arn"].split(":", 5)
            if not resource.startswith("event-bus/"):
                rule.targets = [target]
                SEND_TO_TARGETS(rule, event, transform_input=False)  # type: ignore[arg-type]  # likewise
                rule.targets = targets
            elif world.takes(event, target["Arn"]):
                bus = events_backends[account][region].event_buses[resource.partition("/")[2]]
                for other in bus.rules.values():
                    send(other, event)

    monkeypatch.setattr(Rule, "send_to_targets", send)
    return world


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cell", [EAST, AWAY])
def test_event_of_a_cell_reaches_the_function(world: World, cell: str, kind: str) -> None:
    world.add(cell)
    machine = world.launch(cell)
    world.happen(KINDS[kind](machine), cell)
    world.clouds.aws.requests.clear()
    assert world.handle() == {"batchItemFailures": []}
    assert marks(world.clouds) == {name(machine): cell}
    assert world.clouds.aws.rows.all()["m-1"]["status"] == "DNS_WRITTEN"
    # The machine in its cell alone, then the meeting's others in each of the three.
    assert world.clouds.aws.operations().count("DescribeInstances") == 4


def test_record_goes_by_the_event_of_its_cell(world: World) -> None:
    world.add(AWAY)
    machine = world.launch(AWAY)
    world.happen(state_change(machine), AWAY)
    world.handle()
    machines_of(AWAY).terminate(machine)
    world.happen(state_change(machine, "shutting-down"), AWAY)
    world.handle()
    assert world.clouds.records() == {}


def test_event_of_an_account_that_is_not_named_is_lost(world: World) -> None:
    cell = "210987654322/eu-west-1"
    world.add(cell)
    world.happen(state_change(world.launch(cell)), cell)
    assert world.waiting() == []


@pytest.mark.parametrize("off", [{"Enabled": "false"}, None], ids=["disabled", "without a stack"])
def test_schedule_serves_a_cell_that_sends_nothing(world: World, off: dict[str, str] | None) -> None:
    if off:
        world.add(AWAY, **off)
    machine = world.launch(AWAY)
    world.happen(state_change(machine), AWAY)
    assert world.waiting() == []
    world.clouds.apply(**CELLS)
    assert marks(world.clouds) == {name(machine): AWAY}


def test_machine_of_another_project_is_sent_and_left_alone(world: World) -> None:
    world.add(EAST)
    stranger = machines_of(EAST).launch("m-1", "teacher", tags={"Project": "Other"}, launched_at=long_ago())
    world.happen(state_change(stranger), EAST)
    assert world.handle() == {"batchItemFailures": []}
    assert world.clouds.records() == {}
