"""Drifts that neither record nor row shows: somewhere behind the name the way to the desktop ends."""

from controller.sandbox.drifts.scene import Scene, drift


@drift(
    "record and link are right, and the row is HEALTHY, but the desktop server has stopped: its port is closed",
    "nothing is there to change; the probe of the links finds it and says what to do",
)
def _unreachable(scene: Scene) -> None:
    machine = scene.solo()
    scene.end.desktops[machine.address] = "closed"
    scene.end.probed.add(("link-unreachable", machine.meeting))


DRIFTS = (_unreachable,)
