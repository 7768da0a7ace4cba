"""Somebody else's text, made harmless for where it is shown: one function for each form.

JSON needs none: its own escapes, in ASCII, leave nothing for a terminal or a log to read anything into.
"""

import html


def on_one_line(text: str) -> str:
    """For a terminal: what is not printable (control characters, line breaks, direction marks) shows as its escape."""
    return text if text.isprintable() else "".join(char if char.isprintable() else _escaped(char) for char in text)


def in_html(text: str) -> str:
    """For an element's content or a quoted attribute."""
    return html.escape(on_one_line(text))


def in_markdown(text: str) -> str:
    """For Markdown outside a fence: an element that GitHub neither links nor mentions from, and no mark-up in it.

    Each ASCII character that could mean anything to Markdown or HTML is written as a number.
    """
    return f"<code>{''.join(char if _is_plain(char) else f'&#{ord(char)};' for char in on_one_line(text))}</code>"


def _is_plain(char: str) -> bool:
    return char.isalnum() or char in " -" or not char.isascii()


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
