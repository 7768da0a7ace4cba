"""A deployment with cells in two more accounts: what the templates make, and an IAM that asks for role and external id.

moto keeps accounts and regions apart, and lets everybody take every role, so the judge of roles stands before it.
"""

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs

from moto.events.models import EventsBackend, events_backends

from controller.doctor.diagnosis import Check, side_by_side
from controller.doctor.examine import parts_for
from controller.sandbox.aws import ACCOUNT
from controller.sandbox.aws_http import MOTO_LOCK
from controller.sandbox.cloudflare import Proceed, Reply, Request
from tests.support.cells import AWAY, BUS, EAST, HUB
from tests.system.doctor.deployed import FUNCTION, PATTERN, TAG_PATTERN, Deployment, looked, name_of

FAR = "310987654321/us-west-2"
CELLS = (HUB, EAST, AWAY, FAR)
ROLE, EXTERNAL_ID = "ElephantDNSCell", "pupils"
STATE, TAGS = "ElephantCellStateWatch", "ElephantCellTagWatch"
OF_CELLS = ("cell-role", "cell-machines", "cell-state-changes", "cell-tag-changes", "cell-forwarding")
#: What the cell's role may do only where PeopleArns is given.
OF_PEOPLE = {"ListRuleNamesByTarget", "ListTargetsByRule", "DescribeRule"}


def account_of(cell: str) -> str:
    return cell.partition("/")[0]


def role_in(cell: str, name: str = ROLE) -> str:
    return f"arn:aws:iam::{account_of(cell)}:role/{name}"


def about(checks: list[Check], cell: str) -> dict[str, Check]:
    """What is said of a cell, by id."""
    found = [check for check in checks if check.seen.startswith(f"Cell {cell}: ")]
    assert len({check.id for check in found}) == len(found)
    return {check.id: check for check in found}


class Cells:
    """The hub and its cells."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment, self.clouds = deployment, deployment.clouds
        self.trust = {role_in(AWAY): EXTERNAL_ID, role_in(FAR): EXTERNAL_ID}
        """Each role that can be taken, and the external id that it asks for."""
        self.people = True
        """Whether the cells' stacks have PeopleArns."""
        self.not_enabled: set[str] = set()
        """Regions that an account must opt in to."""
        self.clouds.aws.intercept = self._judged

    def whole(self, *cells: str) -> None:
        """What the templates make, for these cells."""
        self.deployment.whole()
        self.policy({"AWS": [account_of(cell) for cell in cells if account_of(cell) != ACCOUNT]})
        for cell in cells:
            if cell != HUB:
                self.rule(cell, STATE, PATTERN)
                self.rule(cell, TAGS, TAG_PATTERN)

    def policy(self, principal: Any, **changes: Any) -> None:
        """The policy of the hub's bus, as the template makes it, with these changes."""
        condition = {"ForAllValues:StringEquals": {"events:source": ["aws.ec2", "aws.tag"]}}
        statement = {"Sid": "Cells", "Effect": "Allow", "Principal": principal, "Action": "events:PutEvents"}
        document = {"Statement": [{**statement, "Resource": BUS, "Condition": condition, **changes}]}
        self.deployment.of("events").put_permission(EventBusName="default", Policy=json.dumps(document))

    def rule(
        self, cell: str, name: str, pattern: Any, *, target: str = BUS, role: str | None = "", on: bool = True
    ) -> None:
        """Create or change a rule of a cell; by default its role is one of the cell's account."""
        by = {} if role is None else {"RoleArn": role or role_in(cell, "Forward")}
        with MOTO_LOCK:
            backend = self._rules(cell)
            backend.put_rule(name, event_pattern=json.dumps(pattern), state="ENABLED" if on else "DISABLED")
            backend.remove_targets(name, None, ["hub"])
            backend.put_targets(name, None, [{"Id": "hub", "Arn": target, **by}])

    def rule_of_hub(self, name: str, pattern: Any) -> None:
        """Another pattern for a rule of the hub, which keeps its target."""
        self.deployment.of("events").put_rule(Name=name, EventPattern=json.dumps(pattern))

    def without_target(self, cell: str, name: str) -> None:
        """The rule is there, and sends to nobody."""
        with MOTO_LOCK:
            self._rules(cell).remove_targets(name, None, ["hub"])

    def said(self, *ids: str, cells: Iterable[str] = CELLS, invoke: bool = False, **changes: Any) -> list[Check]:
        """What the doctor says by the checks with these ids, with no other part than theirs."""
        environment = {"CELLS": ",".join(cells), "CELL_ROLE": ROLE, "CELL_EXTERNAL_ID": EXTERNAL_ID, **changes}
        look = looked(self.clouds, FUNCTION, invoke, **environment)
        with self.clouds.exported():
            parts = [part for part in parts_for(look) if set(ids) & set(part.ids)]
            found = side_by_side(parts, look, look.budget)
        look.close()
        return [check for check in found if check.id in ids]

    def without_stack(self, cell: str) -> None:
        """Nobody can take the cell's role."""
        del self.trust[role_in(cell)]

    @staticmethod
    def _rules(cell: str) -> EventsBackend:
        account, _, region = cell.partition("/")
        return events_backends[account][region]

    def _judged(self, request: Request, proceed: Proceed) -> Reply:
        operation, signed = name_of(request), request.headers.get("authorization", "")
        if operation == "AssumeRole":
            asked = parse_qs(request.content.decode())
            (role,), external = asked["RoleArn"], asked.get("ExternalId", [None])[0]
            if role not in self.trust or self.trust[role] not in (None, external):
                text = (
                    f"User: {role_in(HUB, 'oncall')} is not authorized to perform: sts:AssumeRole on resource: {role}"
                )
                return _xml("AccessDenied", text)
        if any(f"/{region}/" in signed for region in self.not_enabled):
            if operation == "DescribeInstances":
                return _xml("AuthFailure", "AWS was not able to validate the provided access credentials")
            return _json(400, "UnrecognizedClientException")
        if operation in OF_PEOPLE and "=sandbox/" not in signed and not self.people:
            return _json(400, "AccessDeniedException")
        return proceed()


def _xml(code: str, text: str) -> Reply:
    error = f"<Error><Code>{code}</Code><Message>{text}</Message></Error>"
    if code == "AccessDenied":
        return Reply.text(403, f"<ErrorResponse>{error}</ErrorResponse>", "text/xml")
    return Reply.text(401, f"<Response><Errors>{error}</Errors></Response>", "text/xml")


def _json(status: int, code: str) -> Reply:
    return Reply.text(status, json.dumps({"__type": code, "message": "Said the test."}), "application/x-amz-json-1.1")
