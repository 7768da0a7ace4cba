"""How Hypothesis works here: no deadline, no database, and in CI always the same examples.

Of a mutant (mutmut names it in the environment) any example will do: to look for a small one takes a minute each.
"""

import os

from hypothesis import HealthCheck, Phase, settings

_IS_MUTANT = "MUTANT_UNDER_TEST" in os.environ
_COMMON = {
    "deadline": None,
    "database": None,
    "derandomize": "CI" in os.environ or _IS_MUTANT,
    "phases": (Phase.explicit, Phase.generate) if _IS_MUTANT else tuple(Phase),
    "print_blob": True,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}
settings.register_profile("promise", max_examples=24, **_COMMON)  # type: ignore[arg-type]  # a mapping of several types
settings.register_profile("cheap", max_examples=100, **_COMMON)  # type: ignore[arg-type]  # likewise
settings.register_profile("costly", max_examples=8, **_COMMON)  # type: ignore[arg-type]  # likewise

#: For a pure function, for a promise with a pass or two in an example, and for one with dozens of them.
CHEAP = settings(settings.get_profile("cheap"))
PROMISE = settings(settings.get_profile("promise"))
COSTLY = settings(settings.get_profile("costly"))
