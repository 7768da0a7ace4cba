"""A table of figures, on a terminal and in a document."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """What was measured, how, and the figures."""

    title: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def as_text(table: Table) -> str:
    """For a terminal; the first column is words, the others are figures."""
    widths = [max(map(len, column)) for column in zip(table.columns, *table.rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        first, *others = zip(cells, widths, strict=True)
        return "  ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]).rstrip()

    return "\n".join([table.title, line(table.columns), *map(line, table.rows)])


def as_markdown(table: Table) -> str:
    """For a document."""
    marks = ["---", *("---:" for _ in table.columns[1:])]
    lines = ["| " + " | ".join(cells) + " |" for cells in (table.columns, marks, *table.rows)]
    return "\n".join([f"## {table.title}", "", table.note, "", *lines])


def ratio(ours: float, theirs: float) -> str:
    """How many times more the other side needs; with fewer digits the larger it is."""
    times = theirs / ours if ours else float("inf")
    return f"{times:.0f} x" if times >= 10 else f"{times:.1f} x"
