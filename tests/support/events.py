"""Events as AWS sends them to the function."""

import json
from typing import Any

from tests.support.build import TEACHER


def state_change(instance: object = TEACHER, state: str = "running") -> dict[str, Any]:
    """What EC2 sends, after its documentation: the detail has no tags."""
    return {
        "version": "0",
        "id": "7bf73129-1428-4cd3-a780-95db273d1602",
        "detail-type": "EC2 Instance State-change Notification",
        "source": "aws.ec2",
        "account": "123456789012",
        "time": "2026-01-31T12:00:00Z",
        "region": "us-west-2",
        "resources": [f"arn:aws:ec2:us-west-2:123456789012:instance/{instance}"],
        "detail": {"instance-id": instance, "state": state},
    }


def batch(*bodies: object) -> dict[str, Any]:
    """What SQS sends to a function."""
    texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
    return {"Records": [{"messageId": f"m{n}", "eventSource": "aws:sqs", "body": t} for n, t in enumerate(texts)]}


BY_SCHEDULER = {"detail-type": "Scheduled Event", "source": "aws.scheduler", "detail": "{}"}
SCHEDULED = {"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}
