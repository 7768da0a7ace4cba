"""Escape foreign text for the place where it is shown: one function for each form.

JSON's own escapes, in ASCII, leave nothing for a terminal or a log to interpret, and little for the runner of a job.
"""

import html
import re

#: What begins a command to the runner of a job (GitHub, Azure), which reads the job's log: ``::name …::`` at the start
#: of a line, ``##[name]`` and ``##vso[name]`` anywhere. A text that is wrapped begins lines anywhere.
_COMMANDS = re.compile(r"::(?=[A-Za-z])|##(?=\[|vso\[)")


def on_one_line(text: str) -> str:
    """Return text for a terminal or a job's log, with escapes for what either would interpret.

    These are unprintable characters (control, line breaks, direction marks), and the beginnings of a runner's commands.
    """
    shown = text if text.isprintable() else "".join(char if char.isprintable() else _escaped(char) for char in text)
    if shown.count("::") > 1 or "##" in shown:  # a command has two colons twice, an IPv6 address once
        return _COMMANDS.sub(lambda found: f"\\x{ord(found[0][0]):02x}{found[0][1:]}", shown)
    return shown


def in_json(document: str) -> str:
    """Return a JSON document with other escapes for the beginnings of a runner's commands. It reads as before."""
    return document.replace("##", "#\\u0023")


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
