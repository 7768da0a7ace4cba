"""``retire`` takes away every record with this deployment's mark, and nothing else."""

import json
import re

import pytest

from controller.sandbox.cloudflare import Reply
from tests.cli.process import CTRL_C, CTRL_D, at_a_terminal, run
from tests.clouds import OWNER, Clouds, name
from tests.faults.calls import BATCH, Call, Proxy, Rule

STRANGERS = {"elephant-dns:somebody/else": "192.0.2.61", f"elephant-dns:{OWNER}2": "192.0.2.62", None: "192.0.2.63"}


def deployment(clouds: Clouds) -> set[str]:
    """Machines with records of ours; records that are not ours stand beside them. Returns the names of ours."""
    machines = [clouds.launch(f"m{number}") for number in range(3)]
    clouds.apply()
    for comment, content in STRANGERS.items():
        clouds.seed(clouds.launch("m9"), content, comment=comment)
    clouds.cloudflare.seed("www.example.com", "192.0.2.64", comment=f"elephant-dns:{OWNER}")
    clouds.cloudflare.history.clear()
    clouds.aws.requests.clear()
    return {name(machine) for machine in machines}


def check(clouds: Clouds, *, ours: set[str]) -> None:
    """Ours are these; the others are all there, and no row was touched."""
    left = clouds.records()
    assert {content for contents in left.values() for content in contents} >= {*STRANGERS.values(), "192.0.2.64"}
    assert len(left) == len(STRANGERS) + 1 + len(ours)
    assert ours <= left.keys()
    assert not {"UpdateItem", "Scan", "GetItem"} & set(clouds.aws.operations())


def test_all_that_is_ours_goes_and_nothing_else(clouds: Clouds) -> None:
    ours = deployment(clouds)
    done = run(clouds, "retire", "--yes", "--format", "json", ADOPT_UNMARKED="true")
    assert done.returncode == 0, done.stderr
    changes = json.loads(done.stdout)["changes"]
    assert {(c["key"], c["action"], c["rule"], c["outcome"]) for c in changes} == {
        (name, "delete-record", "retire", "applied") for name in ours
    }
    assert "ElephantReconcile" in done.stderr, "what would make them again"
    assert "Meeting rows stay" in done.stderr
    check(clouds, ours=set())
    again = run(clouds, "retire", "--yes")
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.endswith("\nretire: nothing to delete; 3 other records at machines' names stay.\n")


@pytest.mark.parametrize(("typed", "code"), [(f"{OWNER}\n", 0), ("yes\n", 1), (CTRL_D, 1), (CTRL_C, 130)])
def test_the_owner_id_has_to_be_typed(clouds: Clouds, typed: str, code: int) -> None:
    ours = deployment(clouds)
    ended, shown = at_a_terminal(clouds, ["retire"], typed, question="to delete all 3 records:")
    assert ended == code
    assert all(each in shown for each in ours)
    assert re.search(r"- i-\w+\.example\.com  [\d.]+  teacher of m0\r\n", re.sub(r"\x1b\[\d*m", "", shown))
    assert "retire: 3 records to delete; 3 other records at machines' names stay." in shown
    assert ("retire: 3 applied; 3 other records" in shown) is (code == 0)
    assert ("Nothing was deleted." in shown) is (code != 0)
    assert ("That is not the owner id. Nothing was deleted." in shown) is (typed == "yes\n")
    assert max(map(len, shown.splitlines())) <= 100, "the question alone may be longer than the screen is wide"
    for false in ("instances", "meetings:", "no known meeting", "plan for"):
        assert false not in shown
    check(clouds, ours=set() if code == 0 else ours)


def test_the_warning_fits_the_screen(clouds: Clouds) -> None:
    deployment(clouds)
    warning = run(clouds, "retire", "--yes").stderr
    assert "Any pass that still runs" in warning
    assert max(map(len, warning.splitlines())) <= 80


def test_a_lost_answer_is_looked_up(clouds: Clouds) -> None:
    deployment(clouds)
    Proxy(clouds, (Rule(Call(BATCH), lambda scene: scene.proceed().lost("reset")),)).install()
    done = run(clouds, "retire", "--yes", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 applied" in done.stdout
    check(clouds, ours=set())


def test_a_refusal_is_told_and_is_exit_1(clouds: Clouds) -> None:
    ours = deployment(clouds)
    refused = Reply.of(403, {"result": None, "success": False, "errors": [{"code": 10000, "message": "no"}]})
    Proxy(clouds, (Rule(Call(BATCH), lambda scene: refused, times=None),)).install()
    done = run(clouds, "retire", "--yes")
    assert done.returncode == 1
    assert "Zone > DNS > Edit" in done.stdout
    check(clouds, ours=ours)
