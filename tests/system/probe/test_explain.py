"""``explain --probe`` goes the way of a user's browser, and says where it ends."""

from controller.sandbox.edge import Edge
from tests.support.build import link
from tests.support.servers import Clouds
from tests.system.cli.process import run


def explained(clouds: Clouds, edge: Edge, subject: str) -> str:
    """What it says of the way; the lines fit the screen, and nothing was written."""
    done = run(clouds, "explain", subject, "--probe", **edge.environment())
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert clouds.cloudflare.history == []
    assert "UpdateItem" not in clouds.aws.operations()
    return " ".join(done.stdout.partition("the way of a user's browser")[2].split())


def test_probe_names_the_part_of_the_way_that_fails(clouds: Clouds, edge: Edge) -> None:
    machine = clouds.ready()
    edge.desktops[str(clouds.address(machine))] = "closed"
    text = explained(clouds, edge, "m1")
    assert f"{link(machine)}: broken. The desktop of {machine}.example.com refuses connections" in text
    assert "Start the desktop server" in text


def test_probe_says_that_the_way_works(clouds: Clouds, edge: Edge) -> None:
    machine = clouds.ready()
    assert f"{link(machine)}: works." in explained(clouds, edge, machine)


def test_link_without_its_record_is_not_probed(clouds: Clouds, edge: Edge) -> None:
    assert "Not probed" in explained(clouds, edge, clouds.launch())
    assert edge.requests == []


def test_broken_link_turns_the_answer_to_no(clouds: Clouds, edge: Edge) -> None:
    machine = clouds.ready()
    edge.desktops[str(clouds.address(machine))] = "closed"
    said = " ".join(run(clouds, "explain", "m1", "--probe", **edge.environment()).stdout.split())
    assert said.startswith("The teacher can join: no, because the link does not work: The desktop of")
