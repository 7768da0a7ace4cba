"""``status`` shows who can join, and writes nothing."""

import json
from pathlib import Path

import pytest

from tests.support.servers import Clouds
from tests.system.cli.process import CTRL_C, at_a_terminal, run


@pytest.fixture
def lessons(clouds: Clouds) -> Clouds:
    """A lesson that everybody can join, one that lost its student's machine, and one that is due tomorrow."""
    for meeting in ("algebra", "biology"):
        for role in ("teacher", "student"):
            clouds.launch(meeting, role)
    clouds.apply()
    for meeting in ("algebra", "biology"):
        clouds.aws.rows.edit(meeting, status="IN_PROGRESS")
    clouds.aws.machines.stop(clouds.aws.rows.get("biology")["student_ec2_id"])
    clouds.aws.rows.put("chemistry", status="SCHEDULED", meet_time="9999-01-01T10:00:00Z")
    clouds.cloudflare.requests.clear()
    clouds.aws.requests.clear()
    return clouds


def test_the_worst_meeting_comes_first_and_the_counts_last(lessons: Clouds) -> None:
    done = run(lessons, "status", "--detailed-exitcode")
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (2, "")
    assert [line[:9] for line in lines if line[:2] in ("! ", "+ ")] == ["! biology", "+ algebra"]
    assert lines[-1] == "3 meetings: 1 ready, 1 cannot join, 1 quiet (--all lists the 1 quiet)"
    assert max(map(len, lines)) <= 80
    assert [x.request.method for x in lessons.cloudflare.requests] == ["GET"], "one listing"
    assert "UpdateItem" not in lessons.aws.operations()


def test_where_all_can_join_the_exit_code_is_0(clouds: Clouds) -> None:
    done = run(clouds, "status", "--detailed-exitcode", "--quiet")
    assert (done.returncode, done.stdout) == (0, "0 meetings\n")


def test_a_page_for_a_bucket_and_json_for_programs(lessons: Clouds, tmp_path: Path) -> None:
    page = tmp_path / "status.html"
    done = run(lessons, "status", "--output", str(page), "--all")
    assert (done.returncode, done.stdout) == (0, "")
    assert "chemistry" in page.read_text(encoding="utf-8")
    document = json.loads(run(lessons, "status", "--format", "json").stdout)
    assert document["counts"] == {"cannot_join": 1, "not_known": 0, "starting": 0, "ready": 1, "quiet": 1}


def test_watch_looks_again_until_ctrl_c(lessons: Clouds) -> None:
    code, text = at_a_terminal(lessons, ["status", "--watch"], CTRL_C, question="1 cannot join")
    assert code == 130
    assert "algebra" in text


@pytest.mark.parametrize("more", [[], ["--format", "json"]])
def test_watch_needs_a_terminal(clouds: Clouds, more: list[str]) -> None:
    done = run(clouds, "status", "--watch", *more)
    assert (done.returncode, done.stdout) == (64, "")
    assert "Cannot --watch without a terminal" in done.stderr
