"""Filter a listing (Cloudflare API reference: List DNS Records).

All text filters ignore case, and names are compared complete. The former syntaxes (``name=contains:x``, ``name=a,b``)
are no longer special: they look for exactly that text, and so find nothing (Cloudflare docs: API deprecations).
"""

from collections.abc import Callable, Mapping

from controller.sandbox.cloudflare.errors import error
from controller.sandbox.cloudflare.query import Query
from controller.sandbox.cloudflare.records import Record

Filter = Callable[[Record], bool]
Compare = Callable[[str, str], bool]

COMPARISONS: Mapping[str, Compare] = {
    "exact": lambda text, wanted: text == wanted,
    "contains": lambda text, wanted: wanted in text,
    "startswith": lambda text, wanted: text.startswith(wanted),
    "endswith": lambda text, wanted: text.endswith(wanted),
}
TEXTS: Mapping[str, Callable[[Record], str]] = {
    "name": lambda record: record.fields.name,
    "content": lambda record: record.fields.content,
    "comment": lambda record: record.fields.comment or "",
}
FLAGS = {"true": True, "false": False}


def filter_of(query: Query) -> Filter:
    """Return one filter for the whole query. ``tag_match`` first joins the tag filters."""
    made = ((name, _filter(name, value)) for name, value in query.pairs)
    found = [(name, wanted) for name, wanted in made if wanted]
    tags = [wanted for name, wanted in found if name.partition(".")[0] == "tag"]
    others = [wanted for name, wanted in found if name.partition(".")[0] != "tag"]
    if tags:
        others.append(_join(tags, query.choice("tag_match", ("all", "any"))))
    return _join(others, query.choice("match", ("all", "any")))


def _join(filters: list[Filter], match: str) -> Filter:
    if match == "any" and filters:
        return lambda record: any(wanted(record) for wanted in filters)
    return lambda record: all(wanted(record) for wanted in filters)


def _filter(parameter: str, value: str) -> Filter | None:
    """Return the filter that a parameter asks for, if any."""
    name, _, how = parameter.partition(".")
    match name:
        case "name" | "content" | "comment":
            return _presence(name, how) or _text_filter(name, how or "exact", value)
        case "tag":
            return _tag_filter(how, value.lower())
        case "type" if not how:
            return lambda record: record.fields.type == value
        case "proxied" if not how:
            return _proxied_filter(value)
        case "search" if not how:
            return lambda record: any(value.lower() in text(record).lower() for text in TEXTS.values())
        case _:
            return None


def _presence(name: str, how: str) -> Filter | None:
    """Return the filter of ``comment.present`` or ``comment.absent``. Their values do not matter."""
    match name, how:
        case "comment", "present":
            return lambda record: record.fields.comment is not None
        case "comment", "absent":
            return lambda record: record.fields.comment is None
        case _:
            return None


def _text_filter(name: str, how: str, value: str) -> Filter | None:
    compare, text, wanted = COMPARISONS.get(how), TEXTS[name], value.lower()
    return compare and (lambda record: compare(text(record).lower(), wanted))


def _proxied_filter(value: str) -> Filter:
    if value not in FLAGS:
        raise error(9207, "proxied must be one of true, false.")
    return lambda record: record.fields.proxied is FLAGS[value]


def _tag_filter(how: str, value: str) -> Filter | None:
    """Return a tag filter: ``tag=name`` for the name, ``tag=name:value`` for the pair, others for one name's value."""
    name, colon, wanted = value.partition(":")
    match how or ("exact" if colon else "present"):
        case "present":
            return lambda record: name in _tags(record)
        case "absent":
            return lambda record: name not in _tags(record)
        case comparison:
            compare = COMPARISONS.get(comparison)
            return compare and (lambda record: name in _tags(record) and compare(_tags(record)[name], wanted))


def _tags(record: Record) -> dict[str, str]:
    pairs = (tag.lower().partition(":") for tag in record.fields.tags)
    return {name: value for name, _, value in pairs}
