"""The diagnosis as JSON, for a program."""

import json
from dataclasses import asdict

from controller.doctor.diagnosis import Diagnosis, Status

SCHEMA = "elephant-dns/doctor/v1"


def render(diagnosis: Diagnosis) -> str:
    """Return one JSON document; ASCII, so that no terminal and no log interprets it."""
    content = {
        "schema": SCHEMA,
        "healthy": diagnosis.healthy,
        "checks": [asdict(check) for check in diagnosis.checks],
        "summary": {str(status): diagnosis.count(status) for status in Status},
    }
    return json.dumps(content, indent=2)
