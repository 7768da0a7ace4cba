"""What each answer is taken for, and how long is waited for which: tables, against both servers."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from controller.aws.dynamodb import DynamoTable, DynamoWriter
from controller.cloudflare import api
from controller.cloudflare.records import CloudflareRecords, CloudflareWriter
from controller.errors import (
    AmbiguousError,
    AuthenticationError,
    CallError,
    ConditionError,
    DeadlineError,
    DeniedError,
    NotFoundError,
    RefusedError,
    TerminalError,
    ThrottledError,
    TransientError,
)
from controller.model import RowWrite
from controller.runtime.budget import Budget
from controller.runtime.retry import ATTEMPTS, BASE, LONGEST
from controller.sandbox.cloudflare import Reply
from tests.support.clock import FastClock
from tests.support.servers import Clouds, refusal
from tests.system.faults.aws_kinds import failure
from tests.system.faults.calls import BATCH, GET, LIST, SCAN, SECRET, UPDATE, Call, Proxy, Rule, Scene
from tests.system.faults.kinds import answer, dribbled_body

pytest_plugins = ("tests.system.faults.bench",)

Play = Callable[[Scene], Reply]
UNSUCCESSFUL = Reply.of(200, {"success": False, "result": None, "errors": []})
WRAPPED = {"code": 1004, "message": "DNS Validation Error", "error_chain": [{"code": 9003, "message": "No."}]}


def always(proxy: Proxy, operation: str, play: Play, number: int = 1, times: int | None = None) -> None:
    proxy.rules = (*proxy.rules, Rule(Call(operation, number), play, times))


def reader(clouds: Clouds, clock: FastClock, seconds: float = 600) -> CloudflareRecords:
    controller = clouds.controller()
    return CloudflareRecords(controller.api, controller.settings, Budget(clock, seconds), controller.zone)


def writer(clouds: Clouds, clock: FastClock) -> CloudflareWriter:
    controller = clouds.controller()
    return CloudflareWriter(controller.api, controller.settings, Budget(clock, 600))


@pytest.mark.parametrize(
    ("reply", "read", "write"),
    [
        (Reply(429), ThrottledError, ThrottledError),
        (Reply.text(429, "error code: 1015"), ThrottledError, ThrottledError),
        (refusal(429, 10000, "throttled, whatever the code says"), ThrottledError, ThrottledError),
        (Reply(500), TransientError, AmbiguousError),
        (Reply.html(502, "Bad Gateway"), TransientError, AmbiguousError),
        (refusal(503, 10000, "a status says more than a code"), TransientError, AmbiguousError),
        (Reply(504), TransientError, AmbiguousError),
        (Reply.html(524, "A timeout occurred"), TransientError, AmbiguousError),
        (Reply.html(530, "Origin DNS error"), TransientError, AmbiguousError),
        (Reply(408), TransientError, AmbiguousError),
        (Reply.nothing(), TransientError, AmbiguousError),
        (Reply.nothing("reset"), TransientError, AmbiguousError),
        (Reply.of(200, {"success": True}).cut(3), TransientError, AmbiguousError),
        (Reply.text(200, "no JSON"), TransientError, AmbiguousError),
        (UNSUCCESSFUL, TransientError, AmbiguousError),
        (Reply.of(200, {"result": []}), TransientError, AmbiguousError),
        (refusal(400, 6003, "Invalid request headers"), AuthenticationError, AuthenticationError),
        (refusal(400, 9106, "Authentication failed"), AuthenticationError, AuthenticationError),
        (refusal(401, 1000, "Invalid API Token"), AuthenticationError, AuthenticationError),
        (refusal(403, 10000, "Authentication error"), AuthenticationError, AuthenticationError),
        (refusal(403, 9109, "Cannot use the access token from location: 192.0.2.9"), *[AuthenticationError] * 2),
        (refusal(403, 12345, "Something new."), AuthenticationError, AuthenticationError),
        (Reply.html(403, "Attention Required!"), TerminalError, TerminalError),
        (Reply(401), TerminalError, TerminalError),
        (Reply.of(403, {"message": "Forbidden"}), TerminalError, TerminalError),
        (refusal(403, 1038, "You cannot use this API for domains with a .tk TLD."), TerminalError, TerminalError),
        (Reply.of(403, {"error": "You cannot use this API for domains with a .tk TLD."}), *[TerminalError] * 2),
        (refusal(404, 7003, "Could not route"), TerminalError, TerminalError),
        (refusal(400, 7003, "Could not route"), TerminalError, TerminalError),
        (Reply.text(301, "", location="https://elsewhere.example.org"), TerminalError, TerminalError),
        (refusal(400, 9003, "Target is not allowed"), RefusedError, RefusedError),
        (Reply.of(400, {"success": False, "errors": [WRAPPED]}), RefusedError, RefusedError),
        (refusal(404, 81044, "Record does not exist."), RefusedError, RefusedError),
        (Reply.html(404, "Not Found"), RefusedError, RefusedError),
        (Reply(413), RefusedError, RefusedError),
    ],
)
def test_cloudflares_answers_are_classified(
    proxy: Proxy, reply: Reply, read: type[CallError], write: type[CallError]
) -> None:
    always(proxy, LIST, answer(reply))
    always(proxy, BATCH, answer(reply))
    with pytest.raises(CallError) as caught:
        reader(proxy.clouds, FastClock()).listing()
    assert type(caught.value) is read
    with pytest.raises(CallError) as caught:
        writer(proxy.clouds, FastClock()).remove(["0" * 32])
    assert type(caught.value) is write
    assert caught.value.hint


def test_the_cause_in_an_older_wrapper_is_seen(proxy: Proxy) -> None:
    always(proxy, BATCH, answer(Reply.of(400, {"success": False, "errors": [WRAPPED]})))
    with pytest.raises(RefusedError) as caught:
        writer(proxy.clouds, FastClock()).remove(["0" * 32])
    assert caught.value.codes == (1004, 9003)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "ProvisionedThroughputExceededException", ThrottledError),
        (400, "ThrottlingException", ThrottledError),
        (400, "RequestLimitExceeded", ThrottledError),
        (503, "SlowDown", ThrottledError),
        (500, "InternalServerError", TransientError),
        (503, "Unavailable", TransientError),
        (500, "SomethingNew", TransientError),
        (400, "AccessDeniedException", DeniedError),
        (400, "UnrecognizedClientException", AuthenticationError),
        (400, "ExpiredTokenException", AuthenticationError),
        (403, "InvalidSignatureException", AuthenticationError),
        (400, "ResourceNotFoundException", NotFoundError),
        (400, "ConditionalCheckFailedException", ConditionError),
        (400, "SomethingNew", RefusedError),
        (400, "ItemCollectionSizeLimitExceededException", RefusedError),
    ],
)
def test_awss_answers_are_classified(proxy: Proxy, status: int, code: str, kind: type[CallError]) -> None:
    always(proxy, UPDATE, failure(status, code))
    controller = proxy.clouds.controller()
    rows = DynamoWriter(controller.dynamodb, controller.settings, Budget(FastClock(), 600))
    with pytest.raises(CallError) as caught:
        rows.write("m1", RowWrite((), sets=(("status", "x"),)))
    assert type(caught.value) is kind
    assert "elephant-meetings" in str(caught.value)
    assert caught.value.hint or kind is ConditionError


def test_a_missing_permission_is_named_with_its_action_and_resource(proxy: Proxy) -> None:
    always(proxy, SCAN, failure(400, "AccessDeniedException"))
    controller = proxy.clouds.controller()
    with pytest.raises(AuthenticationError) as caught:
        DynamoTable(controller.dynamodb, controller.settings, Budget(FastClock(), 600)).live()
    assert "Allow the action dynamodb:Scan on table elephant-meetings" in caught.value.hint


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        (lambda: "7", 7, 7),
        (lambda: "0", 0, 0),
        (lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True), 28, 30),
        (lambda: format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True), 0, 0),
        (lambda: "soon", 0, 0),
        (lambda: "-3", 0, 0),
        (lambda: "", 0, 0),
    ],
)
def test_retry_after_is_honoured_in_both_forms(
    proxy: Proxy, header: Callable[[], str], least: float, most: float
) -> None:
    clock = FastClock()
    always(proxy, LIST, lambda scene: Reply.text(429, "wait", retry_after=header()), times=1)
    reader(proxy.clouds, clock).listing()
    assert len(clock.slept) == 1
    assert least <= clock.slept[0] <= most + BASE, "a little jitter may go on top, or all wake at once"


def test_a_server_that_fails_may_say_when_to_come_again(proxy: Proxy) -> None:
    clock = FastClock()
    always(proxy, LIST, lambda scene: Reply.text(503, "maintenance", retry_after="7"), times=1)
    reader(proxy.clouds, clock).listing()
    (wait,) = clock.slept
    assert 7 <= wait <= 7 + BASE


@pytest.mark.parametrize(("seconds", "retry_after"), [(20, "300"), (600, "300"), (20, "12")])
def test_failing_server_does_not_use_up_half_of_the_pass(proxy: Proxy, seconds: float, retry_after: str) -> None:
    clock = FastClock()
    always(proxy, LIST, lambda scene: Reply.text(503, "maintenance", retry_after=retry_after), times=1)
    reader(proxy.clouds, clock, seconds).listing()
    (wait,) = clock.slept
    assert wait <= BASE


def test_a_body_that_dribbles_in_is_given_up_and_asked_for_again(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "LONGEST_REQUEST", 0.3)
    always(proxy, LIST, dribbled_body, times=1)
    assert reader(proxy.clouds, FastClock()).listing().records == ()


def test_waits_of_our_own_are_full_jitter(proxy: Proxy) -> None:
    always(proxy, LIST, answer(Reply(503)))
    waits = []
    for _ in range(12):
        clock = FastClock()
        with pytest.raises(TransientError):
            reader(proxy.clouds, clock).listing()
        waits.append(clock.slept)
    assert {len(slept) for slept in waits} == {ATTEMPTS - 1}
    for number, of_all in enumerate(zip(*waits, strict=True)):
        highest = min(LONGEST, BASE * 2**number)
        assert 0 <= min(of_all) < highest / 2 < max(of_all) <= highest, "anywhere between nothing and the limit"


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_wait_that_does_not_fit_is_not_slept(proxy: Proxy, form: str) -> None:
    clock = FastClock()
    in_a_day = format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)
    wait = "300" if form == "seconds" else in_a_day
    always(proxy, LIST, answer(Reply.text(429, "wait", retry_after=wait)))
    with pytest.raises(ThrottledError):
        reader(proxy.clouds, clock, seconds=200).listing()
    assert clock.slept == []
    assert [call.operation for call in proxy.log].count(LIST) == 1


def test_a_deadline_is_kept_over_many_short_waits(proxy: Proxy) -> None:
    clock = FastClock()
    always(proxy, LIST, answer(Reply.text(429, "wait", retry_after="4")))
    with pytest.raises((ThrottledError, DeadlineError)):
        reader(proxy.clouds, clock, seconds=10).listing()
    assert len(clock.slept) == 2
    assert all(4 <= wait <= 5 for wait in clock.slept)


def test_a_lost_answer_to_a_row_write_is_no_other_hand(proxy: Proxy) -> None:
    proxy.clouds.aws.rows.put("m1", status="LAUNCHED")
    always(proxy, UPDATE, failure(400, "ConditionalCheckFailedException"), number=2)
    always(proxy, UPDATE, lambda scene: scene.proceed().lost(), times=1)
    controller = proxy.clouds.controller()
    rows = DynamoWriter(controller.dynamodb, controller.settings, Budget(FastClock(), 600))
    with pytest.raises(ConditionError) as caught:
        rows.write("m1", RowWrite((), sets=(("status", "DNS_WRITTEN"),)))
    assert caught.value.retried


NOTHING = answer(Reply.text(200, "{}", "application/x-amz-json-1.1"))


def test_a_secret_that_is_not_in_the_answer_may_come_later(proxy: Proxy) -> None:
    always(proxy, SECRET, NOTHING, times=3)
    assert reader(proxy.clouds, FastClock()).listing().records == ()


def test_a_row_that_is_not_in_the_answer_is_no_missing_row(proxy: Proxy) -> None:
    always(proxy, GET, NOTHING)
    controller = proxy.clouds.controller()
    with pytest.raises(TransientError):
        DynamoTable(controller.dynamodb, controller.settings, Budget(FastClock(), 600)).rows({"m1"})
