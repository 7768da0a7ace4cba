"""Whether a policy allows a call: IAM's wildcards, its order of effects, and the condition keys that our policies use.

The reading of the keys is that of AWS's pages "Using IAM policy conditions for fine-grained access control" (DynamoDB),
"Using source function ARN to control function access behavior" (Lambda) and "IAM JSON policy elements: Condition
operators". An operator or a key that is not known here fails, so that nothing passes unseen.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from controller.sandbox.aws import SECRET
from controller.sandbox.aws_http import operation_of
from controller.sandbox.cloudflare.exchange import Exchange
from tests.infra.cloudformation import ACCOUNT, REGION

Statement = dict[str, Any]
#: What a request tells IAM about itself: each key with its values.
Context = tuple[tuple[str, tuple[str, ...]], ...]
#: The same as a test writes it; None stands for a key that the request does not have.
Keys = Mapping[str, str | Iterable[str] | None]


@dataclass(frozen=True, order=True)
class Permission:
    """One action on one resource, with what the request tells about itself."""

    action: str
    resource: str
    context: Context = ()

    def with_keys(self, keys: Keys) -> "Permission":
        """The same request with these keys; None takes a key away."""
        found = dict(self.context)
        for key, values in keys.items():
            if values is None:
                found.pop(key, None)
            else:
                found[key] = (values,) if isinstance(values, str) else tuple(values)
        return replace(self, context=tuple(sorted(found.items())))


def statements(documents: Iterable[dict[str, Any]]) -> list[Statement]:
    """All statements of these policy documents."""
    return [statement for document in documents for statement in document["Statement"]]


def allows(policy: Iterable[Statement], wanted: Permission) -> bool:
    """Whether a statement allows this call and none denies it."""
    effects = {statement["Effect"] for statement in policy if _applies(statement, wanted)}
    return effects == {"Allow"}


def listed(value: str | list[str]) -> list[str]:
    """IAM takes a single value for a list of one."""
    return [value] if isinstance(value, str) else value


def conditions(statement: Statement) -> list[tuple[str, str]]:
    """Each operator and key of the statement's condition."""
    return [(operator, key) for operator, keys in statement.get("Condition", {}).items() for key in keys]


def without(statement: Statement, operator: str, key: str) -> Statement:
    """The statement with this key taken out of its condition."""
    kept = {
        one: {name: values for name, values in keys.items() if (one, name) != (operator, key)}
        for one, keys in statement["Condition"].items()
    }
    return {**statement, "Condition": kept}


def _applies(statement: Statement, wanted: Permission) -> bool:
    return (
        _matches(statement["Action"], wanted.action)
        and _matches(statement["Resource"], wanted.resource)
        and all(
            _met(operator, listed(expected), dict(wanted.context).get(key))
            for operator, keys in statement.get("Condition", {}).items()
            for key, expected in keys.items()
        )
    )


def _met(operator: str, expected: list[str], actual: tuple[str, ...] | None) -> bool:
    """Whether one key fits. An absent key fits only ``…IfExists`` and ``ForAllValues``."""
    for_all = operator.startswith("ForAllValues:")
    if_exists = operator.endswith("IfExists")
    base = operator.removeprefix("ForAllValues:").removesuffix("IfExists")
    if base not in {"StringEquals", "StringLike", "ArnLike", "ArnEquals"}:
        raise NotImplementedError(operator)
    if actual is None:
        return for_all or if_exists
    assert for_all or len(actual) == 1, "A key with several values needs ForAllValues."
    if base == "StringEquals":
        return all(value in expected for value in actual)
    return all(_matches(expected, value) for value in actual)


def _matches(patterns: str | list[str], text: str) -> bool:
    # In IAM `*` and `?` are the only wildcards; fnmatch would know brackets too.
    return any(re.fullmatch(re.escape(one).replace(r"\*", ".*").replace(r"\?", "."), text) for one in listed(patterns))


def permission(exchange: Exchange) -> Permission:
    """What IAM is asked before it lets this request through."""
    operation = operation_of(exchange)
    if operation == "DescribeInstances":
        return Permission("ec2:DescribeInstances", "*").with_keys({"ec2:Region": REGION})
    body = json.loads(exchange.request.content)
    if operation == "GetSecretValue":
        return Permission("secretsmanager:GetSecretValue", secret(body["SecretId"]))
    index = f"/index/{body['IndexName']}" if "IndexName" in body else ""
    wanted = Permission(f"dynamodb:{operation}", table(body["TableName"] + index))
    return wanted.with_keys(_of_dynamodb(operation, body))


def _of_dynamodb(operation: str, body: Mapping[str, Any]) -> Keys:
    """DynamoDB's keys: the attributes that a request names in whatever expression, and what it wants returned."""
    names: dict[str, str] = body.get("ExpressionAttributeNames", {})
    expressions = " ".join(str(value) for key, value in body.items() if key.endswith("Expression"))
    # Names stand for themselves nowhere in our expressions: "status" is a reserved word.
    assert not re.findall(r"(?<![#:\w])(?:id|status|\w+_ec2_\w+|\w+_time|\w+_reason)\b", expressions), expressions
    named = {names[word] for word in re.findall(r"#\w+", expressions)}
    keys: dict[str, str | Iterable[str] | None] = {
        "dynamodb:Attributes": sorted(named | set(body.get("Key", {}))) or None
    }
    if "Key" in body:
        keys["dynamodb:LeadingKeys"] = body["Key"]["id"]["S"]
    if operation == "UpdateItem":
        keys["dynamodb:ReturnValues"] = body.get("ReturnValues", "NONE")
    else:
        projected = "SPECIFIC_ATTRIBUTES" if "ProjectionExpression" in body else "ALL_ATTRIBUTES"
        keys["dynamodb:Select"] = body.get("Select", projected)
    return keys


def table(name: str) -> str:
    """The ARN of a table, or of its index, named as in a request."""
    return name if name.startswith("arn:") else f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"


def secret(name: str = SECRET, suffix: str = "a1B2c3") -> str:
    """A secret's ARN: Secrets Manager adds six random characters."""
    return f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-{suffix}"


def function(name: str = "ElephantDNSWatchdog") -> str:
    """A function's ARN."""
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
