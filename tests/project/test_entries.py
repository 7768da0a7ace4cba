"""What `elephant-dns explain ID` says of a finding, a rule or a check is what the pages say."""

import pytest

from controller.cli.entries import entries, nearest
from tests.project.entries import PACKAGED, document, plain


def test_packaged_entries_are_those_of_the_pages() -> None:
    assert PACKAGED.read_text(encoding="utf-8") == document(), "`make golden` writes them again"


def test_every_kind_has_entries_with_a_meaning_and_a_remedy() -> None:
    found = entries()
    assert {entry.kind for entry in found.values()} == {"finding", "rule", "check"}
    assert len(found) > 50
    assert [id for id, entry in found.items() if not entry.means or (entry.kind != "rule" and not entry.do)] == []


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("see [the guard](#the-guard)", "See the guard (docs/runbook.md#the-guard)."),
        ("`*.A` is *not* in [ours](deploy.md#down).", "*.A is not in ours (docs/deploy.md#down)."),
        ("[theirs](https://example.com/)", "Theirs (https://example.com/)."),
    ],
)
def test_cell_becomes_text_for_a_terminal(cell: str, text: str) -> None:
    assert plain(cell, "runbook") == text


def test_nearest_names_are_found_for_a_typing_error() -> None:
    assert nearest("odd-rows")[0] == "odd-row"
    assert nearest("unmarked-recrod")[0] == "unmarked-record"
    assert nearest("algebra-17") == []
