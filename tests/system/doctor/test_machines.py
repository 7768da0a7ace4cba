"""The project's tag against the machines that the meetings name."""

import pytest

from controller.doctor.diagnosis import Check, Status
from tests.support.servers import Clouds
from tests.system.doctor.deployed import deny, part

OTHER = {"PROJECT_TAG": "Project=Other", "OWNER_ID": "123456789012/us-west-2/other"}
TAG = "project-tag"


def of(clouds: Clouds, id: str = TAG, **changes: str) -> Check:
    (found,) = [check for check in part(clouds, TAG, **changes) if check.id == id]
    return found


def test_a_tag_that_marks_what_meetings_name_passes(clouds: Clouds) -> None:
    clouds.launch()
    clouds.aws.rows.put("m2", status="LAUNCHED", teacher_ec2_id="i-0000000000000000a")
    said = of(clouds)
    assert said.status is Status.PASS
    assert said.seen == "Of 2 machines that live meetings name, 1 have the tag Project=Elephant."


def test_a_wrong_tag_fails_where_the_machines_run(clouds: Clouds) -> None:
    machine = clouds.launch()
    said = of(clouds, **OTHER)
    assert said.status is Status.FAIL
    assert f"none has the tag Project=Other: 1 of them run in us-west-2 without it, such as {machine}." in said.seen
    assert said.fix.startswith("Correct PROJECT_TAG")


def test_a_tag_of_other_machines_alone_fails(clouds: Clouds) -> None:
    clouds.launch()
    clouds.aws.machines.launch("x", "teacher", tags={"Project": "Other"})
    assert "tagged Project=Other in us-west-2: 1." in of(clouds, "ec2:DescribeInstances", **OTHER).seen
    assert of(clouds, **OTHER).status is Status.FAIL


def test_a_tag_in_another_case_fails(clouds: Clouds) -> None:
    clouds.launch()
    assert of(clouds, **{**OTHER, "PROJECT_TAG": "Project=elephant"}).status is Status.FAIL


@pytest.mark.parametrize("state", ["terminated", None], ids=["ended", "never-seen"])
def test_machines_that_do_not_run_here_warn_of_the_region(clouds: Clouds, state: str | None) -> None:
    if state:
        clouds.launch(state=state)
    else:
        clouds.aws.rows.put("m1", status="LAUNCHED", teacher_ec2_id="i-0000000000000000a")
    said = of(clouds, **OTHER)
    assert (said.status, "or runs in us-west-2" in said.seen) == (Status.WARN, True)
    assert "AWS_REGION" in said.fix


def test_without_a_live_meeting_the_tag_is_not_judged(clouds: Clouds) -> None:
    clouds.aws.rows.put("m1", status="TERMINATED", teacher_ec2_id="i-0000000000000000a")
    clouds.aws.rows.put("m2", status="LAUNCHED", teacher_ec2_id="not an id")
    said = of(clouds)
    assert (said.status, "AWS_REGION or PROJECT_TAG is wrong" in said.seen) == (Status.PASS, True)


@pytest.mark.parametrize("operation", ["Scan", "DescribeInstances"])
def test_a_reading_that_is_denied_skips_the_tag(clouds: Clouds, operation: str) -> None:
    deny(clouds, operation)
    assert of(clouds).status is Status.SKIP
