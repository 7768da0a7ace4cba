"""The fixture of the tests that run the workload, as a plugin that their files name."""

from collections.abc import Iterator
from functools import cache

import pytest

import handler
from tests.faults.clock import FastClock
from tests.faults.trial import Workshop
from tests.perturb.journal import Journals
from tests.perturb.theatre import Theatre


@pytest.fixture(scope="module")
def theatre(session_workshop: Workshop) -> Iterator[Theatre]:
    """A function whose clients are made once, and whose clock does not wait."""
    clock, journals = FastClock(), Journals()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handler, "_controller", cache(lambda function_arn: session_workshop.controller(clock, ())))
        journals.install(patch)
        yield Theatre(session_workshop, clock, journals)
