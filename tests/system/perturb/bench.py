"""The fixture of the tests that run the workload, as a plugin that their files name."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

import handler
from controller.bootstrap import Controller
from tests.support.clock import FastClock
from tests.system.faults.trial import Workshop
from tests.system.perturb.recorder import Journals
from tests.system.perturb.theatre import Theatre


@dataclass
class Process(handler.Process):
    """The function's process, where clients outlive it: making them takes longer than many a run."""

    workshop: Workshop
    clock: FastClock
    own: Controller | None = None

    def controller(self, function_arn: str) -> Controller:
        self.own = self.own or self.workshop.controller(self.clock, ())
        return self.own

    def end(self) -> None:
        self.own = None


@pytest.fixture(scope="module")
def theatre(session_workshop: Workshop) -> Iterator[Theatre]:
    """A function with clients that are created once, and a clock that does not wait."""
    clock, journals = FastClock(), Journals()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handler, "process", Process(session_workshop, clock))
        journals.install(patch)
        yield Theatre(session_workshop, clock, journals)
