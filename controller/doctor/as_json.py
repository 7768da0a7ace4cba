"""The diagnosis as JSON, for a program."""

import json
from dataclasses import asdict

from controller.doctor.diagnosis import Diagnosis, Status
from controller.report.safe import in_json

SCHEMA = "elephant-dns/doctor/v1"


def render(diagnosis: Diagnosis) -> str:
    """Return one JSON document; ASCII, so that no terminal and no log interprets it."""
    content = {
        "schema": SCHEMA,
        "healthy": diagnosis.healthy,
        "checks": [asdict(check) for check in diagnosis.checks],
        "summary": {str(status): diagnosis.count(status) for status in Status},
    }
    return in_json(json.dumps(content, indent=2))
