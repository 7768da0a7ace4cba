"""Somebody else's text, made harmless for where it is shown."""


def on_one_line(text: str) -> str:
    """For a terminal: what is not printable (control characters, line breaks, direction marks) shows as its escape."""
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
