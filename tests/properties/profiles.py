"""How Hypothesis works here: no deadline, no database, and in CI always the same examples."""

import os

from hypothesis import HealthCheck, settings

_COMMON = {
    "deadline": None,
    "database": None,
    "derandomize": "CI" in os.environ,
    "print_blob": True,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}
settings.register_profile("promise", max_examples=40, **_COMMON)  # type: ignore[arg-type]  # a mapping of several types
settings.register_profile("costly", max_examples=12, **_COMMON)  # type: ignore[arg-type]  # likewise

#: For a promise whose example is a pass or two, and for one whose example is dozens of them.
PROMISE = settings(settings.get_profile("promise"))
COSTLY = settings(settings.get_profile("costly"))
