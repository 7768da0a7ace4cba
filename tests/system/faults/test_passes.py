"""How much a failure may cost, and how far it may reach: whole passes, one scene each."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from controller.errors import ObservationError
from controller.model import Mode, Outcome, RecordChange, Request, RowChange
from controller.report.report import Report
from controller.sandbox.cloudflare import Reply
from tests.support.build import link, name
from tests.support.servers import Clouds, outcomes, refusal
from tests.system.faults.aws_kinds import JSON_TYPE
from tests.system.faults.calls import BATCH, LIST, SCAN, UPDATE, Call, Proxy, Rule, Scene
from tests.system.faults.claims import leaks, said
from tests.system.faults.kinds import answer
from tests.system.faults.scenarios import FULL, SCOPED, machine_id
from tests.system.faults.trial import Trial, Workshop

pytest_plugins = ("tests.system.faults.bench",)

Play = Callable[[Scene], Reply]
BUSY = Reply.text(429, "error code: 1015", retry_after="1")


@pytest.fixture
def trial(workshop: Workshop) -> Trial:
    return Trial(workshop, FULL)


def batches(clouds: Clouds) -> list[int]:
    """How many changes there were in each batch that was sent."""
    bodies: list[Any] = [x.json for x in clouds.cloudflare.requests if x.path.endswith("/batch")]
    return [sum(map(len, body.values())) for body in bodies]


def met(trial: Trial, operation: str, play: Play, *, number: int = 1, times: int | None = None) -> Report:
    """The report of a pass that met this."""
    ended = trial.run([Rule(Call(operation, number), play, times)])
    assert list(trial.verdict(ended)) == []
    assert ended.report, ended.error
    return ended.report


@pytest.mark.parametrize("reply", [BUSY, Reply(429), Reply.html(429, "Slow down")])
def test_a_throttled_batch_is_sent_as_it_is_or_not_at_all(trial: Trial, reply: Reply) -> None:
    report = met(trial, BATCH, answer(reply))
    assert len(set(batches(trial.clouds))) == 1
    assert 2 <= len(batches(trial.clouds)) <= 8
    assert {r.outcome for r in report.results if isinstance(r.change, RecordChange)} == {Outcome.NOT_REACHED}
    assert list(trial.convergence()) == []


def test_a_batch_that_was_throttled_for_a_while_goes_through_whole(trial: Trial) -> None:
    report = met(trial, BATCH, answer(BUSY), times=3)
    assert report.converged
    assert len(set(batches(trial.clouds))) == 1
    assert len(batches(trial.clouds)) == 4


@pytest.mark.parametrize(
    "bad",
    [
        "i-00000000000000701",
        *(pytest.param(id, marks=pytest.mark.proof) for id in ("i-00000000000000000", "i-000000000000003e7")),
    ],
)
def test_one_bad_change_in_a_thousand_costs_at_most_24_writes(proxy: Proxy, bad: str) -> None:
    for number in range(1000):
        proxy.clouds.aws.machines.launch(f"m{number % 500}", "teacher", id=f"i-{number:017x}")
    bad = min(proxy.clouds.aws.machines.all(), key=lambda instance: abs(int(instance[2:], 16) - int(bad[2:], 16)))
    content = bad.encode()

    def refuse(scene: Scene) -> Reply:
        return refusal(400, 9999, "No.") if content in scene.request.content else scene.proceed()

    proxy.rules = (Rule(Call(BATCH), refuse, None),)
    report = proxy.clouds.apply()
    assert [r.change.instance for r in report.results if r.outcome is Outcome.FAILED] == [bad]
    assert len(batches(proxy.clouds)) <= 24
    assert len(proxy.clouds.records()) == 999


AUTHENTICATION = [
    refusal(400, 9106, "Authentication failed"),
    refusal(401, 1000, "Invalid API Token"),
    refusal(403, 10000, "Authentication error"),
]


@pytest.mark.parametrize("reply", AUTHENTICATION, ids=lambda reply: str(reply.status))
def test_wrong_token_costs_few_calls_and_names_the_permission(trial: Trial, reply: Reply) -> None:
    ended = trial.run([Rule(Call(LIST), answer(reply), None)])
    assert isinstance(ended.error, ObservationError)
    assert "Zone > DNS > Edit" in ended.error.hint
    assert len(trial.clouds.cloudflare.requests) == (2 if reply.status == 403 else 1)
    assert trial.clouds.aws.operations().count("GetSecretValue") == 2, "once, and once more where it is refused"


@pytest.mark.parametrize("reply", AUTHENTICATION, ids=lambda reply: str(reply.status))
def test_a_token_that_may_only_read_stops_the_writes_at_once(trial: Trial, reply: Reply) -> None:
    report = met(trial, BATCH, answer(reply))
    assert len(batches(trial.clouds)) == (2 if reply.status == 403 else 1)
    failed = [r for r in report.results if r.outcome is Outcome.FAILED]
    assert failed
    assert all("Zone > DNS > Edit" in (r.error or "") for r in failed)


@pytest.mark.parametrize("at", [LIST, BATCH])
def test_warm_process_takes_a_rotated_token_during_a_pass(trial: Trial, at: str) -> None:
    request = Request(Mode.APPLY)
    trial.controller.run(Request(Mode.PLAN), 60)

    def rotate(scene: Scene) -> Reply:
        if scene.place == 1:
            trial.clouds.aws.make_secret(trial.clouds.cloudflare.rotate_token())
        return scene.proceed()

    trial.proxy.rules = (Rule(Call(at, 2 if at == LIST else 1), rotate, None),)
    assert trial.controller.run(request, 60).converged
    assert trial.clouds.aws.operations().count("GetSecretValue") == 2


def test_warm_process_reads_a_refused_token_once_more_only(trial: Trial) -> None:
    trial.controller.run(Request(Mode.PLAN), 60)
    trial.clouds.cloudflare.revoke_token()
    trial.clouds.cloudflare.requests.clear()
    with pytest.raises(ObservationError, match="Zone > DNS > Edit"):
        trial.controller.run(Request(Mode.APPLY), 60)
    assert trial.clouds.aws.operations().count("GetSecretValue") == 2
    assert len(trial.clouds.cloudflare.requests) <= 2


@pytest.mark.parametrize("left", [0, 5, 20])
def test_a_pass_stops_early_where_little_is_left_for_the_whole_user(workshop: Workshop, left: int) -> None:
    trial = Trial(workshop, FULL)
    trial.clouds.cloudflare.budget.left = left + 1  # the listing costs one
    ended = trial.run(seconds=100)
    assert list(trial.verdict(ended)) == []
    assert trial.clouds.cloudflare.budget.left == left
    assert batches(trial.clouds) == []
    assert ended.report
    assert not ended.report.complete
    assert any("budget" in (result.error or "") for result in ended.report.results)


def test_plenty_left_stops_nobody(trial: Trial) -> None:
    trial.clouds.cloudflare.budget.left = 100
    ended = trial.run(seconds=100)
    assert ended.report
    assert ended.report.converged


DIVERGING: list[dict[str, object]] = [{"content": "198.51.100.77"}, {"proxied": False}, {"comment": "by a rule"}]


@pytest.mark.parametrize("odd", DIVERGING, ids=lambda odd: next(iter(odd)))
def test_record_read_back_otherwise_is_reported_and_gets_no_link(trial: Trial, odd: dict[str, object]) -> None:
    def tell(scene: Scene) -> Reply:
        reply = scene.proceed()
        body = json.loads(reply.content)
        posts = [{**record, **odd} if machine_id(1) in record["name"] else record for record in body["result"]["posts"]]
        return replace(reply, content=json.dumps({**body, "result": {**body["result"], "posts": posts}}).encode())

    report = met(trial, BATCH, tell)
    assert [finding.key for finding in report.findings if finding.id == "does-not-converge"] == [name(machine_id(1))]
    links = {r.change.instance: r.outcome for r in report.results if r.change.action == "write-link"}
    assert links[machine_id(1)] is Outcome.NOT_REACHED
    assert links[machine_id(2)] is Outcome.APPLIED
    row = trial.clouds.aws.rows.get("new")
    assert (row.get("teacher_ec2_link"), row["student_ec2_link"]) == (None, link(machine_id(2)))


def echo(scene: Scene) -> Reply:
    """What a proxy may answer to a request that it does not like: the token alone."""
    return Reply.text(502, f"bad authorization: {scene.request.headers['authorization'].removeprefix('Bearer ')}")


def echo_in_json(scene: Scene) -> Reply:
    """The token stands where an error's text is cut."""
    return refusal(500, 9999, f"{'x' * 110} authorization={scene.request.headers['authorization']}")


