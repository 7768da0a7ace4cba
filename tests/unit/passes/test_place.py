"""Whether this is the right place to look: an owner id that names another one stops every pass before it reads."""

from datetime import timedelta

import pytest

from controller import retire
from controller.errors import MismatchError
from controller.model import Mode, Outcome, Request
from controller.reconcile import Decide, decide, reconcile
from tests.support.build import NOW, OTHER, TEACHER, machine, record, row, settings
from tests.support.memory import Clouds, readings

ANOTHER = ["210987654321/us-west-2", "123456789012/eu-west-1", "210987654321/us-west-2/staging", "eu-west-1"]
SCOPE = frozenset({TEACHER})


@pytest.mark.parametrize("owner", ANOTHER)
@pytest.mark.parametrize("decider", [decide, retire.decide], ids=["pass", "retire"])
@pytest.mark.parametrize(
    "request_",
    [Request(Mode.PLAN), Request(Mode.APPLY), Request(Mode.APPLY, force=True), Request(Mode.APPLY, SCOPE)],
    ids=["plan", "apply", "force", "scoped"],
)
def test_an_owner_id_of_another_account_or_region_stops_it(owner: str, decider: Decide, request_: Request) -> None:
    clouds = Clouds(readings([machine()]), [record(comment=f"elephant-dns:{owner}")])
    with pytest.raises(
        MismatchError, match=f"OWNER_ID {owner} names another account or region than 123456789012/us"
    ) as e:
        reconcile(request_, clouds.its(settings(OWNER_ID=owner)), decide=decider)
    assert "Nothing was planned" in e.value.hint
    assert (clouds.calls, clouds.writes) == ([], [])


@pytest.mark.parametrize("owner", ["123456789012/us-west-2/staging", "123456789012/staging", "school", "us-west-2"])
def test_an_owner_id_with_a_name_or_without_a_place_passes(owner: str) -> None:
    marked = record(comment=f"elephant-dns:{owner}")
    for decider, left in ((decide, 1), (retire.decide, 0)):
        clouds = Clouds(readings([machine()]), [marked])
        reconcile(Request(Mode.APPLY), clouds.its(settings(OWNER_ID=owner)), decide=decider)
        assert len(clouds.held) == left


def vanished(owner: str) -> Clouds:
    """A machine that EC2 does not show any more, its old record, and its meeting of the day before yesterday."""
    lesson = row(status="HEALTHY", ids={"teacher": TEACHER}, meet_time=(NOW - timedelta(days=2)).isoformat())
    return Clouds(readings([machine(OTHER, meeting="m2")]), [record(comment=f"elephant-dns:{owner}")], [lesson])


def applied(owner: str, *, force: bool = False, clouds: Clouds | None = None) -> tuple[bool, set[Outcome], bool]:
    clouds = clouds or vanished(owner)
    report = reconcile(Request(Mode.APPLY, force=force), clouds.its(settings(OWNER_ID=owner)))
    resting = {result.outcome for result in report.results if result.change.evidence}
    return report.guard.tripped, resting, report.ended_well


def test_where_the_place_is_named_absence_is_believed() -> None:
    assert applied("123456789012/us-west-2/staging") == (False, {Outcome.APPLIED}, True)


def test_unnamed_place_holds_absence_changes_and_fails_the_pass() -> None:
    assert applied("school") == (True, {Outcome.GUARDED}, False)


def test_force_lets_it_through() -> None:
    assert applied("school", force=True) == (False, {Outcome.APPLIED}, True)


def test_a_machine_of_ours_that_ec2_shows_proves_the_place() -> None:
    clouds = vanished("school")
    clouds.held["r2"] = record(OTHER, id="r2", comment="elephant-dns:school")
    assert applied("school", clouds=clouds) == (False, {Outcome.APPLIED}, True)


def test_what_is_held_holds_nothing_else() -> None:
    clouds = vanished("school")
    applied("school", clouds=clouds)
    assert [what for _, what in clouds.writes] == [f"create-record {OTHER}"]
