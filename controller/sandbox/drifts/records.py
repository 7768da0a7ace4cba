"""Drifts that begin with a record: what somebody, or something, has done to the zone."""

from controller.sandbox.drifts.scene import STRANGER, Scene, Shown, drift


@drift("two records of ours answer at one name, one of them with an old address", "the right one alone is left")
def _duplicates(scene: Scene) -> None:
    machine = scene.solo()
    scene.stray_record(machine, next(scene.addresses))


@drift(
    "the first version, which marked nothing, made the record of a machine that still runs",
    "the record is adopted: it gets our mark",
)
def _adopted(scene: Scene) -> None:
    machine = scene.solo()
    scene.take_records(machine)
    scene.stray_record(machine, comment=None)


@drift("an unmarked record stands at the name of no machine", "it is left alone and reported: nobody knows whose it is")
def _orphan(scene: Scene) -> None:
    name, content = f"{next(scene.ids)}.{scene.cloudflare.zone_name}", next(scene.addresses)
    scene.cloudflare.seed(name, content, comment="made by hand")
    scene.end.records[name] = {Shown(content, "unmarked")}
    scene.expect_finding("unmarked-record", name)


@drift(
    "an unmarked record with another address answers beside ours at the name of a machine whose launch was missed",
    "it is left alone and reported, and no link is written: part of the users would land on a stranger's machine",
)
def _unmarked_beside(scene: Scene) -> None:
    machine = scene.solo("LAUNCHED")
    elsewhere = next(scene.addresses)
    scene.stray_record(machine, elsewhere, comment="made by hand")
    scene.expect_records(machine, Shown(machine.address), Shown(elsewhere, "unmarked"))
    scene.settle(machine.meeting, teacher_ec2_link=...)
    scene.expect_finding("unmarked-record", machine.name)


@drift(
    "another deployment's record at the name of a machine of ours leads to the machine",
    "it is left alone and reported, and the link is written, since it works",
)
def _foreign(scene: Scene) -> None:
    machine = scene.solo("DNS_WRITTEN")
    scene.take_records(machine)
    scene.stray_record(machine, comment=f"{STRANGER} teacher of {machine.meeting}")
    scene.expect_records(machine, Shown(machine.address, "foreign"))
    scene.spoil(machine.meeting, status="LAUNCHED", teacher_ec2_link=...)
    scene.expect_finding("foreign-record", machine.name)


@drift(
    "another deployment's record at the name of a machine of ours leads elsewhere",
    "it is left alone, no link is written, and it is reported",
)
def _foreign_elsewhere(scene: Scene) -> None:
    machine = scene.solo("LAUNCHED")
    scene.take_records(machine)
    elsewhere = next(scene.addresses)
    scene.stray_record(machine, elsewhere, comment=f"{STRANGER} teacher of {machine.meeting}")
    scene.expect_records(machine, Shown(elsewhere, "foreign"))
    scene.settle(machine.meeting, teacher_ec2_link=...)
    scene.expect_finding("foreign-record", machine.name)


@drift(
    "a row names the machine of another region, whose deployment has marked the record",
    "row and record are left alone, and it is reported",
)
def _elsewhere(scene: Scene) -> None:
    machine, meeting = next(scene.ids), scene.meeting()
    name, content = f"{machine}.{scene.cloudflare.zone_name}", next(scene.addresses)
    scene.cloudflare.seed(name, content, comment=f"{STRANGER} teacher of {meeting}")
    scene.end.records[name] = {Shown(content, "foreign")}
    scene.row(meeting, status="IN_PROGRESS", teacher_ec2_id=machine, teacher_ec2_link=f"https://{name}:8443")
    scene.expect_finding("foreign-instance", meeting)


@drift(
    "OWNER_ID was changed without retire, and a machine whose record has the old mark has ended",
    "the record is left alone, since nobody can prove whose it is, and it is reported",
)
def _orphaned(scene: Scene) -> None:
    machine = scene.solo()
    scene.take_records(machine)
    scene.stray_record(machine, comment=f"{scene.mark}-before teacher of {machine.meeting}")
    scene.aws.machines.terminate(machine.id)
    scene.settle(machine.meeting, status="TERMINATED", termination_reason="TIME_OVER")
    scene.expect_records(machine, Shown(machine.address, "foreign"))
    scene.expect_finding("orphaned-record", machine.name)


@drift(
    "somebody has switched off the proxy of one record, and typed a wrong address into another",
    "both records are as they should be",
)
def _hand_edited(scene: Scene) -> None:
    lesson = scene.lesson()
    for machine in lesson:
        scene.take_records(machine)
    scene.stray_record(lesson.teacher, proxied=False, ttl=120)
    scene.stray_record(lesson.student, next(scene.addresses))


@drift(
    "a CNAME stands at the name of a machine, where no address can stand beside it",
    "no record and no link are made, and it is reported",
)
def _cname(scene: Scene) -> None:
    machine = scene.solo()
    scene.take_records(machine)
    target = f"parked.{scene.cloudflare.zone_name}"
    scene.stray_record(machine, target, type="CNAME", comment=None)
    scene.expect_records(machine, Shown(target, "unmarked", "CNAME"))
    scene.settle(machine.meeting, teacher_ec2_link=...)
    scene.expect_finding("conflicting-record", machine.name)


@drift(
    "an AAAA record stands at the name of a machine whose launch was missed",
    "record and link are made beside it, and it is reported",
)
def _aaaa(scene: Scene) -> None:
    machine = scene.solo("DNS_WRITTEN")
    scene.take_records(machine)
    scene.spoil(machine.meeting, status="LAUNCHED", teacher_ec2_link=...)
    scene.stray_record(machine, "2001:db8::1", type="AAAA", comment=None)
    scene.expect_records(machine, Shown(machine.address), Shown("2001:db8::1", "unmarked", "AAAA"))
    scene.expect_finding("conflicting-record", machine.name)


DRIFTS = (
    _duplicates,
    _adopted,
    _unmarked_beside,
    _orphan,
    _foreign,
    _foreign_elsewhere,
    _elsewhere,
    _orphaned,
    _hand_edited,
    _cname,
    _aaaa,
)
