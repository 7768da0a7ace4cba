"""Other watchdogs on the same table are reported; other programs that use it are not."""

import pytest

from controller.doctor.diagnosis import Check, Status
from controller.doctor.neighbours import TABLE_USERS
from tests.support.servers import Clouds
from tests.system.doctor.deployed import FUNCTION, Deployment, deny, examined


def users(clouds: Clouds, **changes: str) -> Check:
    (found,) = [check for check in examined(clouds, **changes).checks if check.id == TABLE_USERS]
    return found


def test_deployments_own_function_is_not_another_user(clouds: Clouds, deployment: Deployment) -> None:
    deployment.whole()
    assert users(clouds).status is Status.PASS


@pytest.mark.parametrize("named", [{}, {"TABLE_NAME": "elephant-meetings"}], ids=["by default", "by name"])
def test_other_watchdog_on_the_table_is_a_warning(
    clouds: Clouds, deployment: Deployment, named: dict[str, str]
) -> None:
    deployment.whole()
    deployment.function("Staging", **named)
    found = users(clouds)
    assert (found.status, found.seen) == (Status.WARN, "The table elephant-meetings is also used by Staging.")


def test_watchdog_on_another_table_is_no_concern(clouds: Clouds, deployment: Deployment) -> None:
    deployment.function("Staging", TABLE_NAME="staging-meetings")
    assert users(clouds).status is Status.PASS


def test_launcher_may_name_the_table(clouds: Clouds, deployment: Deployment) -> None:
    deployment.function("launcher")
    environment = {"Variables": {"TABLE_NAME": "elephant-meetings"}}
    clouds.aws.client("lambda").update_function_configuration(FunctionName="launcher", Environment=environment)
    assert users(clouds).status is Status.PASS


def test_without_the_right_to_list_functions_the_check_is_skipped(clouds: Clouds) -> None:
    deny(clouds, "GET functions")
    found = users(clouds)
    assert found.status is Status.SKIP
    assert "lambda:ListFunctions" in found.seen
    assert FUNCTION not in found.seen
