"""Drifts that begin with a machine: what the controller missed because an event was lost or not understood."""

from datetime import timedelta

from controller.sandbox.drifts.scene import RESTARTED_AGO, Scene, Shown, drift


@drift("both machines run, but their events were lost", "records and links are created, and the status is DNS_WRITTEN")
def _missed_launch(scene: Scene) -> None:
    lesson = scene.lesson("DNS_WRITTEN")
    for machine in lesson:
        scene.take_records(machine)
    scene.spoil(lesson.id, status="LAUNCHED", teacher_ec2_link=..., student_ec2_link=...)


@drift(
    "the terminator ended the meeting and its machines, but left the records",
    "the records are deleted, and the row is history",
)
def _missed_termination(scene: Scene) -> None:
    lesson = scene.lesson()
    scene.aws.machines.terminate(*(machine.id for machine in lesson))
    scene.settle(lesson.id, status="TERMINATED", termination_reason="TIME_OVER")
    for machine in lesson:
        scene.expect_records(machine)


@drift(
    "the student's machine ended so long ago that EC2 forgot it, but its record was left",
    "the record is deleted; the link leads nowhere now and stays until the meeting ends; a finding reports it",
)
def _purged(scene: Scene) -> None:
    lesson = scene.lesson("IN_PROGRESS")
    scene.aws.machines.purge(lesson.student.id)
    scene.launched -= 1
    scene.expect_records(lesson.student)
    scene.expect_finding("instance-not-seen", lesson.id)


@drift(
    "all machines of the day before yesterday's meeting ended while nobody looked, and EC2 forgot them",
    "their records are deleted, and the meeting is TERMINATED",
)
def _forgotten(scene: Scene) -> None:
    lesson = scene.lesson("IN_PROGRESS")
    scene.settle(lesson.id, meet_time=f"{scene.now - timedelta(days=2):%Y-%m-%dT%H:%M:%S+00:00}")
    scene.aws.machines.purge(*(machine.id for machine in lesson))
    scene.launched -= 2
    for machine in lesson:
        scene.expect_records(machine)
    scene.expect(
        lesson.id,
        status="TERMINATED",
        termination_reason="INSTANCES_GONE",
        teacher_ec2_link=...,
        student_ec2_link=...,
    )


@drift(
    "the same, but the meeting never got further than LAUNCHED, so perhaps its machines never existed",
    "the record is deleted; the row stays, and a finding reports it",
)
def _late(scene: Scene) -> None:
    machine = scene.solo("DNS_WRITTEN")
    day = f"{scene.now - timedelta(days=4):%Y-%m-%d}"
    scene.settle(machine.meeting, status="LAUNCHED", meet_time=day)
    scene.aws.machines.purge(machine.id)
    scene.launched -= 1
    scene.expect_records(machine)
    scene.expect_finding("meeting-late", machine.meeting)
    scene.expect_finding("instance-not-seen", machine.meeting)


@drift("a lesson of yesterday left its machine running", "nothing is ended while it is up, and findings report it")
def _overdue(scene: Scene) -> None:
    machine = scene.solo("IN_PROGRESS")
    long_ago = scene.now - timedelta(hours=20)
    scene.settle(machine.meeting, meet_time=f"{long_ago:%Y-%m-%dT%H:%M:%S+00:00}")
    scene.aws.machines.set_launch(machine.id, long_ago)
    scene.expect_finding("machine-overdue", machine.id)
    scene.expect_finding("meeting-late", machine.meeting)


@drift("stopped and started, a machine has another address", "the record has the new address")
def _address_changed(scene: Scene) -> None:
    machine = scene.solo()
    scene.aws.machines.stop(machine.id)
    scene.aws.machines.start(machine.id, launched_at=scene.now - RESTARTED_AGO)
    address = next(scene.addresses)  # instead of the one that moto drew: a fleet is the same for the same seed
    scene.aws.machines.set_address(machine.id, address)
    scene.expect_records(machine, Shown(address))


@drift(
    "a machine was stopped; its address may be a stranger's by now",
    "record and link are removed, and the meeting continues",
)
def _stopped(scene: Scene) -> None:
    machine = scene.solo()
    scene.aws.machines.stop(machine.id)
    scene.expect_records(machine)
    scene.expect(machine.meeting, teacher_ec2_link=...)


@drift(
    "the student's machine ended, the teacher's continues",
    "the student's record and link are removed, and the status stays HEALTHY",
)
def _one_role_gone(scene: Scene) -> None:
    lesson = scene.lesson()
    scene.aws.machines.terminate(lesson.student.id)
    scene.expect_records(lesson.student)
    scene.expect(lesson.id, student_ec2_link=...)


@drift(
    "in a meeting in progress a link leads to a machine that ended, and its record is already gone",
    "the dead link is removed, and the status stays IN_PROGRESS",
)
def _dead_link(scene: Scene) -> None:
    lesson = scene.lesson("IN_PROGRESS")
    scene.aws.machines.terminate(lesson.student.id)
    scene.take_records(lesson.student)
    scene.expect_records(lesson.student)
    scene.expect(lesson.id, student_ec2_link=...)