@pytest.mark.parametrize("at", [LIST, BATCH])
@pytest.mark.parametrize("page", [echo, echo_in_json])
def test_a_page_that_echoes_the_request_tells_nobody_the_token(trial: Trial, page: Play, at: str) -> None:
    ended = trial.run([Rule(Call(at), page, None)])
    told = said(ended.report, ended.error, trial.log.getvalue())
    assert "authorization" in told, "the page is in the report, or this shows nothing"
    assert list(leaks(told, [trial.clouds.cloudflare.token])) == []


#: botocore makes an empty answer of each.
NONSENSE = {
    "html": Reply.html(200, "Welcome to the hotel's network"),
    "empty": Reply(200),
    "object": Reply.text(200, "{}", JSON_TYPE),
}


@pytest.mark.parametrize("reply", NONSENSE.values(), ids=NONSENSE)
def test_a_row_write_that_nonsense_answers_is_not_taken_for_done(trial: Trial, reply: Reply) -> None:
    before = trial.clouds.aws.rows.all()
    report = met(trial, UPDATE, answer(reply))
    assert {r.outcome for r in report.results if isinstance(r.change, RowChange)} == {Outcome.NOT_REACHED}
    assert trial.clouds.aws.rows.all() == before


def test_a_delete_that_the_answer_does_not_name_is_not_believed(trial: Trial) -> None:
    unnamed = Reply.of(200, {"success": True, "result": {"patches": [], "posts": None}, "errors": []})
    report = met(trial, BATCH, answer(unnamed))
    assert {r.outcome for r in report.results if r.change.action == "delete-record"} == {Outcome.FAILED}
    assert trial.clouds.cloudflare.history == []


