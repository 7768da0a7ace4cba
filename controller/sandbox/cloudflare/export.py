"""Export the zone as a BIND file (Cloudflare docs: import-and-export). A comment says whether a record is proxied."""

from collections.abc import Iterable, Iterator

from controller.sandbox.cloudflare.records import Record


def bind_file(zone: str, records: Iterable[Record]) -> str:
    """Return the text of the file, with a heading for each type."""
    return "\n".join(_lines(zone, records)) + "\n"


def _lines(zone: str, records: Iterable[Record]) -> Iterator[str]:
    yield f";; Domain: {zone}."
    heading = ""
    for record in sorted(records, key=lambda record: (record.fields.type, record.fields.name)):
        if record.fields.type != heading:
            heading = record.fields.type
            yield f"\n;; {heading} Records"
        yield _line(record)


def _line(record: Record) -> str:
    fields = record.fields
    tags = [f"cf-proxied:{str(fields.proxied).lower()}", *fields.tags]
    remark = f"{fields.comment or ''} cf_tags={','.join(tags)}".strip()
    content = f'"{fields.content}"' if fields.type == "TXT" else fields.content
    return f"{fields.name}.\t{fields.ttl}\tIN\t{fields.type}\t{content} ; {remark}"
