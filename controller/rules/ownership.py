"""Tell the owner of a record by the mark at the start of its comment.

=========  =============================================================  =============================
owner      comment                                                        a pass may
=========  =============================================================  =============================
OURS       ``elephant-dns:<OWNER_ID>``, then a space or the end; with     update and delete it
           ``CELLS`` each of them in place of the owner id
FOREIGN    any other that starts with ``elephant-dns:``                   only report it
UNMARKED   anything else                                                  adopt it at a name in use
=========  =============================================================  =============================

With ``ADOPT_UNMARKED`` an unmarked A record counts as own. The controller creates A records only, so it never deletes
another type, whatever the comment says.
"""

import re
from enum import StrEnum

from controller.model import DnsRecord, Instance
from controller.settings import MARK_PREFIX, Settings

#: Longest comment on Cloudflare's free plan, in characters (Cloudflare docs: record attributes).
MAX_COMMENT = 100

_UNPRINTABLE = re.compile("[^ -~]")


class Owner(StrEnum):
    """The owners that the rules distinguish."""

    OURS = "ours"
    FOREIGN = "foreign"
    UNMARKED = "unmarked"


def is_marked(comment: str, mark: str) -> bool:
    """Return whether the comment carries exactly this mark. The hint after it does not matter."""
    return comment.startswith(mark) and comment[len(mark) : len(mark) + 1] in ("", " ")


def has_our_mark(record: DnsRecord, settings: Settings) -> bool:
    """Return whether the record itself carries one of the own marks: adoption makes a record own before that."""
    return record.comment.startswith(settings.marks) and any(is_marked(record.comment, m) for m in settings.marks)


def cell_of(record: DnsRecord, settings: Settings) -> str | None:
    """Return the cell of the record's machine by its mark, or None if there are no cells or the mark names none."""
    return next((cell for cell in settings.cells if is_marked(record.comment, settings.mark_of(cell))), None)


def owner_of(record: DnsRecord, settings: Settings) -> Owner:
    """Return the owner of the record."""
    if has_our_mark(record, settings):
        return Owner.OURS
    if record.comment.startswith(MARK_PREFIX):
        return Owner.FOREIGN
    return Owner.OURS if settings.adopt_unmarked and record.type == "A" else Owner.UNMARKED


def comment_for(instance: Instance, settings: Settings) -> str:
    """Return the mark and a hint for people: role and meeting, printable ASCII, short enough for every plan."""
    hint = f"{settings.mark_of(instance.cell)} {instance.role} of {instance.meeting}"
    if not (hint.isascii() and hint.isprintable()):
        hint = _UNPRINTABLE.sub("?", hint)
    return hint[:MAX_COMMENT].rstrip()
