"""Names: the one place that knows how an instance id becomes a record's name and a link, and back."""

import re
from typing import TypeGuard

INSTANCE_ID = re.compile(r"i-(?:[0-9a-f]{8}|[0-9a-f]{17})")


def is_instance_id(value: object) -> TypeGuard[str]:
    """Whether this is an instance id: ``i-`` and 8 or 17 lower-case hexadecimal digits (EC2's two forms)."""
    return isinstance(value, str) and INSTANCE_ID.fullmatch(value) is not None


def record_name(instance: str, domain_root: str) -> str:
    """The name at which the instance is found."""
    return f"{instance}.{domain_root}"


def instance_of_name(name: str, domain_root: str) -> str | None:
    """The instance id in a record's name, or None where the name is not one of ours to look at."""
    label, dot, rest = name.lower().partition(".")
    return label if dot and rest == domain_root and is_instance_id(label) else None


def link_to(instance: str, domain_root: str, port: int) -> str:
    """The join link of the instance."""
    return f"https://{instance}.{domain_root}:{port}"


def instance_of_link(link: object, domain_root: str, port: int) -> str | None:
    """The instance id in a link of our shape, or None for a link of another shape (or none)."""
    if not isinstance(link, str):
        return None
    text, tail = link.lower(), f".{domain_root}:{port}"
    if not (text.startswith("https://") and text.endswith(tail)):
        return None
    label = text[len("https://") : -len(tail)]
    return label if is_instance_id(label) else None


def is_under(domain: str, zone: str) -> bool:
    """Whether the domain is the zone's name or lies under it, at a label boundary."""
    return domain == zone or domain.endswith(f".{zone}")
