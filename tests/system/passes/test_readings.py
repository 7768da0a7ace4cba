"""The whole drifted fleet under every reading of what Cloudflare's documentation leaves open."""

from dataclasses import replace

import pytest

from controller.sandbox.cloudflare import QUIRK_SETS, Quirks
from controller.sandbox.fleet import seed
from tests.support.servers import Clouds

pytestmark = pytest.mark.usefixtures("requests_judged")


@pytest.mark.parametrize(
    ("quirks", "plan"),
    # Each reading on one of the plans; `make proof` tries the other.
    [
        pytest.param(quirks, plan, id=f"{name}-{plan}", marks=[pytest.mark.proof] if (number + n) % 2 else [])
        for number, (name, quirks) in enumerate(QUIRK_SETS.items())
        for n, plan in enumerate(("free", "pro"))
    ],
)
def test_one_pass_repairs_every_drift_the_next_plans_nothing(clouds: Clouds, quirks: Quirks, plan: str) -> None:
    # The seeded bystanders have relative names; our client never sends one.
    clouds.reset(quirks=replace(quirks, outside_name_refused=False), plan=plan)
    fleet = seed(clouds.aws, clouds.cloudflare)
    assert clouds.apply().converged
    assert {played.drift.name: fleet.differences(played.end) for played in fleet.drifts} == {
        played.drift.name: [] for played in fleet.drifts
    }
    assert fleet.touched() == []
    clouds.plan()  # a listing may be one write behind
    assert not clouds.plan().results
