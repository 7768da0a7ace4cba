"""The report for programs: as its schema says, in every mode and with every outcome, and nothing beside it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from controller.model import Outcome, Result
from controller.report import as_json
from controller.report.report import SCHEMA, Links, Report
from tests.support.build import STUDENT, TEACHER
from tests.unit.report.reports import REPORTS, large, rich

DOCUMENT = json.loads(files("controller.report").joinpath("report.schema.json").read_text(encoding="utf-8"))


def closed(schema: Any) -> Any:
    """The schema without room for more: whoever reads a report may meet new fields, we may not write unsaid ones."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {name: closed(part) for name, part in schema.items()}
    return {"additionalProperties": False, **parts} if "properties" in schema and "type" in schema else parts


VALIDATOR = Draft202012Validator(closed(DOCUMENT))


CELL = "123456789012/us-east-1"


def reports() -> Mapping[str, Report]:
    """Reports of every mode, scope and outcome."""
    several = {name: report() for name, report in REPORTS.items()}
    several["scoped"] = replace(rich(), scope=(TEACHER, STUDENT))
    several["cells"] = replace(rich(), only_cells=(CELL,), homes={TEACHER: CELL, STUDENT: "123456789012/eu-west-1"})
    several["probed"] = replace(rich(), links=Links(probed=3, unreachable=1, not_judged=1))
    for outcome in Outcome:
        results = tuple(Result(result.change, outcome, f"why {outcome}") for result in rich().results)
        several[str(outcome)] = replace(rich(), mode="apply", results=results)
    return several


@pytest.mark.parametrize("report", reports().values(), ids=reports())
def test_a_report_is_as_the_schema_says(report: Report) -> None:
    text = as_json.render(report)
    VALIDATOR.validate(json.loads(text))
    assert text.isascii()
    assert text.endswith("}\n")


def test_a_report_of_some_cells_has_their_machines_as_its_scope() -> None:
    shown = as_json.as_dict(reports()["cells"])
    assert (shown["scope"], shown["only_cells"]) == ([TEACHER], [CELL])


def test_schema_is_valid_and_has_its_name() -> None:
    Draft202012Validator.check_schema(DOCUMENT)
    assert DOCUMENT["$id"] == DOCUMENT["properties"]["schema"]["const"] == SCHEMA


def test_schema_refuses_other_documents() -> None:
    report = as_json.as_dict(rich())
    for broken in (
        {**report, "schema": "elephant-dns/report/v2"},
        {**report, "scope": "some"},
        {**report, "changes": [{**report["changes"][0], "outcome": "done"}]},
        {**report, "unsaid": 1},
        {name: value for name, value in report.items() if name != "digest"},
    ):
        assert not VALIDATOR.is_valid(broken)


def test_the_schema_has_room_for_fields_to_come() -> None:
    assert Draft202012Validator(DOCUMENT).is_valid({**as_json.as_dict(rich()), "unsaid": 1})


def test_10_000_changes_are_all_there() -> None:
    assert len(json.loads(as_json.render(large()))["changes"]) == 10_000
