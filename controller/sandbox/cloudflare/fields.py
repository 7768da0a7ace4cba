"""Read a request's body into normalised :class:`Fields`, or raise the first refusal.

Unknown keys are ignored, as ``zone_id``, ``zone_name`` and ``locked`` are (Cloudflare docs: API deprecations).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from controller.sandbox.cloudflare.errors import body_error, error
from controller.sandbox.cloudflare.naming import complete_name
from controller.sandbox.cloudflare.plans import Plan
from controller.sandbox.cloudflare.quirks import Quirks
from controller.sandbox.cloudflare.records import CONTENT_TYPES, DATA_TYPES, TYPES, Fields
from controller.sandbox.cloudflare.targets import canonical, check_proxiable

MAX_TTL = 86400
AUTOMATIC = 1
TAG = re.compile(r"[A-Za-z0-9_-]{1,32}(:.{0,100})?", re.DOTALL)

Body = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Rules:
    """What the checks need beside the body."""

    zone: str
    plan: Plan
    quirks: Quirks


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _is_list_of_text(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


SHAPES: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "type": (_is_text, "a string"),
    "name": (_is_text, "a string"),
    "content": (_is_text, "a string"),
    "ttl": (_is_number, "a number"),
    "proxied": (_is_flag, "a boolean"),
    "comment": (_is_text, "a string"),
    "tags": (_is_list_of_text, "an array of strings"),
    "settings": (_is_object, "an object"),
    "priority": (_is_number, "a number"),
    "data": (_is_object, "an object"),
    "private_routing": (_is_flag, "a boolean"),
}
EXTRAS = ("priority", "data", "private_routing")
CLEARABLE = ("comment", "tags", "settings")


def written(body: object) -> dict[str, object]:
    """Return the writable fields in a body, each with its JSON type checked. null clears what can be cleared."""
    if not isinstance(body, dict):
        raise body_error()
    given = {name: body[name] for name in SHAPES if name in body}
    for name, value in given.items():
        fits, kind = SHAPES[name]
        if not fits(value) and not (value is None and name in CLEARABLE):
            raise body_error(f"{name} must be {kind}.")
    return given


def normalise(given: Body, rules: Rules) -> Fields:
    """Return all fields of a record. The defaults are: DNS only, automatic TTL, no comment, no tags."""
    kind = _required(given, "type")
    if kind not in TYPES:
        raise body_error(f"{kind} is not a valid record type.")
    name = complete_name(_required(given, "name"), rules.zone, rules.quirks)
    content = _content(kind, given)
    proxied = bool(given.get("proxied", False))
    ttl = _ttl(given, proxied, rules)
    if proxied:
        check_proxiable(kind, content)
    return Fields(
        type=kind,
        name=name,
        content=content,
        ttl=ttl,
        proxied=proxied,
        comment=_comment(given.get("comment"), rules),
        tags=_tags(given.get("tags"), rules),
        settings=_mapping(given.get("settings")),
        extras={name: given[name] for name in EXTRAS if name in given},
    )


def unchecked(body: Body, zone: str) -> Fields:
    """Return a record as given, however wrong. Only a relative name is completed."""
    name, comment = str(body["name"]), body.get("comment")
    return Fields(
        type=str(body["type"]),
        name=name if name.lower().endswith(zone) else f"{name}.{zone}",
        content=str(body["content"]),
        ttl=cast(int, body["ttl"]),
        proxied=bool(body["proxied"]),
        comment=None if comment is None else str(comment),
        tags=tuple(cast(list[str], body.get("tags", []))),
        extras={name: body[name] for name in EXTRAS if name in body},
    )


def _required(given: Body, name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise body_error(f"{name} is a required field.")
    return value


def _mapping(value: object) -> dict[str, object]:
    return dict(value) if isinstance(value, dict) else {}


def _content(kind: str, given: Body) -> str:
    if kind in CONTENT_TYPES:
        if kind == "MX" and "priority" not in given:
            raise body_error("priority is a required field.")
        return canonical(kind, _required(given, "content"))
    data = given.get("data")
    if kind in DATA_TYPES and isinstance(data, dict):
        # The order of the components differs by type. Here it is enough that equal data give equal content.
        return " ".join(str(value) for _, value in sorted(data.items()))
    raise body_error("data is a required field.")


def _ttl(given: Body, proxied: bool, rules: Rules) -> int:
    """Return the TTL. A proxied record always has the automatic one: any value is accepted and comes back as 1."""
    if "ttl" not in given and rules.quirks.ttl_required:
        raise body_error("ttl is a required field.")
    ttl = given.get("ttl", AUTOMATIC)
    if proxied:
        return AUTOMATIC
    minimum = rules.plan.min_ttl
    if not isinstance(ttl, int | float) or (ttl != AUTOMATIC and not minimum <= ttl <= MAX_TTL):
        raise error(9021, minimum=minimum, maximum=MAX_TTL)
    return int(ttl)


def _comment(comment: object, rules: Rules) -> str | None:
    if not isinstance(comment, str) or not comment:
        return None
    length = len(comment.encode()) if rules.quirks.comment_counts_bytes else len(comment)
    if length > rules.plan.comment:
        raise error(9313, limit=rules.plan.comment)
    if not comment.isprintable():
        raise body_error("comment must consist of graphic characters.")
    return comment


def _tags(tags: object, rules: Rules) -> tuple[str, ...]:
    if not isinstance(tags, list):
        return ()
    if len(tags) > rules.plan.tags:
        raise error(9300, count=len(tags), quota=rules.plan.tags)
    if not all(TAG.fullmatch(tag) for tag in tags):
        raise body_error("tags must have the form name:value.")
    return tuple(tags)
