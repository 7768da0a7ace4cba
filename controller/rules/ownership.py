"""Whose a record is: the mark at the start of its comment.

=========  =============================================================  ==========================
owner      comment                                                        may be
=========  =============================================================  ==========================
OURS       ``elephant-dns:<OWNER_ID>`` (or a cell), a space or end           changed and deleted
FOREIGN    any other that starts with ``elephant-dns:``                   only reported
UNMARKED   anything else                                                  adopted at a name we need
=========  =============================================================  ==========================

With ``ADOPT_UNMARKED`` an unmarked A record counts as ours. Other types are never created by us, so
they are never deleted by us, whatever their comment says.
"""

import re
from enum import StrEnum

from controller.model import DnsRecord, Instance
from controller.settings import MARK_PREFIX, Settings

#: A comment's length on Cloudflare's free plan (Cloudflare docs: record attributes).
MAX_COMMENT = 100

_UNPRINTABLE = re.compile("[^ -~]")


class Owner(StrEnum):
    """Whose a record is."""

    OURS = "ours"
    FOREIGN = "foreign"
    UNMARKED = "unmarked"


def is_marked(comment: str, mark: str) -> bool:
    """Whether the comment carries this very mark; the hint behind it does not matter."""
    return comment.startswith(mark) and comment[len(mark) : len(mark) + 1] in ("", " ")


def has_our_mark(record: DnsRecord, settings: Settings) -> bool:
    """Whether the record carries one of our marks itself; adoption makes a record ours before that."""
    return record.comment.startswith(settings.marks) and any(is_marked(record.comment, m) for m in settings.marks)


def cell_of(record: DnsRecord, settings: Settings) -> str | None:
    """The cell that the record's machine lives in, by the mark; None where there are no cells, or it names none."""
    return next((cell for cell in settings.cells if is_marked(record.comment, settings.mark_of(cell))), None)


def owner_of(record: DnsRecord, settings: Settings) -> Owner:
    """Whose the record is."""
    if has_our_mark(record, settings):
        return Owner.OURS
    if record.comment.startswith(MARK_PREFIX):
        return Owner.FOREIGN
    return Owner.OURS if settings.adopt_unmarked and record.type == "A" else Owner.UNMARKED


def comment_for(instance: Instance, settings: Settings) -> str:
    """The mark, and behind it a hint for people: role and meeting, printable ASCII, short enough for every plan."""
    hint = f"{settings.mark_of(instance.cell)} {instance.role} of {instance.meeting}"
    if not (hint.isascii() and hint.isprintable()):
        hint = _UNPRINTABLE.sub("?", hint)
    return hint[:MAX_COMMENT].rstrip()
