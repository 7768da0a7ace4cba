"""``explain`` says why, for a machine, a record's name or a meeting, and writes nothing."""

import pytest

from tests.support.build import name
from tests.support.servers import Clouds
from tests.system.cli.process import run


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


def answers(clouds: Clouds, subject: str) -> list[str]:
    """What its first lines say, before the rest."""
    done = run(clouds, "explain", subject)
    assert (done.returncode, done.stderr) == (0, "")
    first, *rest = done.stdout.split("\nmachine " if "\nmachine " in done.stdout else "\nmeeting ", 1)
    assert rest
    return " ".join(first.split()).replace(" The ", "\nThe ").splitlines()


def test_the_first_line_says_whether_they_can_join(clouds: Clouds) -> None:
    teacher, student = clouds.launch(), clouds.launch(role="student", state="pending")
    no_record = f"no, because its name {name(teacher)} has no record"
    pending = f"no, because its machine {student} is still pending"
    assert answers(clouds, "m1") == [f"The teacher can join: {no_record}", f"The student can join: {pending}"]
    assert answers(clouds, teacher) == [f"The teacher can join: {no_record}"]
    assert answers(clouds, student) == [f"The student can join: {pending}"]
    clouds.apply()
    waits = "The teacher can join: no, because the status is DNS_WRITTEN, and the page waits for HEALTHY"
    assert answers(clouds, name(teacher)) == [waits]
    for status in ("HEALTHY", "IN_PROGRESS"):
        clouds.aws.rows.edit("m1", status=status)
        assert answers(clouds, teacher) == ["The teacher can join: yes"]
        assert answers(clouds, f"https://{name(teacher)}:8443") == ["The teacher can join: yes"]
    assert answers(clouds, "m1")[0] == "The teacher can join: yes"


def test_a_second_machine_says_where_its_user_goes(clouds: Clouds) -> None:
    first = clouds.launch()
    clouds.apply()
    clouds.aws.rows.edit("m1", status="HEALTHY")
    second = clouds.aws.machines.launch("m1", "teacher")
    assert answers(clouds, second) == [f"The teacher can join: yes, but at another machine: {first}"]


def test_machine_that_no_tag_and_no_row_assigns(clouds: Clouds) -> None:
    machine = clouds.aws.machines.launch("", "")
    assert answers(clouds, machine) == ["Nobody can join by it: no tag and no row assign it to a meeting"]


def test_machine_without_tags_belongs_to_the_row_that_names_it(clouds: Clouds) -> None:
    machine = clouds.launch()
    clouds.apply()
    clouds.aws.rows.edit("m1", status="IN_PROGRESS")
    clouds.cloudflare.history.clear()
    clouds.aws.requests.clear()
    clouds.aws.machines.set_tags(machine, {})
    assert answers(clouds, machine) == ["The teacher can join: yes"]
    assert "! untagged-instance" in explained(clouds, machine)


@pytest.mark.parametrize("index", ["", "by-status"])
def test_machine_in_the_row_of_an_ended_meeting_only(clouds: Clouds, index: str) -> None:
    if index:
        clouds.aws.client("dynamodb").delete_table(TableName="elephant-meetings")
        clouds.aws.make_table(index=index)
    machine, other = clouds.launch(), clouds.launch("m2")
    for meeting, one in (("m1", machine), ("m2", other)):
        clouds.aws.rows.put(meeting, status="TERMINATED", teacher_ec2_id=one, teacher_name="A. Person")
    clouds.aws.machines.purge(machine, other)
    clouds.aws.requests.clear()
    done = run(clouds, "explain", machine, STATUS_INDEX=index)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert said.startswith("The teacher can join: no, because the meeting is over (TERMINATED)")
    assert f"machine {machine}: absent EC2 does not know the machine" in said
    assert "meeting m1 (TERMINATED) names it as its teacher's" in said
    assert "m2" not in said
    assert b"Person" not in b"".join(one.reply.content for one in clouds.aws.requests if one.reply)
    assert ("Scan" in clouds.aws.operations()) is not bool(index)


def test_ended_meeting_is_found_by_each_of_its_machines(clouds: Clouds) -> None:
    machine = clouds.launch()
    clouds.aws.machines.set_tags(machine, {})
    clouds.aws.machines.terminate(machine)
    clouds.aws.rows.put("m1", status="TERMINATED", teacher_ec2_id=machine)
    assert "meeting m1 (TERMINATED) names it as its teacher's" in explained(clouds, machine)


