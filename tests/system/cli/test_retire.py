"""``retire`` takes away every record with this deployment's mark, and nothing else."""

import json
import re
from collections.abc import Sequence

import pytest

from controller.sandbox.cloudflare import Reply
from tests.support.build import MARK, OWNER, name
from tests.support.servers import Clouds, refusal
from tests.system.cli.process import CTRL_C, CTRL_D, at_a_terminal, run
from tests.system.doctor.deployed import deny, instead
from tests.system.faults.calls import BATCH, Call, Proxy, Rule

RULES = ("ElephantReconcile", "ElephantEC2StateWatch", "ElephantTagWatch")
STRANGERS = {"elephant-dns:somebody/else": "192.0.2.61", f"elephant-dns:{OWNER}2": "192.0.2.62", None: "192.0.2.63"}


def deployment(clouds: Clouds) -> set[str]:
    """Launch machines with own records, beside other owners' records. Return the names of the own records."""
    machines = [clouds.launch(f"m{number}") for number in range(3)]
    clouds.apply()
    for comment, content in STRANGERS.items():
        clouds.seed(clouds.launch("m9"), content, comment=comment)
    clouds.cloudflare.seed("www.example.com", "192.0.2.64", comment=MARK)
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


def test_retire_deletes_own_records_and_no_others(clouds: Clouds) -> None:
    ours = deployment(clouds)
    done = run(clouds, "retire", "--yes", "--format", "json", ADOPT_UNMARKED="true")
    assert done.returncode == 0, done.stderr
    changes = json.loads(done.stdout)["changes"]
    assert {(c["key"], c["action"], c["rule"], c["outcome"]) for c in changes} == {
        (name, "delete-record", "retire", "applied") for name in ours
    }
    assert "ElephantReconcile" in done.stderr, "what would create them again"
    assert "Meeting rows stay" in done.stderr
    check(clouds, ours=set())


@pytest.mark.parametrize("arguments", [["--yes"], ["--yes", "--format", "json", "--quiet"]])
def test_retire_without_own_records_lists_other_owners(clouds: Clouds, arguments: list[str]) -> None:
    deployment(clouds)
    clouds.seed(clouds.launch("m9"), "192.0.2.65", comment="elephant-dns:somebody/else teacher of m9")
    before = clouds.records()
    done = run(clouds, "retire", *arguments, OWNER_ID="laptop")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[0].endswith("carries the mark of laptop. Records of other owners:")
    told = [line.strip() for line in done.stderr.splitlines()[1:-1]]
    assert told == [f"{OWNER}: 3", f"{OWNER}2: 1", "somebody/else: 2"]
    assert "Nothing was deleted" in done.stderr.splitlines()[-1]
    assert clouds.records() == before


def test_other_owners_are_listed_before_any_question(clouds: Clouds) -> None:
    deployment(clouds)
    code, shown = at_a_terminal(clouds, ["retire"], OWNER_ID="laptop")
    assert (code, f"{OWNER}: 3" in shown, "Type the owner id" in shown) == (1, True, False)


