"""Drifts that begin with a row: what launcher, health check, join function and people wrote into the table."""

from datetime import timedelta

from controller.sandbox.drifts.scene import Scene, drift


@drift(
    "the health check was faster than DNS: the row is HEALTHY before there is a record",
    "record and link are created, and the status stays HEALTHY",
)
def _healthy_before_dns(scene: Scene) -> None:
    machine = scene.solo("HEALTHY")
    scene.take_records(machine)
    scene.spoil(machine.meeting, teacher_ec2_link=...)


@drift(
    "the launcher wrote LAUNCHED over DNS_WRITTEN, while record and link are right",
    "the status is DNS_WRITTEN again",
)
def _launched_again(scene: Scene) -> None:
    machine = scene.solo("DNS_WRITTEN")
    scene.spoil(machine.meeting, status="LAUNCHED")


@drift(
    "a row names, and links to, the machine of another meeting",
    "the link is removed, so that nobody lands on a stranger's desktop, and a finding reports it",
)
def _astray(scene: Scene) -> None:
    right, wrong = scene.solo(), scene.meeting()
    scene.row(wrong, status="HEALTHY", teacher_ec2_id=right.id, teacher_ec2_link=right.link)
    scene.expect(wrong, teacher_ec2_link=...)
    scene.expect_finding("wrong-instance", wrong)


@drift(
    "a row has another project's status, and its link is missing",
    "the link is written, the status stays, and a finding reports it",
)
def _unknown_status(scene: Scene) -> None:
    machine = scene.solo("PAUSED_BY_SUPPORT")
    scene.spoil(machine.meeting, teacher_ec2_link=...)
    scene.expect_finding("odd-row", machine.meeting)


@drift("a row has numbers and maps instead of strings", "it stays, and findings report it")
def _wrong_types(scene: Scene) -> None:
    meeting = scene.meeting()
    scene.row(meeting, status=7, teacher_ec2_id={"id": ["i-1", None]}, student_ec2_link=True, meet_time=20261123)
    scene.expect_finding("odd-row", meeting)


@drift("a row names a machine that EC2 does not know, perhaps not yet", "it stays, and a finding reports it")
def _not_seen(scene: Scene) -> None:
    meeting = scene.meeting()
    scene.row(meeting, status="LAUNCHED", teacher_ec2_id=next(scene.ids))
    scene.expect_finding("instance-not-seen", meeting)


@drift("nobody launched a meeting that should have begun", "it stays, and a finding reports it")
def _not_launched(scene: Scene) -> None:
    meeting = scene.meeting()
    scene.row(meeting, status="SCHEDULED", meet_time=f"{scene.now - timedelta(hours=1):%Y-%m-%dT%H:%M:%S+00:00}")
    scene.expect_finding("not-launched", meeting)


@drift("a meeting began without its student's machine", "the teacher is served, and a finding reports it")
def _role_missing(scene: Scene) -> None:
    machine = scene.solo("IN_PROGRESS")
    begun = scene.now - timedelta(hours=1)
    scene.settle(machine.meeting, meet_time=f"{begun:%Y-%m-%dT%H:%M:%S+00:00}")
    scene.expect_finding("role-not-launched", machine.meeting)


@drift("record and link are right, but the desktop never became healthy", "it stays, and a finding reports it")
def _never_healthy(scene: Scene) -> None:
    machine = scene.solo("DNS_WRITTEN")
    scene.aws.machines.set_launch(machine.id, scene.now - timedelta(hours=1))
    scene.expect_finding("never-healthy", machine.meeting)


DRIFTS = (
    _healthy_before_dns,
    _launched_again,
    _astray,
    _unknown_status,
    _wrong_types,
    _not_seen,
    _not_launched,
    _role_missing,
    _never_healthy,
)
