"""``explain`` says why, for a machine, a record's name or a meeting, and writes nothing."""

import pytest

from tests.cli.process import at_a_terminal, run
from tests.clouds import Clouds, name


def explained(clouds: Clouds, subject: str) -> str:
    """What it says; it fits the screen, and nothing was written."""
    done = run(clouds, "explain", subject)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert clouds.cloudflare.history == []
    assert "UpdateItem" not in clouds.aws.operations()
    return " ".join(done.stdout.split())


def test_a_machine_that_lacks_its_record_and_link(clouds: Clouds) -> None:
    machine = clouds.launch(address="192.0.2.7")
    said = explained(clouds, machine)
    assert f"machine {machine}: serving" in said
    assert "EC2 running, 192.0.2.7" in said
    assert "MeetingID m1, Role teacher" in said
    assert f"{name(machine)}: no record" in said
    assert "meeting m1 (LAUNCHED) names it as its teacher's" in said
    assert f"+ create record {name(machine)} record-serving:" in said
    assert "+ write link teacher link-current:" in said


def test_a_record_s_name_leads_to_its_machine(clouds: Clouds) -> None:
    machine = clouds.launch()
    clouds.seed(machine, "192.0.2.250", comment="elephant-dns:somebody/else")
    said = explained(clouds, f"{name(machine)}.")
    assert "A 192.0.2.250, proxied, foreign" in said
    assert "the next pass would do nothing" in said
    assert "! foreign-record" in said


def test_a_machine_that_has_vanished_and_the_end_of_its_meeting(clouds: Clouds) -> None:
    machine = clouds.launch()
    clouds.launch("m2")
    clouds.apply()
    clouds.cloudflare.history.clear()
    clouds.aws.requests.clear()
    clouds.aws.machines.purge(machine)
    said = explained(clouds, machine)
    assert f"machine {machine}: absent EC2 knows no such machine" in said
    assert "names it as its teacher's and leads its teacher to it" in said
    assert "! instance-not-seen" in said, "its record is young"
    assert "m2" not in said


def test_a_meeting_with_both_of_its_machines(clouds: Clouds) -> None:
    teacher, student = clouds.launch(), clouds.launch(role="student")
    said = explained(clouds, "m1")
    assert "meeting m1: LAUNCHED" in said
    for machine, role in ((teacher, "teacher"), (student, "student")):
        assert f"{role}: machine {machine}, link none" in said
        assert f"{machine} (serving): running" in said
        assert f"{role}: the link to {machine}" in said
    assert said.count("create record") == said.count("write link") == 2


def test_history_that_no_pass_reads_is_looked_up(clouds: Clouds) -> None:
    machine = clouds.launch()
    clouds.aws.machines.terminate(machine)
    clouds.aws.rows.put("m1", status="TERMINATED", teacher_ec2_id=machine)
    said = explained(clouds, "m1")
    assert "meeting m1: TERMINATED" in said
    assert f"{machine} (gone): terminated" in said
    assert "a TERMINATED row is history" in said
    assert "meeting m1 (TERMINATED) names it" in explained(clouds, machine)


def test_a_meeting_without_a_row(clouds: Clouds) -> None:
    clouds.aws.machines.launch("m9", "teacher")
    said = explained(clouds, "m9")
    assert "no row has this id" in said
    assert "a row is never created" in said
    assert "! missing-meeting" in said


def test_a_join_link_leads_to_its_machine(clouds: Clouds) -> None:
    machine = clouds.launch()
    for subject in (f"https://{name(machine)}:8443", f"HTTPS://{name(machine)}:8443/x?y#z", f"{name(machine)}:443"):
        assert f"machine {machine}: serving" in explained(clouds, subject)


@pytest.mark.parametrize(
    ("subject", "why"),
    [
        ("i-0123456789abcdef0.example.com", "Check AWS_REGION"),
        ("NO-SUCH-MEETING", "Meeting ids are case-sensitive"),
        ("https://foo.example.org:8443", "does not lie under DOMAIN_ROOT example.com"),
        ("i-xyz", "i-xyz is no instance id"),
        ("i-0123456789ABCDEF0", "lower-case"),
        ("i-xyz.example.com", "i-xyz is no instance id"),
    ],
)
def test_what_nobody_knows_is_exit_1_and_says_why(clouds: Clouds, subject: str, why: str) -> None:
    done = run(clouds, "explain", subject)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"Nobody knows {subject}" in done.stderr
    assert why in done.stderr


def test_hostile_rows_do_not_reach_the_terminal(clouds: Clouds) -> None:
    machine = clouds.aws.machines.launch("\u202egnp.exe", "teacher")
    clouds.aws.rows.put("\x1b[2J", status="\x1b]0;title\x07", teacher_ec2_id=machine)
    for subject in (machine, "\x1b[2J", "\u202egnp.exe"):
        code, shown = at_a_terminal(clouds, ["explain", subject], NO_COLOR="1")
        assert code == 0
        assert not set("\x1b\x07\u202e") & set(shown), shown
