"""Counts are summed up over all tests; only those of proofs are kept."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.proof import tally
from tests.proof.tally import counted, pytest_terminal_summary


def report(count: int, *keywords: str, when: str = "call", outcome: str = "passed") -> Any:
    properties = [(counted("small worlds"), count), ("something else", "x")]
    keys = dict.fromkeys(keywords, 1)
    return SimpleNamespace(when=when, outcome=outcome, user_properties=properties, keywords=keys)


def test_what_was_counted_is_said_and_what_proofs_have_counted_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally, "FOLDER", tmp_path / "build" / "proof")
    monkeypatch.setattr(tally, "_commit", lambda: "1a2b3c4")
    said: list[str] = []
    reports = [
        report(1000, "proof"),
        report(500, "proof", outcome="failed"),
        report(7),
        report(7, when="teardown"),
    ]
    pytest_terminal_summary(SimpleNamespace(stats={"passed": reports, "": [object()]}, write_line=said.append))
    assert said == ["1,507 small worlds, in 3 tests."]
    kept = (tmp_path / "build" / "proof" / "small-worlds.json").read_text()
    expected = {"what": "small worlds", "count": 1500, "tests": 2, "failed": 1, "commit": "1a2b3c4"}
    assert json.loads(kept) == expected


def test_without_counts_nothing_is_said_or_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "FOLDER", tmp_path / "proof")
    pytest_terminal_summary(SimpleNamespace(stats={"passed": [object()]}, write_line=pytest.fail))
    assert not (tmp_path / "proof").exists()