@drift(
    "all machines of a meeting ended, but nobody updated its row",
    "records and links are removed, and the meeting is TERMINATED",
)
def _all_gone(scene: Scene) -> None:
    lesson = scene.lesson()
    scene.aws.machines.terminate(*(machine.id for machine in lesson))
    for machine in lesson:
        scene.expect_records(machine)
    scene.expect(
        lesson.id,
        status="TERMINATED",
        termination_reason="INSTANCES_GONE",
        teacher_ec2_link=...,
        student_ec2_link=...,
    )


@drift("a machine ended, and another one replaced it", "the link leads to the new machine")
def _replaced(scene: Scene) -> None:
    old = scene.solo()
    scene.aws.machines.terminate(old.id)
    scene.expect_records(old)
    new = scene.machine(old.meeting, old.role)
    scene.expect_records(new, Shown(new.address))
    scene.expect(old.meeting, teacher_ec2_link=new.link)


@drift(
    "two machines serve one role; the row names the first",
    "both have their record, the link leads to the one that the row names, and a finding reports the other",
)
def _two_serving(scene: Scene) -> None:
    named = scene.solo()
    other = scene.machine(named.meeting, named.role)
    scene.expect_records(other, Shown(other.address))
    scene.expect_finding("several-serving", named.meeting)


@drift("a meeting is TERMINATED, but one of its machines still runs", "a finding reports it, because it costs money")
def _outlived(scene: Scene) -> None:
    machine = scene.solo()
    scene.settle(machine.meeting, status="TERMINATED", termination_reason="TIME_OVER")
    scene.expect_finding("terminated-meeting-alive", machine.meeting)


@drift("a machine runs for a meeting that has no row", "it has its record, no row is created, and a finding reports it")
def _rowless(scene: Scene) -> None:
    machine = scene.machine(scene.meeting(), "teacher")
    scene.expect_records(machine, Shown(machine.address))
    scene.end.rows[machine.meeting] = None
    scene.expect_finding("missing-meeting", machine.meeting)


@drift(
    "a machine lost its tags during a lesson",
    "record and link stay, because they lead to the right machine, and a finding reports it",
)
def _untagged(scene: Scene) -> None:
    machine = scene.solo("IN_PROGRESS")
    scene.aws.machines.set_tags(machine.id, {})
    scene.expect_finding("untagged-instance", machine.id)


@drift(
    "a machine's tags name no meeting and an unknown role",
    "its record has the machine's address and stays until it stops, and a finding reports it",
)
def _unclaimed(scene: Scene) -> None:
    tags = {"Project": "Elephant", "MeetingID": " ", "Role": "teacher; DROP TABLE <b>meetings</b>"}
    machine = scene.machine("no meeting", "nobody", tags=tags)
    scene.record(machine)
    scene.expect_finding("unclaimed-instance", machine.id)


@drift(
    "a machine's tags name another meeting, which has no row",
    "record and link stay as they are, and a finding reports it",
)
def _moved(scene: Scene) -> None:
    machine = scene.solo()
    elsewhere = scene.meeting()
    scene.aws.machines.set_tags(machine.id, {"Project": "Elephant", "MeetingID": elsewhere, "Role": machine.role})
    scene.expect_finding("missing-meeting", elsewhere)
    scene.expect_finding("wrong-instance", machine.meeting)


@drift(
    "EC2 shows a running machine without its address, perhaps for a moment only",
    "record and link stay, because the record is younger than the machine's launch, and a finding reports it",
)
def _no_address(scene: Scene) -> None:
    machine = scene.solo()
    scene.aws.machines.set_address(machine.id, None)
    scene.expect_finding("no-public-address", machine.id)


@drift(
    "a machine was stopped and started while nobody looked, and has no address yet; its record has the old one",
    "the record is deleted, because its last write was before the start",
)
def _restarted(scene: Scene) -> None:
    machine = scene.solo()
    scene.aws.machines.stop(machine.id)
    scene.aws.machines.start(machine.id, launched_at=scene.now - timedelta(minutes=1))
    scene.aws.machines.set_address(machine.id, None)
    scene.expect_records(machine)


@drift("a machine's only address is a private one", "no record and no link are created, and a finding reports it")
def _private_address(scene: Scene) -> None:
    meeting = scene.meeting()
    machine = scene.machine(meeting, "teacher", address="10.20.30.40")
    scene.row(meeting, status="LAUNCHED", teacher_ec2_id=machine.id)
    scene.expect_finding("address-not-routable", machine.name)


DRIFTS = (
    _missed_launch,
    _missed_termination,
    _purged,
    _forgotten,
    _late,
    _overdue,
    _address_changed,
    _stopped,
    _one_role_gone,
    _dead_link,
    _all_gone,
    _replaced,
    _two_serving,
    _outlived,
    _rowless,
    _untagged,
    _unclaimed,
    _moved,
    _no_address,
    _restarted,
    _private_address,
)
