"""Drifts that begin with a record: what people or programs did to the zone."""

from controller.sandbox.drifts.scene import STRANGER, Scene, Shown, drift


@drift("two own records answer at one name, one of them with an old address", "only the right one is left")
def _duplicates(scene: Scene) -> None:
    machine = scene.solo()
    scene.stray_record(machine, next(scene.addresses))


@drift(
    "the first version, which marked nothing, created the record of a machine that still runs",
    "the record is adopted and gets our mark",
)
def _adopted(scene: Scene) -> None:
    machine = scene.solo()
    scene.take_records(machine)
    scene.stray_record(machine, comment=None)


@drift(
    "an unmarked record has a name without a machine",
    "it stays, because its owner is unknown, and a finding reports it",
)
def _orphan(scene: Scene) -> None:
    name, content = f"{next(scene.ids)}.{scene.cloudflare.zone_name}", next(scene.addresses)
    scene.cloudflare.seed(name, content, comment="created by hand")
    scene.end.records[name] = {Shown(content, "unmarked")}
    scene.expect_finding("unmarked-record", name)


@drift(
    "an unmarked record with another address answers beside the own one of a machine, and its launch was missed",
    "it stays, a finding reports it, and no link is written: some users would land on a stranger's machine",
)
def _unmarked_beside(scene: Scene) -> None:
    machine = scene.solo("LAUNCHED")
    elsewhere = next(scene.addresses)
    scene.stray_record(machine, elsewhere, comment="created by hand")
    scene.expect_records(machine, Shown(machine.address), Shown(elsewhere, "unmarked"))
    scene.settle(machine.meeting, teacher_ec2_link=...)
    scene.expect_finding("unmarked-record", machine.name)


@drift(
    "another deployment's record at the name of our machine leads to the machine",
    "it stays, a finding reports it, and the link is written, because it works",
)
def _foreign(scene: Scene) -> None:
    machine = scene.solo("DNS_WRITTEN")
    scene.take_records(machine)
    scene.stray_record(machine, comment=f"{STRANGER} teacher of {machine.meeting}")
    scene.expect_records(machine, Shown(machine.address, "foreign"))
    scene.spoil(machine.meeting, status="LAUNCHED", teacher_ec2_link=...)
    scene.expect_finding("foreign-record", machine.name)


@drift(
    "another deployment's record at the name of our machine leads elsewhere",
    "it stays, no link is written, and a finding reports it",
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
    "a row names a machine of another region, and its record carries that deployment's mark",
    "row and record stay, and a finding reports it",
)
def _elsewhere(scene: Scene) -> None:
    machine, meeting = next(scene.ids), scene.meeting()
    name, content = f"{machine}.{scene.cloudflare.zone_name}", next(scene.addresses)
    scene.cloudflare.seed(name, content, comment=f"{STRANGER} teacher of {meeting}")
    scene.end.records[name] = {Shown(content, "foreign")}
    scene.row(meeting, status="IN_PROGRESS", teacher_ec2_id=machine, teacher_ec2_link=f"https://{name}:8443")
    scene.expect_finding("foreign-instance", meeting)


@drift(
    "OWNER_ID was changed without retire, and a machine ended, with the old mark on its record",
    "the record stays, because nobody can prove its owner, and a finding reports it",
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
    "somebody switched off the proxy of one record and typed a wrong address into another",
    "both records are fixed",
)
def _hand_edited(scene: Scene) -> None:
    lesson = scene.lesson()
    for machine in lesson:
        scene.take_records(machine)
    scene.stray_record(lesson.teacher, proxied=False, ttl=120)
    scene.stray_record(lesson.student, next(scene.addresses))


@drift(
    "the name of a machine has a CNAME, which excludes an address beside it",
    "no record and no link are created, and a finding reports it",
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
    "the name of a machine has an AAAA record, and the machine's launch was missed",
    "record and link are created beside it, and a finding reports it",
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
