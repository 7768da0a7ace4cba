"""What a caller asks of a pass: the one value that events and commands become."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from controller.model import Finding


class Mode(StrEnum):
    """A plan writes nothing, anywhere."""

    PLAN = "plan"
    APPLY = "apply"


@dataclass(frozen=True, slots=True)
class Heard:
    """What events say of an instance: it decides nothing, but shows whether EC2's answer is behind."""

    state: str  # the latest one
    at: datetime  # when AWS saw it
    since: datetime  # when AWS saw the first change that this request is about, for a metric


@dataclass(frozen=True, slots=True)
class Request:
    """One pass: over everything (``scope`` None), or over these instances."""

    mode: Mode
    scope: frozenset[str] | None = None
    force: bool = False  # let guarded changes through, once
    is_scheduled: bool = False  # nobody waits for it, and alarms count on it
    expect: str | None = None  # the digest of the plan that was reviewed
    findings: tuple[Finding, ...] = ()  # what was odd about the request itself
    heard: Mapping[str, Heard] = field(default_factory=dict, compare=False)  # by instance, from the events
