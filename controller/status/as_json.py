"""The overview as JSON, for dashboards and scripts."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from controller.report.safe import in_json
from controller.rules.meetings import SHOWN
from controller.status.overview import Line, Overview, Seat, Standing

SCHEMA = "elephant-dns/status/v1"


def as_dict(seen: Overview) -> dict[str, Any]:
    """Return the overview by its schema: every meeting, the quiet ones included."""
    return {
        "schema": SCHEMA,
        "at": _stamp(seen.now),
        "target": asdict(seen.target),
        "counts": {_key(standing): seen.counts[standing] for standing in Standing},
        "unread_cells": [{"cell": cell, "error": why} for cell, why in seen.unread],
        "meetings": [_line(line) for line in seen.lines],
    }


def render(seen: Overview) -> str:
    """Return the overview as one JSON document, in ASCII."""
    return in_json(json.dumps(as_dict(seen), indent=2)) + "\n"


def _line(line: Line) -> dict[str, Any]:
    return {
        "meeting": line.meeting,
        "meet_time": _plain(line.meet_time),
        "begins_at": _stamp(line.begins),
        "status": _plain(line.status),
        "standing": _key(line.standing),
        "roles": [_seat(seat) for seat in line.seats],
    }


def _seat(seat: Seat) -> dict[str, Any]:
    return {
        "role": seat.role,
        "machine": seat.machine,
        "state": seat.state,
        "launched_at": _stamp(seat.launched_at),
        "record": str(seat.record),
        "seconds_to_record": seat.seconds_to_record,
        "link": str(seat.link),
        "can_join": seat.can_join,
        "because": seat.because,
        "probed": seat.probed,
    }


def _key(standing: Standing) -> str:
    return standing.replace(" ", "_")


def _plain(value: object) -> str | None:
    """Return what a row says, as text, and of a long text the beginning: a value that is not text shows what it is."""
    return None if value is None else str(value)[:SHOWN]


def _stamp(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
