"""Counts are summed up over all tests; only those of proofs are kept."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.model.proof import mutants, tally
from tests.model.proof.page import PAGE, figures, with_figures
from tests.model.proof.tally import counted, pytest_terminal_summary


def report(count: int, *keywords: str, when: str = "call", outcome: str = "passed") -> Any:
    properties = [(counted("small worlds"), count), ("something else", "x")]
    keys = dict.fromkeys(keywords, 1)
    return SimpleNamespace(when=when, outcome=outcome, user_properties=properties, keywords=keys)


def test_counts_are_printed_and_those_of_proofs_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "FOLDER", tmp_path / "build" / "proof")
    monkeypatch.setattr(tally, "_commit", lambda: "1a2b3c4")
    monkeypatch.setenv("PROOF_SEED", "739580")
    said: list[str] = []
    reports = [
        report(1000, "proof"),
        report(500, "proof", outcome="failed"),
        report(7),
        report(7, when="teardown"),
    ]
    pytest_terminal_summary(SimpleNamespace(stats={"passed": reports, "": [object()]}, write_line=said.append))
    assert said == ["1,507 small worlds, in 3 tests.", "What was sampled, was with PROOF_SEED=739580."]
    kept = (tmp_path / "build" / "proof" / "small-worlds.json").read_text()
    numbers = {"count": 1500, "tests": 2, "failed": 1, "seed": 739580}
    assert json.loads(kept) == {"what": "small worlds", **numbers, "commit": "1a2b3c4"}


def test_without_counts_nothing_is_said_or_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "FOLDER", tmp_path / "proof")
    pytest_terminal_summary(SimpleNamespace(stats={"passed": [object()]}, write_line=pytest.fail))
    assert not (tmp_path / "proof").exists()


def test_the_page_gets_a_table_in_place_of_the_last_one() -> None:
    lines = [
        {"what": "small worlds", "count": 1_065_800, "tests": 153, "failed": 0, "seed": 7, "commit": "1a2b3c4"},
        {"what": "mutants", "count": 900, "failed": 2, "commit": "5d6e7f8"},
    ]
    page = with_figures("before\n<!-- figures -->\n\nold\n\n<!-- /figures -->\nafter\n", figures(lines))
    assert page.startswith("before\n<!-- figures -->\n| what | tried |")
    assert "| mutants | 900 | - | 2 | 5d6e7f8 |\n| small worlds | 1,065,800 | 153 | 0 | 1a2b3c4 |\n\nSampled" in page
    assert "\n\nSampled with `PROOF_SEED=7`.\n<!-- /" in page
    assert page.endswith("<!-- /figures -->\nafter\n")
    assert "old" not in page


def test_the_document_has_a_place_for_them() -> None:
    assert with_figures(PAGE.read_text("utf-8"), "TABLE").count("TABLE") == 1


def test_what_was_counted_of_mutants_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "FOLDER", tmp_path / "build" / "proof")
    monkeypatch.setattr(tally, "_commit", lambda: "1a2b3c4")
    monkeypatch.setattr(mutants, "STATISTICS", tmp_path / "stats.json")
    counts = {"killed": 90, "survived": 2, "total": 100, "no_tests": 1, "suspicious": 0, "timeout": 7}
    mutants.STATISTICS.write_text(json.dumps(counts))
    mutants.main()
    kept = json.loads((tmp_path / "build" / "proof" / "mutants.json").read_text())
    assert kept == {"what": "mutants", "count": 100, "failed": 3, "commit": "1a2b3c4"}
