"""The diagnosis for programs is as its schema says."""

import json
from importlib.resources import files

import pytest
from jsonschema import Draft202012Validator

from controller.doctor import as_json
from controller.doctor.diagnosis import Check, Diagnosis, Status, failed, passed, skipped, warned
from tests.unit.report.test_json import closed

DOCUMENT = json.loads(files("controller.doctor").joinpath("doctor.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(closed(DOCUMENT))
CHECKS = (passed("settings", "All is set."), warned("zone", "It is paused.", "Resume it."), skipped("table", "no AWS"))
FAILED = failed("token", "Refused.", "Create another.")


def rendered(*checks: Check) -> dict[str, object]:
    return dict(json.loads(as_json.render(Diagnosis(checks))))


@pytest.mark.parametrize("checks", [(), CHECKS, (*CHECKS, FAILED)])
def test_diagnosis_is_as_the_schema_says(checks: tuple[Check, ...]) -> None:
    VALIDATOR.validate(rendered(*checks))


def test_schema_is_a_schema_and_has_its_name() -> None:
    Draft202012Validator.check_schema(DOCUMENT)
    assert DOCUMENT["$id"] == DOCUMENT["properties"]["schema"]["const"] == as_json.SCHEMA


def test_schema_knows_every_status() -> None:
    names = [str(status) for status in Status]
    assert sorted(DOCUMENT["$defs"]["check"]["properties"]["status"]["enum"]) == sorted(names)
    assert sorted(DOCUMENT["properties"]["summary"]["required"]) == sorted(names)


def test_schema_refuses_other_documents() -> None:
    whole = rendered(*CHECKS)
    for broken in (
        {**whole, "schema": "elephant-dns/doctor/v2"},
        {**whole, "healthy": "yes"},
        {**whole, "checks": [{"id": "zone", "status": "pass", "seen": "It is there."}]},
        {**whole, "checks": [{"id": "a zone", "status": "pass", "seen": "It is there.", "fix": ""}]},
        {**whole, "checks": [{"id": "zone", "status": "bad", "seen": "It is not there.", "fix": ""}]},
        {**whole, "unsaid": 1},
        {name: value for name, value in whole.items() if name != "summary"},
    ):
        assert not VALIDATOR.is_valid(broken)


def test_schema_has_room_for_fields_to_come() -> None:
    assert Draft202012Validator(DOCUMENT).is_valid({**rendered(FAILED), "unsaid": 1})
