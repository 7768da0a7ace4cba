"""Lines of a bounded width in a terminal, where some characters take two columns and some take none."""

import unicodedata
from collections.abc import Iterator


def columns(text: str) -> int:
    """Return how many columns of a terminal the text takes."""
    return len(text) if text.isascii() else sum(map(_columns_of, text))


def _columns_of(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def wrapped(text: str, width: int, lead: str = "") -> list[str]:
    """Return the text in lines of at most this many columns: the lead before the first, blanks before the others.

    Lines end between words; only a word that is longer than a line is cut.
    """
    room = max(width - columns(lead), 2)  # the widest character takes two
    lines: list[str] = []
    for piece in _pieces(text, room):
        if lines and columns(lines[-1]) + 1 + columns(piece) <= room:
            lines[-1] += f" {piece}"
        else:
            lines.append(piece)
    blanks = " " * columns(lead)
    return [(blanks if number else lead) + line for number, line in enumerate(lines)]


def _pieces(text: str, room: int) -> Iterator[str]:
    for word in text.split(" "):
        yield from [word] if columns(word) <= room else _cut(word, room)


def _cut(word: str, room: int) -> Iterator[str]:
    piece, taken = "", 0
    for char in word:
        if taken + _columns_of(char) > room:
            yield piece
            piece, taken = "", 0
        piece += char
        taken += _columns_of(char)
    yield piece