def test_short_id_does_not_match_a_longer_one(clouds: Clouds) -> None:
    long, short = "i-0123456789abcdef0", "i-01234567"
    clouds.launch("m1", id=long)
    clouds.aws.rows.put("m1", status="TERMINATED", teacher_ec2_id=long)
    clouds.launch("m2", id=short)
    assert "! terminated-meeting-alive" in explained(clouds, long)
    said = explained(clouds, short)
    assert ("terminated-meeting-alive" in said, long in said) == (False, False)


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


def test_record_name_leads_to_its_machine(clouds: Clouds) -> None:
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
    assert f"machine {machine}: absent EC2 does not know the machine" in said
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
    assert "a pass never creates a row" in said
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
        ("https://foo.example.org:8443", "is not under DOMAIN_ROOT example.com"),
        ("i-xyz", "Invalid instance ID 'i-xyz'"),
        ("i-0123456789ABCDEF0", "lower-case"),
        ("i-xyz.example.com", "Invalid instance ID 'i-xyz'"),
    ],
)
def test_unknown_name_is_exit_1_and_says_why(clouds: Clouds, subject: str, why: str) -> None:
    done = run(clouds, "explain", subject)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"Unknown name {subject}" in done.stderr
    assert why in done.stderr


def test_hostile_rows_do_not_reach_the_terminal(clouds: Clouds) -> None:
    machine = clouds.aws.machines.launch("\u202egnp.exe", "teacher")
    clouds.aws.rows.put("\x1b[2J", status="\x1b]0;title\x07", teacher_ec2_id=machine)
    for subject in (machine, "\x1b[2J", "\u202egnp.exe"):
        done = run(clouds, "explain", subject)
        assert done.returncode == 0
        assert not set("\x1b\x07\u202e") & set(done.stdout), done.stdout


def test_meeting_shows_a_timeline(clouds: Clouds) -> None:
    clouds.ready()
    clouds.aws.rows.edit("m1", meet_time="9999-01-01T10:00:00Z")
    text = explained(clouds, "m1")
    moments = ("teacher's machine launched", "teacher's record created", "the meeting's time")
    assert all(moment in text for moment in moments)
    assert text.index(moments[2]) > max(map(text.index, moments[:2]))


@pytest.mark.parametrize(
    ("id", "kind", "said"),
    [
        ("untagged-instance", "finding", "Put the tag back"),
        ("record-before-launch", "rule", "before the machine was launched"),
        ("websockets", "check", "a desktop connects and stays black"),
    ],
)
def test_entry_of_an_id_is_shown_without_settings(clouds: Clouds, id: str, kind: str, said: str) -> None:
    done = run(clouds, "explain", id, DOMAIN_ROOT="", ZONE_ID="", SECRET_ARN="")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{kind} {id}\n")
    assert said in " ".join(done.stdout.split())
    assert clouds.aws.operations() == []


def test_name_that_is_almost_an_id_gets_the_nearest_id(clouds: Clouds) -> None:
    wrong = run(clouds, "explain", "odd-rows", DOMAIN_ROOT="")
    assert (wrong.returncode, "Did you mean odd-row" in wrong.stderr) == (64, True)
    other = run(clouds, "explain", "algebra", DOMAIN_ROOT="")
    assert (other.returncode, "DOMAIN_ROOT is not set" in other.stderr) == (64, True)
    unknown = run(clouds, "explain", "odd-rows")
    assert (unknown.returncode, "Did you mean odd-row" in unknown.stderr) == (1, True)


def test_check_without_an_entry_leads_to_doctor(clouds: Clouds) -> None:
    said = "state-changes is a check of doctor: elephant-dns doctor says what it found"
    without = run(clouds, "explain", "state-changes", DOMAIN_ROOT="")
    assert (without.returncode, said in without.stderr) == (64, True)
    unknown = run(clouds, "explain", "state-changes")
    assert (unknown.returncode, said in unknown.stderr) == (1, True)


def test_meeting_that_is_almost_an_id_is_still_explained(clouds: Clouds) -> None:
    clouds.launch("odd-rows")
    assert "The teacher can join: no" in explained(clouds, "odd-rows")
