"""Turn DynamoDB's typed attributes into the rules' values, and back: strings, and odd values for conditions."""

import base64
import json
from typing import Any

from controller.model import NonString, Value


def value_of(attribute: Any) -> Value:
    """Return the value of a row's attribute: a string, None, or a NonString."""
    if attribute is None:
        return None
    if "S" in attribute:
        return str(attribute["S"])
    return NonString(next(iter(attribute)), json.dumps(_packed(attribute), sort_keys=True))


def attribute_of(value: Value) -> Any:
    """Return the attribute that a value came from, as boto3 sends it."""
    return _unpacked(json.loads(value.json)) if isinstance(value, NonString) else {"S": value}


def _packed(attribute: dict[str, Any]) -> dict[str, Any]:
    """Return the attribute with base64 for bytes, which JSON lacks. DynamoDB's type letters show where."""
    ((kind, content),) = attribute.items()
    match kind:
        case "B":
            return {kind: base64.b64encode(content).decode()}
        case "BS":
            return {kind: [base64.b64encode(item).decode() for item in content]}
        case _:
            return {kind: _inside(kind, content, _packed)}


def _unpacked(attribute: dict[str, Any]) -> dict[str, Any]:
    ((kind, content),) = attribute.items()
    match kind:
        case "B":
            return {kind: base64.b64decode(content)}
        case "BS":
            return {kind: [base64.b64decode(item) for item in content]}
        case _:
            return {kind: _inside(kind, content, _unpacked)}


def _inside(kind: str, content: Any, convert: Any) -> Any:
    match kind:
        case "L":
            return [convert(item) for item in content]
        case "M":
            return {name: convert(item) for name, item in content.items()}
        case _:
            return content
