"""Settings from a file of ``NAME=value`` lines, which means the same to cron, to systemd and to a person.

No shell reads it, so ``;``, ``$``, ``#`` and spaces in a value are part of the value. Lines without a setting are empty
or begin with ``#``. One pair of quotes around a whole value is left out.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import click

_SETTING = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*")
_QUOTED = re.compile(r"""(["'])(.*)\1""")


def load(_context: click.Context, _parameter: click.Parameter, path: Path | None) -> None:
    """Put the file's settings into the environment, over what is there. Raises UsageError; never shows a value."""
    if path is not None:
        os.environ.update(_settings(path))


def _settings(path: Path) -> Iterator[tuple[str, str]]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise click.UsageError(f"Cannot read the settings in {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise click.UsageError(f"Cannot read the settings in {path}: expected UTF-8.") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        setting = _SETTING.fullmatch(line)
        if setting is None or "\0" in line:
            raise click.UsageError(f"Cannot use line {number} of {path}: expected NAME=value.")
        name, value = setting.groups()
        quoted = _QUOTED.fullmatch(value)
        yield name, quoted[2] if quoted else value
