"""Cells in the report: where there are several, each change names its own, and an unread one stands at the top."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from controller.report import as_html, as_markdown, as_text
from controller.report.report import CellSeen, Report
from tests.unit.report.reports import rich

HUB, EAST = CellSeen("123456789012", "us-west-2", 7), CellSeen("123456789012", "us-east-1", 0, "away")
FORMS = pytest.mark.parametrize("render", [as_text.render, as_markdown.render, as_html.render])


def in_cells() -> Report:
    """A report in which half of the machines live in each cell."""
    report = rich()
    machines = sorted({r.change.instance for r in report.results if r.change.instance})
    return replace(report, cells=(HUB, EAST), homes={m: (HUB, EAST)[n % 2].name for n, m in enumerate(machines)})


@FORMS
def test_an_unread_cell_stands_at_the_top(render: Callable[[Report], str]) -> None:
    text = " ".join(render(in_cells()).split()).replace("&#47;", "/")
    assert "123456789012/us-west-2 7 instances" in text.replace("&#45;", "-")
    assert "123456789012/us-east-1 NOT READ" in text.replace("&#45;", "-")


@FORMS
def test_each_change_names_its_cell(render: Callable[[Report], str]) -> None:
    text = render(in_cells())
    assert text.count("us-east-1)") > 1
    assert text.count("us-west-2)") > 1


@FORMS
def test_one_cell_changes_nothing(render: Callable[[Report], str]) -> None:
    report = rich()
    assert render(replace(report, cells=(HUB,))) == render(replace(report, cells=()))


@FORMS
def test_a_report_of_some_cells_says_so_and_how_to_apply_it(render: Callable[[Report], str]) -> None:
    text = render(replace(in_cells(), only_cells=(EAST.name,))).replace("&#47;", "/").replace("<code>", "")
    assert re.search(rf"only cells {EAST.name}", text)
    assert "everything" not in text
    assert render is as_text.render or f"apply --cell {EAST.name} --expect" in text