def test_zone_without_owners_has_nothing_to_delete(clouds: Clouds) -> None:
    clouds.seed(clouds.launch(), "192.0.2.63", comment=None)
    done = run(clouds, "retire", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("\nretire: nothing to delete; 1 other record at machines' names stays.\n")


@pytest.mark.parametrize(("owner", "region"), [(OWNER, "eu-west-1"), ("210987654321/us-west-2/x", "us-west-2")])
def test_an_owner_id_of_another_place_deletes_nothing(clouds: Clouds, owner: str, region: str) -> None:
    deployment(clouds)
    before = clouds.records()
    done = run(clouds, "retire", "--yes", OWNER_ID=owner, AWS_REGION=region)
    assert (done.returncode, "names another account or region" in done.stderr) == (1, True)
    assert clouds.records() == before


def warned(clouds: Clouds, *arguments: str) -> str:
    """What it says before it deletes everything, on one line."""
    done = run(clouds, "retire", "--yes", *arguments)
    assert (done.returncode, "3 applied" in done.stdout) == (0, True), done.stderr
    assert max(map(len, done.stderr.splitlines())) <= 80
    return " ".join(done.stderr.split())


def test_retire_counts_records_that_lead_to_running_machines(clouds: Clouds) -> None:
    stopped, forgotten, _ = (ours.partition(".")[0] for ours in sorted(deployment(clouds)))
    clouds.aws.machines.stop(stopped)
    clouds.aws.machines.purge(forgotten)
    assert "Of 3 records to delete 1 leads to a machine that is up. Its users lose" in warned(clouds)


def test_record_with_another_address_leads_to_no_machine(clouds: Clouds) -> None:
    for number in range(3):
        clouds.seed(clouds.launch(f"m{number}"), "192.0.2.9")
    assert "Of 3 records to delete none leads to a machine that is up." in warned(clouds)


@pytest.mark.parametrize("trouble", ["DescribeInstances", "DescribeRule"])
def test_denied_check_does_not_stop_retire(clouds: Clouds, trouble: str) -> None:
    deployment(clouds)
    deny(clouds, trouble)
    told = warned(clouds)
    assert f"could not be checked: {'ec2' if trouble == 'DescribeInstances' else 'events'}:{trouble} on" in told
    assert f"Allow the action {'ec2' if trouble == 'DescribeInstances' else 'events'}:{trouble} on" in told
    assert ("3 lead to machines that are up" in told) is (trouble == "DescribeRule")
    assert ("Switch off cron" in told) is (trouble == "DescribeInstances")
    check(clouds, ours=set())


def test_silent_cloud_does_not_stop_retire(clouds: Clouds) -> None:
    deployment(clouds)
    instead(clouds, ["DescribeInstances"], lambda scene: Reply.nothing("keep").delayed(600))
    told = warned(clouds, "--deadline", "12")
    assert "Whether machines are up could not be checked" in told
    check(clouds, ours=set())


def make_rules(clouds: Clouds, suffix: str, **states: str) -> None:
    events = clouds.aws.client("events")
    for rule, state in states.items():
        events.put_rule(Name=f"{rule}{suffix}", ScheduleExpression="rate(5 minutes)", State=state)


@pytest.mark.parametrize("suffix", ["", "-staging"])
@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (RULES, "The rules ElephantReconcile{0}, ElephantEC2StateWatch{0} and ElephantTagWatch{0} are ON:"),
        (RULES[1:], "The rules ElephantEC2StateWatch{0} and ElephantTagWatch{0} are ON:"),
        *(([rule], f"The rule {rule}{{0}} is ON:") for rule in RULES),
        ((), "The rules ElephantReconcile{0}, ElephantEC2StateWatch{0} and ElephantTagWatch{0} are off, or not there."),
    ],
)
def test_retire_warns_while_the_deployed_rules_are_on(
    clouds: Clouds, suffix: str, on: Sequence[str], expected: str
) -> None:
    deployment(clouds)
    make_rules(clouds, suffix, **{rule: "ENABLED" if rule in on else "DISABLED" for rule in RULES})
    said = warned(clouds, "--function", f"ElephantDNSWatchdog{suffix}")
    assert expected.format(suffix) in said
    assert ("Enabled=false" in said) is (" ON:" in expected)


@pytest.mark.parametrize(("typed", "code"), [(f"{OWNER}\n", 0), ("yes\n", 1), (CTRL_D, 1), (CTRL_C, 130)])
def test_the_owner_id_has_to_be_typed(clouds: Clouds, typed: str, code: int) -> None:
    ours = deployment(clouds)
    ended, shown = at_a_terminal(clouds, ["retire"], typed, question="to delete all 3 records:")
    assert ended == code
    assert all(each in shown for each in ours)
    assert re.search(r"- i-\w+\.example\.com  [\d.]+  teacher of m0\r\n", re.sub(r"\x1b\[\d*m", "", shown))
    assert "retire: 3 records to delete; 3 other records at machines' names stay." in shown
    assert "Of 3 records to delete 3 lead to machines that are up." in shown
    assert ("retire: 3 applied; 3 other records" in shown) is (code == 0)
    assert ("Nothing was deleted." in shown) is (code != 0)
    assert ("That is not the owner id. Nothing was deleted." in shown) is (typed == "yes\n")
    assert max(map(len, shown.splitlines())) <= 100, "the question alone may be longer than the screen is wide"
    for false in ("instances", "meetings:", "no known meeting", "plan for"):
        assert false not in shown
    check(clouds, ours=set() if code == 0 else ours)


def test_a_lost_answer_is_looked_up(clouds: Clouds) -> None:
    deployment(clouds)
    Proxy(clouds, (Rule(Call(BATCH), lambda scene: scene.proceed().lost("reset")),)).install()
    done = run(clouds, "retire", "--yes", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 applied" in done.stdout
    check(clouds, ours=set())


def test_refused_delete_is_reported_and_is_exit_1(clouds: Clouds) -> None:
    ours = deployment(clouds)
    refused = refusal(403, 10000, "no")
    Proxy(clouds, (Rule(Call(BATCH), lambda scene: refused, times=None),)).install()
    done = run(clouds, "retire", "--yes")
    assert done.returncode == 1
    assert "Zone > DNS > Edit" in done.stdout
    check(clouds, ours=ours)
