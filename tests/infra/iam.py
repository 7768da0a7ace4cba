"""Whether a policy allows a call: IAM's wildcards and its order of effects, as far as our policies use them."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from controller.sandbox.aws import SECRET
from controller.sandbox.aws_http import operation_of
from controller.sandbox.cloudflare.exchange import Exchange
from tests.infra.cloudformation import ACCOUNT, REGION

Statement = dict[str, Any]


@dataclass(frozen=True, order=True)
class Permission:
    """One action on one resource."""

    action: str
    resource: str


def statements(documents: Iterable[dict[str, Any]]) -> list[Statement]:
    """All statements of these policy documents."""
    return [statement for document in documents for statement in document["Statement"]]


def allows(policy: Iterable[Statement], wanted: Permission) -> bool:
    """Whether a statement allows this; ours deny nothing, and their conditions name the calling service only."""
    return any(
        _matches(statement["Action"], wanted.action) and _matches(statement["Resource"], wanted.resource)
        for statement in policy
        if statement["Effect"] == "Allow"
    )


def listed(value: str | list[str]) -> list[str]:
    """IAM takes one for a list of one."""
    return [value] if isinstance(value, str) else value


def _matches(patterns: str | list[str], text: str) -> bool:
    # In IAM `*` and `?` are the only wildcards; fnmatch would know brackets too.
    return any(re.fullmatch(re.escape(one).replace(r"\*", ".*").replace(r"\?", "."), text) for one in listed(patterns))


def permission(exchange: Exchange) -> Permission:
    """What IAM asks for before it lets this request through."""
    operation = operation_of(exchange)
    if operation == "DescribeInstances":
        return Permission("ec2:DescribeInstances", "*")
    body = json.loads(exchange.request.content)
    if operation == "GetSecretValue":
        return Permission("secretsmanager:GetSecretValue", secret(body["SecretId"]))
    index = f"/index/{body['IndexName']}" if "IndexName" in body else ""
    return Permission(f"dynamodb:{operation}", table(body["TableName"] + index))


def table(name: str) -> str:
    """The ARN of a table, or of its index, named as in a request."""
    return name if name.startswith("arn:") else f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"


def secret(name: str = SECRET, suffix: str = "a1B2c3") -> str:
    """A secret's ARN: Secrets Manager adds six random characters."""
    return f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-{suffix}"
