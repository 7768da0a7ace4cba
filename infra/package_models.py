"""Cut botocore's service models down to the operations in use: reading EC2's alone takes half of a function's start."""

import gzip
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

#: Every operation that the function calls, by the service's name in botocore. No other place repeats this.
OPERATIONS: Mapping[str, tuple[str, ...]] = {
    "dynamodb": ("GetItem", "Query", "Scan", "UpdateItem"),
    "ec2": ("DescribeInstances",),
    "secretsmanager": ("GetSecretValue",),
}

#: Files that a client loads. A service's other files are for paginators, waiters and documentation.
_LOADED = ("service-2.", "endpoint-rule-set-1.")


def cut(data: Path) -> None:
    """Remove from botocore's data folder what clients for OPERATIONS do not load.

    Raises SystemExit if this botocore does not know a service or an operation.
    """
    for service in data.iterdir():
        if service.is_dir() and service.name not in OPERATIONS:
            shutil.rmtree(service)
    for name, operations in OPERATIONS.items():
        _cut_service(data / name, operations)
    _cut_endpoints(data / "endpoints.json")


def reduced(model: Mapping[str, Any], service: str, operations: tuple[str, ...]) -> dict[str, Any]:
    """Return the model with these operations and the shapes that they need, without documentation."""
    missing = sorted(set(operations) - set(model["operations"]))
    if missing:
        raise SystemExit(
            f"botocore's model of {service} has no operation {', '.join(missing)}: correct OPERATIONS in {__name__}, "
            "or lock another botocore."
        )
    kept = {name: _bare(model["operations"][name]) for name in operations}
    shapes: dict[str, Any] = {}
    waiting = list(_references(kept))
    while waiting:
        name = waiting.pop()
        if name not in shapes:
            shapes[name] = _bare(model["shapes"][name])
            waiting += _references(shapes[name])
    return {**_bare(model), "operations": kept, "shapes": dict(sorted(shapes.items()))}


def _cut_service(folder: Path, operations: tuple[str, ...]) -> None:
    if not folder.is_dir():
        raise SystemExit(f"botocore has no service {folder.name}: correct OPERATIONS in {__name__}.")
    *older, newest = sorted(version for version in folder.iterdir() if version.is_dir())  # botocore takes the newest
    for version in older:
        shutil.rmtree(version)
    for file in newest.iterdir():
        if not file.name.startswith(_LOADED):
            file.unlink()
    (whole,) = newest.glob("service-2.json*")
    text = gzip.decompress(whole.read_bytes()) if whole.suffix == ".gz" else whole.read_bytes()
    whole.unlink()
    _write(reduced(json.loads(text), folder.name, operations), newest / "service-2.json")


def _cut_endpoints(file: Path) -> None:
    """Keep each partition's endpoints of our services. botocore finds the others by its defaults."""
    endpoints = json.loads(file.read_bytes())
    for partition in endpoints["partitions"]:
        services = partition["services"]
        partition["services"] = {name: services[name] for name in OPERATIONS if name in services}
    _write(endpoints, file)


def _write(content: Any, file: Path) -> None:
    file.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")


def _references(value: Any) -> Iterator[str]:
    """Yield every shape that the value names. A member may be called "shape" too, but is not a string."""
    if isinstance(value, dict):
        if isinstance(value.get("shape"), str):
            yield value["shape"]
        for part in value.values():
            yield from _references(part)
    elif isinstance(value, list):
        for part in value:
            yield from _references(part)


def _bare(value: Any) -> Any:
    """Return the value without documentation. A member may be called "documentation" too, but is not a string."""
    if isinstance(value, dict):
        return {key: _bare(part) for key, part in value.items() if key != "documentation" or not isinstance(part, str)}
    return [_bare(part) for part in value] if isinstance(value, list) else value
