"""Whatever wakes the function or stands in its settings: a request, or a WatchdogError that says what it expects."""

import json
import re
from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import strategies as st

from controller.errors import RequestError, SettingsError
from controller.events import parse_event
from controller.model import Mode
from controller.names import is_instance_id
from controller.settings import VARIABLES, read_settings
from tests.support.events import SCHEDULED, batch, state_change
from tests.system.fuzz.effort import EFFORT, Note, try_all
from tests.system.fuzz.nonsense import JSON, SPOILINGS, TEXT

T = TypeVar("T")
R = TypeVar("R")
E = TypeVar("E", bound=Exception)

COMMAND = {"action": "apply", "instance": ["i-0123456789abcdef0"], "force": True}
EVENTS = (state_change(), batch(state_change(), state_change("i-01234567")), SCHEDULED, COMMAND)
TOKEN = "cfut_Kq3vV8xTn2mYw7LpRb5Z"
GOOD = {"DOMAIN_ROOT": "example.com", "ZONE_ID": "0" * 32, "CLOUDFLARE_API_TOKEN": TOKEN}
VALUES = TEXT | st.sampled_from(
    ["", " ", "0", "-1", "9" * 5000, "٣", "true", "=", "a=b", "http://127.0.0.1", "https://[::1", "https://a:b@c", "i-"]
)


#: What is refused although it was not changed: OWNER_ID is demanded where PROJECT_TAG is another one.
DRAGGED_ALONG = {"OWNER_ID"}


def complaints(error: SettingsError) -> set[str]:
    """The variables that the error complains of, each on a line of its own."""
    return {line.split()[0] for line in str(error).splitlines() if line.startswith("  ")}


def refused(changes: dict[str, str]) -> set[str]:
    """Those of the changed variables that are refused by themselves."""
    return {name for name, value in changes.items() if name in complaints_alone(name, value)}


def complaints_alone(name: str, value: str) -> set[str]:
    error = outcome(read_settings, {**GOOD, name: value}, SettingsError)
    return complaints(error) if isinstance(error, SettingsError) else set()


def outcome(read: Callable[[T], R], given: T, error: type[E]) -> R | E:
    """What it is read as, or the error of this kind that refuses it."""
    try:
        return read(given)
    except error as refusal:
        return refusal


@EFFORT
def test_event_is_a_request_or_an_error_that_says_what_it_expects(effort: int, record_property: Note) -> None:
    def holds(event: Any) -> None:
        text = json.dumps(event)
        request = outcome(parse_event, event, RequestError)
        if isinstance(request, RequestError):
            assert request.hint
            assert len(str(request)) < 1000
            return
        assert all(is_instance_id(instance) and instance in text for instance in request.scope or ())
        if request.scope is None:
            assert event.get("detail-type") == "Scheduled Event" or ("action" in event and "instance" not in event)
        if request.mode is Mode.PLAN or request.force:
            assert event.get("action")

    spoiled = st.builds(lambda event, spoiling: spoiling.of(event), st.sampled_from(EVENTS), SPOILINGS)
    try_all(holds, JSON | spoiled, 150 * effort, record_property)


@EFFORT
def test_settings_are_read_or_refused_by_name_without_the_token(effort: int, record_property: Note) -> None:
    def holds(changes: dict[str, str]) -> None:
        settings = outcome(read_settings, {**GOOD, **changes}, SettingsError)
        assert TOKEN not in f"{settings!s} {settings!r}"
        if isinstance(settings, SettingsError):
            assert refused(changes) <= complaints(settings) <= changes.keys() | DRAGGED_ALONG
            return
        assert re.fullmatch(r"[a-z0-9_.-]+", settings.domain_root)
        assert TOKEN not in repr(settings)

    tokens = st.fixed_dictionaries(
        {}, optional={"CLOUDFLARE_API_TOKEN": st.sampled_from([f"{TOKEN} x", f"\n{TOKEN}é"])}
    )
    changes = st.dictionaries(st.sampled_from(sorted(VARIABLES - {"CLOUDFLARE_API_TOKEN"})), VALUES, max_size=4)
    try_all(holds, st.builds(dict.__or__, changes, tokens), 150 * effort, record_property)
