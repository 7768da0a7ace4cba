"""A DNS record as a value, and as the API shows it (Cloudflare API reference: DNS Records)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

PROXIABLE_TYPES = frozenset({"A", "AAAA", "CNAME"})
ADDRESS_TYPES = frozenset({"A", "AAAA"})
CONTENT_TYPES = frozenset({"A", "AAAA", "CNAME", "MX", "NS", "OPENPGPKEY", "PTR", "TXT"})
# Clients write these through ``data``. Their ``content`` is read-only and built from it.
DATA_TYPES = frozenset(
    ["CAA", "CERT", "DNSKEY", "DS", "HTTPS", "LOC", "NAPTR", "SMIMEA", "SRV", "SSHFP", "SVCB", "TLSA", "URI"],
)
TYPES = CONTENT_TYPES | DATA_TYPES


@dataclass(frozen=True, slots=True)
class Fields:
    """What a client may write, already normalised: the complete lower-case name, TTL 1 if proxied."""

    type: str
    name: str
    content: str
    ttl: int = 1
    proxied: bool = False
    comment: str | None = None
    tags: tuple[str, ...] = ()
    settings: Mapping[str, object] = field(default_factory=dict)
    extras: Mapping[str, object] = field(default_factory=dict)
    """Fields that only some records have: ``priority``, ``data``, ``private_routing``."""

    def to_body(self) -> dict[str, object]:
        """Return the body that would write these fields again."""
        return {
            "type": self.type,
            "name": self.name,
            "content": self.content,
            "ttl": self.ttl,
            "proxied": self.proxied,
            "comment": self.comment,
            "tags": list(self.tags),
            "settings": dict(self.settings),
            **self.extras,
        }


@dataclass(frozen=True, slots=True)
class Record:
    """A stored record: its fields, its identity, and when each part last changed."""

    id: str
    fields: Fields
    created_on: datetime
    modified_on: datetime
    comment_modified_on: datetime | None = None
    tags_modified_on: datetime | None = None

    def to_json(self) -> dict[str, object]:
        """Return the record object. Without comment or tags, their time stamp is left out, not null."""
        fields = self.fields
        shown = {
            "id": self.id,
            "proxiable": fields.type in PROXIABLE_TYPES,
            "meta": {},
            **fields.to_body(),
            "created_on": stamp(self.created_on),
            "modified_on": stamp(self.modified_on),
        }
        if fields.comment is not None and self.comment_modified_on:
            shown["comment_modified_on"] = stamp(self.comment_modified_on)
        if fields.tags and self.tags_modified_on:
            shown["tags_modified_on"] = stamp(self.tags_modified_on)
        return shown


def stamp(moment: datetime) -> str:
    """Return a moment in RFC 3339 with microseconds and ``Z``."""
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
