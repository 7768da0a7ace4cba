"""Counts are summed up over all tests; only those of proofs are kept."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.proof import tally
from tests.proof.tally import counted, pytest_terminal_summary


def report(count: int, *keywords: str, when: str = "call") -> Any:
    properties = [(counted("small worlds"), count), ("something else", "x")]
    return SimpleNamespace(when=when, user_properties=properties, keywords=dict.fromkeys(keywords, 1))


def test_what_was_counted_is_said_and_what_proofs_have_counted_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally, "FOLDER", tmp_path / "proof")
    said: list[str] = []
    reports = [report(1000, "proof"), report(500, "proof"), report(7), report(7, when="teardown")]
    pytest_terminal_summary(SimpleNamespace(stats={"passed": reports, "": [object()]}, write_line=said.append))
    assert said == ["1,507 small worlds, in 3 tests."]
    kept = (tmp_path / "proof" / "small-worlds.json").read_text()
    assert json.loads(kept) == {"what": "small worlds", "count": 1500, "tests": 2}


def test_without_counts_nothing_is_said_or_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "FOLDER", tmp_path / "proof")
    pytest_terminal_summary(SimpleNamespace(stats={"passed": [object()]}, write_line=pytest.fail))
    assert not (tmp_path / "proof").exists()
