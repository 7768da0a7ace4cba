"""The first version in the sandbox: what doctor and plan say of it, and the switch to this program."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from controller.bootstrap import build
from controller.doctor.diagnosis import Status
from controller.doctor.examine import examine
from controller.model import Mode, Request
from controller.report.report import Report
from controller.runtime.budget import Budget
from controller.sandbox import demo, first_version
from controller.sandbox.aws import AwsServer, exported
from controller.sandbox.cloudflare import CloudflareServer
from controller.sandbox.edge import Edge
from controller.sandbox.first_version import FUNCTION, RULE, SECRET
from controller.sandbox.stage import Stage
from controller.settings import read_settings
from tests.support.clock import FastClock

OWNER = "elephant-dns:123456789012/us-west-2"


@dataclass
class ByHand:
    """The world of a first version."""

    aws: AwsServer
    cloudflare: CloudflareServer
    variables: Mapping[str, str]

    def report(self, mode: Mode, **changes: str) -> Report:
        with exported(self.variables):
            controller = build(read_settings({**self.variables, **changes}))
        try:
            return controller.run(Request(mode), 600)
        finally:
            controller.close()

    def rules(self, mode: Mode = Mode.PLAN, **changes: str) -> Counter[str]:
        return Counter(result.change.rule for result in self.report(mode, **changes).results)

    def said(self) -> dict[str, tuple[Status, str]]:
        with exported(self.variables):
            diagnosis = examine(self.variables, FUNCTION, Budget(FastClock(), 600))
        return {check.id: (check.status, check.seen) for check in diagnosis.checks}


@pytest.fixture
def by_hand() -> Iterator[ByHand]:
    with AwsServer() as aws, CloudflareServer(demo.DOMAIN_ROOT) as cloudflare, Edge(cloudflare) as edge:
        first_version.seed(aws, cloudflare)
        yield ByHand(aws, cloudflare, first_version.environment(aws, cloudflare, edge))


def test_doctor_and_plan_say_what_is_there_and_write_nothing(by_hand: ByHand) -> None:
    before = by_hand.cloudflare.records()
    said = by_hand.said()
    assert said["secret"] == (
        Status.PASS,
        f"Secret {SECRET} can be read and holds a token under CLOUDFLARE_API_TOKEN.",
    )
    assert said["function-code"][0] is Status.FAIL
    assert {said[id][0] for id in ("function-timeout", "function-settings")} == {Status.SKIP}, "nobody repairs it"
    assert "never fires: it asks for detail.tags" in said["state-changes"][1]
    assert f"function {FUNCTION}, rule {RULE}." in said["stack-names"][1]
    failed = {id for id, (status, _) in said.items() if status is Status.FAIL}
    assert failed == {"function-code", "state-changes"}, "the rest of the world is in order"

    planned = by_hand.report(Mode.PLAN)
    rules = Counter(result.change.rule for result in planned.results)
    assert rules == {"record-serving": 2, "record-adopted": 5, "link-current": 2, "meeting-over": 1}
    assert {finding.id for finding in planned.findings} == {
        "instance-not-seen",
        "terminated-meeting-alive",
        "unmarked-record",
    }
    assert by_hand.cloudflare.records() == before
    assert by_hand.rules(ADOPT_UNMARKED="true")["record-gone"] == 1


def test_switch_serves_everybody_and_marks_every_record(by_hand: ByHand) -> None:
    events, functions = by_hand.aws.client("events"), by_hand.aws.client("lambda")
    events.remove_targets(Rule=RULE, Ids=["1"])
    events.delete_rule(Name=RULE)
    functions.delete_function(FunctionName=FUNCTION)
    assert by_hand.report(Mode.APPLY).ended_well
    assert by_hand.rules() == {}
    names = {
        f"{machine.id}.example.com": machine.address
        for machine in by_hand.aws.machines.all().values()
        if machine.state == "running"
    }
    ours = {
        record["name"]: record["content"]
        for record in by_hand.cloudflare.records()
        if str(record["comment"]).startswith(OWNER)
    }
    assert ours == names
    assert by_hand.said()["stack-names"][0] is Status.PASS


def test_first_version_is_served_with_what_can_be_pasted() -> None:
    shown = list[str]()
    assert first_version.run(Stage(shown.append, 100, colour=False), wait=lambda: None) == 0
    text = "\n".join(shown)
    assert f"export SECRET_ARN={SECRET}" in text
    assert set(first_version.SWITCH) <= {line.strip() for line in text.splitlines()}
    assert text.rstrip().endswith("elephant-dns plan")
