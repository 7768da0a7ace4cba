"""What findings, rules and checks of the doctor mean: tables of the pages, packaged by ``make golden``."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

#: At most so many names that are alike, and how alike: 1 is the same.
_MOST, _ALIKE = 3, 0.75


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of a table: ``kind`` is finding, rule or check; ``do`` is empty where nothing needs to be done."""

    kind: str
    means: str
    do: str
    page: str


@cache
def entries() -> Mapping[str, Entry]:
    """Return every entry by its id."""
    text = files("controller.cli").joinpath("entries.json").read_text(encoding="utf-8")
    return {id: Entry(**fields) for id, fields in json.loads(text).items()}


def nearest(name: str) -> list[str]:
    """Return the ids most like this name, the best first; none if nothing is like it."""
    return get_close_matches(name, entries(), _MOST, _ALIKE)
