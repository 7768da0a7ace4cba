"""The pages say what the code does: every finding, rule, setting, alarm and exit code, and figures that add up."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from controller.cli.codes import Code
from controller.settings import REMOVED, VARIABLES
from tests.project import costs
from tests.project.entries import rows

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SOURCES = [path for path in (ROOT / "controller").rglob("*.py") if "sandbox" not in path.parts]
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text()


def first_column(name: str, heading: str) -> set[str]:
    """Return the code words in the first column of the table under this heading of a page."""
    return {word for cells in rows(name, heading) for word in re.findall(r"`([^`]+)`", cells[0])}


def constants(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text()))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def findings_in(path: Path) -> set[str]:
    """First arguments of Finding(…)."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    firsts = [
        call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Finding" and call.args
    ]
    return {first.value for first in firsts if isinstance(first, ast.Constant) and isinstance(first.value, str)}


def test_the_runbook_knows_every_finding_and_no_other() -> None:
    assert first_column("runbook", "Findings") == set().union(*map(findings_in, SOURCES))


def test_every_finding_and_error_has_an_anchor_of_its_own() -> None:
    found = [re.fullmatch(r'<a id="([a-z-]+)"></a>`\1`', cells[0]) for cells in rows("runbook", "Findings")]
    errors = [re.match(r'<a id="(error-[a-z-]+)"></a>"', cells[0]) for cells in rows("runbook", "Errors")]
    assert len(errors) > 25
    anchors = [match[1] if match else "a row without an anchor" for match in [*found, *errors]]
    assert sorted(anchors) == sorted(set(anchors) - {"a row without an anchor"})


def said(path: Path) -> Iterator[str]:
    """Each text in this file, with NUL for what an f-string fills in."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(one.value) if isinstance(one, ast.Constant) else "\0" for one in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_messages_that_the_runbook_quotes_are_messages() -> None:
    cells = [row[0] for heading in ("A user cannot join", "Errors") for row in rows("runbook", heading)]
    cells += [row[1] for row in rows("runbook", "What the user sees")]
    quoted = [words for cell in cells for words in re.findall(r'"([^"]+)"', re.sub(r"<[^>]*>", "", cell))]
    pieces = {re.sub(r"\(\d+\)", "", piece).strip().lower() for words in quoted for piece in words.split("…")}
    everything = " ".join(
        "\n".join(each for path in [*SOURCES, ROOT / "handler.py"] for each in said(path)).split()
    ).lower()
    assert len(pieces) > 50
    assert sorted(piece for piece in pieces if piece not in everything) == []


def test_the_index_names_every_page() -> None:
    index = {(DOCS / target).resolve() for target in re.findall(r"\]\(([^)#]+)", page("README"))}
    decisions = set((DOCS / "decisions").glob("[0-9]*.md"))  # their own page lists these
    assert {DOCS / "README.md", *index} >= set(DOCS.rglob("*.md")) - decisions


def test_the_picture_is_drawn_for_light_and_dark() -> None:
    text = (DOCS / "images" / "watchdog.svg").read_text(encoding="utf-8")
    texts = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(text).iter()}
    assert texts >= {"title", "desc", "text"}
    assert "@media (prefers-color-scheme: dark)" in text
    assert set(re.findall(r"https?://[^\"]+", text)) == {"http://www.w3.org/2000/svg"}  # it loads nothing


def test_every_rule_is_named_in_the_rules() -> None:
    words = {word for path in (ROOT / "controller" / "rules").glob("*.py") for word in constants(path)}
    rules = {word for word in words if re.fullmatch(r"(record|link|status|meeting)-[a-z-]+", word)}
    findings = set().union(*map(findings_in, SOURCES))
    assert first_column("how-it-works", "The rules by name") - {"retire"} == rules - findings


def test_settings_that_no_longer_exist_are_named_as_such() -> None:
    for text in (page("configuration"), page("runbook"), (ROOT / "CHANGELOG.md").read_text()):
        paragraphs = [one for one in re.split(r"\n\n|\n[-|] ", text) if any(name in one for name in REMOVED)]
        assert paragraphs
        assert all("no longer exist" in " ".join(one.split()) for one in paragraphs)


def test_every_setting_is_in_the_configuration() -> None:
    text = page("configuration")
    told = set(re.findall(r"^\| `([A-Z_]+)`", text, flags=re.MULTILINE))
    assert told == set(VARIABLES)


def test_every_alarm_is_in_the_runbook() -> None:
    template = (ROOT / "infra" / "template.yaml").read_text()
    names = set(re.findall(r"AlarmName: !Sub \S+\}-([a-z-]+)", template))
    assert first_column("runbook", "Alarms") == names
    optional = {"links-unreachable", "cells-unread"}  # where links are probed, where there are several cells
    assert len(names - optional) == costs.ALARMS


def test_every_exit_code_is_in_the_runbook() -> None:
    codes = {str(int(code)) for code in Code}
    assert set(re.findall(r"^\| (\d+) \|", page("runbook"), flags=re.MULTILINE)) == codes


def test_every_bug_that_was_found_names_a_test() -> None:
    named = set(re.findall(r"`(test_\w+)` \|$", page("internals/proof"), flags=re.MULTILINE))
    tests = {
        name for path in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text())
    }
    assert len(named) > 10
    assert named <= tests


@pytest.mark.parametrize(("name", "table"), [("bill", costs.bill), ("units", costs.units)])
def test_the_tables_of_costs_are_those_that_the_arithmetic_gives(name: str, table: Callable[[], str]) -> None:
    told = re.search(rf"<!-- {name} -->\n(.*)<!-- /{name} -->", page("costs"), flags=re.DOTALL)
    assert told
    assert told[1].strip() == table()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        where = (path.parent / file) if file else path
        assert where.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", where.read_text(), flags=re.MULTILINE)
            names = {re.sub(r"[^a-z0-9_ -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in names | set(re.findall(r'<a id="([^"]+)"', where.read_text()))
