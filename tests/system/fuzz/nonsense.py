"""Nonsense of every kind: JSON of any shape, and good JSON with something in it replaced, or gone."""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

#: Half of a surrogate pair is not text, and can stand in JSON all the same.
TEXT = st.text(st.characters(), max_size=20) | st.sampled_from(["\ud83d", "\x1b[2J", "\u202e", "null", "ÿ" * 300])
LEAVES = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | TEXT
JSON: st.SearchStrategy[Any] = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=8
)


@dataclass(frozen=True, slots=True)
class Spoiling:
    """What becomes of each part; ``path`` leads from the whole into its parts, and in each counts around."""

    path: tuple[int, ...]
    part: Any = ...  # an Ellipsis takes it away

    def of(self, value: Any) -> Any:
        """The value with that part replaced."""
        if not self.path or not isinstance(value, (dict, list)) or not value:
            return None if self.part is ... else self.part
        keys: Any = sorted(value) if isinstance(value, dict) else range(len(value))
        key = keys[self.path[0] % len(keys)]
        inner = Spoiling(self.path[1:], self.part)
        goes = self.part is ... and not inner.path
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        spoiled = [(k, inner.of(v) if k == key else v) for k, v in parts if not (goes and k == key)]
        return dict(spoiled) if isinstance(value, dict) else [part for _, part in spoiled]


SPOILINGS = st.builds(Spoiling, st.lists(st.integers(0, 99), max_size=5).map(tuple), JSON | st.just(...))
