"""``status --probe`` shows which links work."""

from controller.sandbox.edge import Edge
from tests.support.servers import Clouds
from tests.system.cli.process import run


def test_broken_link_makes_its_meeting_the_worst(clouds: Clouds, edge: Edge) -> None:
    machine = clouds.ready()
    works = run(clouds, "status", "--probe", ROLES="teacher", **edge.environment())
    assert "+ m1" in works.stdout
    assert "join works" in works.stdout
    edge.desktops[str(clouds.address(machine))] = "closed"
    broken = run(clouds, "status", "--probe", "--detailed-exitcode", ROLES="teacher", **edge.environment())
    assert (broken.returncode, broken.stderr) == (2, "")
    assert "refuses connections" in " ".join(broken.stdout.split())
    assert edge.requests