def test_one_rows_failure_is_that_rows_alone(trial: Trial) -> None:
    def refuse(scene: Scene) -> Reply:
        is_it = b'"new"' in scene.request.content
        return (
            Reply.text(400, '{"__type": "x#SomethingNew"}', "application/x-amz-json-1.0") if is_it else scene.proceed()
        )

    report = met(trial, UPDATE, refuse)
    bad = [(r.change.key, r.outcome) for r in report.results if r.outcome is not Outcome.APPLIED]
    assert bad == [("new", Outcome.FAILED)] * 2


def test_a_source_that_cannot_be_read_plans_nothing(trial: Trial) -> None:
    for operation in (LIST, SCAN):
        ended = trial.run([Rule(Call(operation), answer(Reply(500)), None)])
        assert isinstance(ended.error, ObservationError)
    assert trial.witness.deeds == []


def test_a_lost_answer_leaves_no_duplicate_behind(trial: Trial) -> None:
    report = met(trial, BATCH, lambda scene: scene.proceed().lost(), times=1)
    assert report.converged
    assert all(len(contents) == 1 for contents in trial.clouds.records().values())
    assert len(batches(trial.clouds)) == 1, "a look has shown that all is done"


def test_a_second_look_sends_only_what_is_still_to_be_done(trial: Trial) -> None:
    """The batch is refused as stale, since one record to be deleted has vanished."""

    def vanish(scene: Scene) -> Reply:
        body: Any = scene.request.json
        trial.clouds.cloudflare.remove(body["deletes"][0]["id"])
        return scene.proceed()

    report = met(trial, BATCH, vanish, times=1)
    assert report.converged
    first, second = batches(trial.clouds)
    assert second == first - 1


def test_a_scoped_pass_that_fails_says_so_to_its_caller(workshop: Workshop) -> None:
    trial = Trial(workshop, SCOPED)
    report = met(trial, BATCH, answer(refusal(400, 9207, "Request body is invalid.")))
    assert not report.ended_well
    assert {end for action, end in outcomes(report) if action == "create-record"} == {"failed"}
