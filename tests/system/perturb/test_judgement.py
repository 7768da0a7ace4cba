"""The judgement itself: a controller that breaks a promise is noticed, and a perturbation that perturbs nothing."""

from collections.abc import Callable

import pytest

from controller import reconcile
from controller.rules import facts, meetings
from controller.rules.facts import Facts
from controller.rules.ownership import Owner
from tests.system.faults.calls import Call
from tests.system.perturb.kinds import KINDS
from tests.system.perturb.stage import Stage
from tests.system.perturb.theatre import Theatre
from tests.system.perturb.workload import WORKLOAD

pytest_plugins = ("tests.system.faults.bench", "tests.system.perturb.bench")
pytestmark = pytest.mark.usefixtures("workshop")

Break = Callable[[pytest.MonkeyPatch], None]
BROKEN: dict[str, tuple[Break, str]] = {
    "its reason": (lambda p: p.setattr(meetings, "REASON_GONE", "OVER"), "terminated with the reason OVER"),
    "the grace period": (lambda p: p.setattr(Facts, "is_old", lambda *_: True), "its machine is absent, which is not"),
    "a starting machine": (lambda p: p.setattr(meetings, "_verdict", lambda *_: ("", "")), "was removed, which is"),
    "the second look": (
        lambda p: p.setattr(reconcile, "at_stake", lambda _: frozenset()),
        "was not described once more",
    ),
    "another deployment": (lambda p: p.setattr(facts, "owner_of", lambda *_: Owner.OURS), "changed, and foreign"),
}


@pytest.mark.parametrize(("broken", "sentence"), BROKEN.values(), ids=BROKEN)
def test_a_controller_that_disregards_something_is_noticed(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch, broken: Break, sentence: str
) -> None:
    broken(monkeypatch)
    found = Stage(theatre.workshop, theatre.clock, theatre.journals).run(WORKLOAD)
    assert any(sentence in wrong for wrong in found), found


def test_a_perturbation_that_perturbs_nothing_is_noticed(theatre: Theatre) -> None:
    assert theatre.play((Call("list", 99), KINDS[0])) == ["nothing happened"]


def test_a_write_that_no_pass_knows_of_is_noticed(theatre: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(theatre.workshop, theatre.clock, theatre.journals)
    monkeypatch.setattr("tests.system.perturb.recorder.noted", lambda this, _: this)
    assert any("no pass knows of it" in wrong for wrong in stage.run(WORKLOAD))
