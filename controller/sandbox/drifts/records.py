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
    "another deployment owns the record at the name of a machine of ours",
    "it is left alone, no link is written, and it is reported",
)
def _foreign(scene: Scene) -> None:
    machine = scene.solo("LAUNCHED")
    scene.take_records(machine)
    scene.stray_record(machine, comment=f"{STRANGER} teacher of {machine.meeting}")
    scene.expect_records(machine, Shown(machine.address, "foreign"))
    scene.settle(machine.meeting, teacher_ec2_link=...)
    scene.expect_finding("foreign-record", machine.name)


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


DRIFTS = (_duplicates, _adopted, _orphan, _foreign, _hand_edited, _cname, _aaaa)
