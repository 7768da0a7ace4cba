"""Escape foreign text for the place where it is shown: one function for each form.

JSON needs none: its own escapes, in ASCII, leave nothing for a terminal or a log to interpret.
"""

import html


def on_one_line(text: str) -> str:
    """Return text for a terminal: unprintable characters (control, line breaks, direction marks) as escapes."""
    return text if text.isprintable() else "".join(char if char.isprintable() else _escaped(char) for char in text)


def in_html(text: str) -> str:
    """Return text for an element's content or a quoted attribute."""
    return html.escape(on_one_line(text))


def in_markdown(text: str) -> str:
    """Return text for Markdown outside a fence: in an element where GitHub makes neither links nor mentions.

    Each ASCII character that could mean something to Markdown or HTML is written as a number.
    """
    return f"<code>{''.join(char if _is_plain(char) else f'&#{ord(char)};' for char in on_one_line(text))}</code>"


def _is_plain(char: str) -> bool:
    return char.isalnum() or char in " -" or not char.isascii()


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
