"""Nine o'clock: five hundred machines start, and their events arrive in batches."""

import random

import pytest

import handler
from tests.support.build import link, name
from tests.support.events import batch, state_change
from tests.support.lambda_runtime import LambdaContext
from tests.support.servers import Clouds

pytestmark = pytest.mark.usefixtures("requests_judged")

MACHINES = 500
#: Far fewer than the queue gathers for one pass: the worst case, not the usual one.
BATCH = 100


@pytest.mark.proof
def test_a_burst_of_events_is_a_handful_of_passes_and_few_calls(clouds: Clouds) -> None:
    machines = [
        clouds.launch(f"m{number // 2}", role) for number in range(0, MACHINES, 2) for role in ("teacher", "student")
    ]
    events = [state_change(machine) for machine in machines]
    random.Random(9).shuffle(events)
    with clouds.exported():
        for start in range(0, MACHINES, BATCH):
            answer = handler.lambda_handler(batch(*events[start : start + BATCH]), LambdaContext())
            assert answer == {"batchItemFailures": []}
        calls = len(clouds.cloudflare.requests)
        assert handler.lambda_handler({"action": "plan"}, LambdaContext())["converged"]
    clouds.forget_function()
    assert calls < 30
    assert clouds.records() == {name(machine): [clouds.address(machine)] for machine in machines}
    links = {row[f"{role}_ec2_link"] for row in clouds.aws.rows.all().values() for role in ("teacher", "student")}
    assert links == set(map(link, machines))
