"""The words that "Plain English" in CONTRIBUTING.md replaces do not come back into what people read."""

import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from itertools import accumulate
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: What is read: comments, docstrings and strings of Python, every word of the other files; CONTRIBUTING.md up to the
#: heading below which it lists these words.
PAGES = ("README.md", "CONTRIBUTING.md", "docs")
READ = ("controller", "handler.py", "infra", "tests", "Makefile", "pyproject.toml", *PAGES)
SUFFIXES = (".md", ".py", ".toml", ".yaml", ".yml")

#: Pattern → what to write instead. A match with the group "fine" is fine.
WORDS = {
    r"(?<!hand-)made": "created, written, built",
    r"mend(?:s|ed|ing)?": "fix",
    r"told": "reported, said, configured",
    r"had": "the present or the past tense; for 'could not be had': 'could not be downloaded'",
    r"save\s+for": "except",
    r"(?P<fine>there\s+)?(?:is|are)\s+no\s+(?!longer\b)[a-z]+": "is not a, has no",
    r"of\s+(?:ours|theirs)": "our …, their …, this deployment's …",
    r"(?:for|from|of|to|with)\s+who|(?-i:Who)\s+[a-z]+s": "the server, the caller, the user that …",
    r"whose": "with, of, that has",
    r"of\s+which": "with, that, and say who does what",
}
#: The same for the pages alone.
PAGE_WORDS = {
    r"tell(?:s|ing)?": "say, report, show",
    r"anew": "again, new",
}


def compiled(words: Mapping[str, str]) -> dict[re.Pattern[str], str]:
    return {re.compile(rf"\b(?:{word})\b", re.IGNORECASE): instead for word, instead in words.items()}


_PATTERNS, _OF_PAGES = compiled(WORDS), compiled(WORDS | PAGE_WORDS)


def prose(text: str) -> str:
    """Python source with its strings and comments alone. Code becomes NUL, so that no pattern reaches across it."""
    lines = text.splitlines(keepends=True)
    starts = [0, *accumulate(map(len, lines))]
    left = list(text)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        begin, end = (starts[row - 1] + column for row, column in (token.start, token.end))
        if token.type in (tokenize.STRING, tokenize.COMMENT):
            left[begin:end] = re.sub(r"\{[^{}]*\}|\\n|[\"'#]", lambda found: " " * len(found[0]), text[begin:end])
        elif not tokenize.tok_name[token.type].startswith("FSTRING") and token.string.strip():
            left[begin:end] = "\0" * (end - begin)
    return "".join(left)


def bad_words(text: str, patterns: Mapping[re.Pattern[str], str] = _PATTERNS) -> Iterator[str]:
    """Each word that must not be in this text, with its line and what to write instead."""
    for pattern, instead in patterns.items():
        for found in pattern.finditer(text):
            if not found.groupdict().get("fine"):
                yield f"{text.count(chr(10), 0, found.start()) + 1}: {' '.join(found[0].split())!r}: write {instead}"


def files() -> Iterator[Path]:
    """Every file to read, without this one, because it lists the words."""
    for name in READ:
        for path in [ROOT / name, *(ROOT / name).rglob("*")]:
            is_text = path.is_file() and (path.suffix in SUFFIXES or path.name == name)
            if is_text and path != Path(__file__):
                yield path


def test_no_replaced_word_comes_back() -> None:
    found = list[str]()
    for path in files():
        text = path.read_text("utf-8")
        readable = prose(text) if path.suffix == ".py" else text.partition("\n## Plain English\n")[0]
        patterns = _OF_PAGES if path.suffix == ".md" else _PATTERNS
        found += [f"{path.relative_to(ROOT)}:{each}" for each in bad_words(readable, patterns)]
    if found:
        pytest.fail("\n".join(["See Plain English in CONTRIBUTING.md:", *found]), pytrace=False)


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("told = whose(had)  # the server's", []),
        ("x = 1\ny = 2  # the report that was made", [2]),
        ('"""The first line.\n\nThis mends it.\n"""', [3]),
        ("say(f'This {had} was told.')", [1]),
        ('x = (\n    "The record is "\n    "no A record."\n)', [2]),
        ("# all save\n# for one", [1]),
        ("x = 'it is'; no = 'no record'", []),
        ("x = 'It is no longer ours. There is no row. A reader who asks'", []),
        ("# Who throttles, waits.\n# A lookup for who asks.\n# A row of ours of which nobody knows", [1, 2, 3, 3]),
        ("x = 'handmade', 'hadron', 'amend'", []),
    ],
)
def test_words_are_found_in_prose_alone(source: str, lines: list[int]) -> None:
    assert sorted(int(found.partition(":")[0]) for found in bad_words(prose(source))) == lines


def test_all_folders_are_read() -> None:
    read = {path.relative_to(ROOT).as_posix() for path in files()}
    assert {"handler.py", "Makefile", "controller/cli/options.py", "infra/template.yaml"} <= read
    assert {"README.md", "CONTRIBUTING.md", "docs/internals/proof.md"} <= read
