"""What a pass reads, and what it makes of it: which calls, which error, and what is proven."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from controller.errors import CallError, MismatchError, ObservationError, TransientError
from controller.model import Finding, Instance, World, Zone
from controller.observe import Observer
from controller.ports import Listing
from controller.rules.findings import ZONE_NOT_READABLE
from controller.settings import Settings
from tests.support.build import NOW, OTHER, STRANGER, STUDENT, TEACHER, link, machine, record, row, settings, world
from tests.support.memory import Clouds, readings

SCOPE = frozenset({TEACHER})
ENDED = row(status="TERMINATED")
ODD = Finding("odd", "x", "Odd.", "Look.")


def observer(clouds: Clouds, using: Settings | None = None) -> Observer:
    context = clouds.its(using)
    return Observer(context.readers, context.settings, context.budget)


def scoped(it: Observer) -> World:
    return it.scoped(SCOPE, it.described(SCOPE))


def again(it: Observer) -> World:
    return it.again(it.everything(), SCOPE, frozenset({"m1"}))


def including(it: Observer) -> World:
    return it.including(it.everything(), [], ["m9"])


@pytest.mark.parametrize(
    ("look", "call", "source"),
    [
        (Observer.everything, "listing", "Cloudflare"),
        (Observer.everything, "live", "DynamoDB"),
        (Observer.everything, "tagged", "EC2"),
        (Observer.everything, "rows", "DynamoDB"),
        (Observer.everything, "zone", "Cloudflare"),
        (scoped, "by_id", "EC2"),
        (scoped, "listing", "Cloudflare"),
        (scoped, "rows", "DynamoDB"),
        (scoped, "of_meetings", "EC2"),
        (again, "of_meetings", "EC2"),
        (Observer.names, "listing", "Cloudflare"),
        (including, "rows", "DynamoDB"),
    ],
)
def test_reading_that_fails_names_its_source(look: Callable[[Observer], World], call: str, source: str) -> None:
    rows = [] if look is including else [ENDED]
    fails: dict[str, tuple[int, CallError]] = {
        call: (int(look is including), TransientError("It is away.", "Look later."))
    }
    with pytest.raises(ObservationError) as caught:
        look(observer(Clouds(readings([machine()]), [], rows, fails=fails)))
    assert caught.value.message == f"Cannot read {source}, so nothing was planned: It is away."
    assert caught.value.hint == "Look later."


def listing(it: Observer, answer: Listing, zone: Zone | None = None) -> Observer:
    """The observer, with this listing and this zone."""

    class Records:
        def listing(self, _: object = None) -> Listing:
            return answer

        def zone(self) -> Zone:
            return zone or Zone("example.com")

    return replace(it, readers=replace(it.readers, records=Records()))


@pytest.mark.parametrize(
    ("answer", "read", "seen", "findings"),
    [
        (Listing((record(),), (ODD,)), None, Zone(None, holds_domain=True), (ODD,)),
        (
            Listing((record(),), zone=Zone("example.com", records=7)),
            None,
            Zone("example.com", records=7, holds_domain=True),
            (),
        ),
        (Listing(()), Zone("example.com"), Zone("example.com", holds_domain=True), ()),
        (
            Listing((), zone=Zone("example.com", records=7)),  # none of them at a machine's name
            Zone("example.net"),  # not asked for
            Zone("example.com", records=7, holds_domain=True),
            (),
        ),
        (
            Listing((), zone=Zone(None, records=7)),
            Zone("example.com"),
            Zone("example.com", records=7, holds_domain=True),
            (),
        ),
        (Listing((), (ODD,)), Zone(None), Zone(None), (ODD, ZONE_NOT_READABLE)),
    ],
    ids=["record", "known zone", "read zone", "other records", "other records, read zone", "unreadable zone"],
)
def test_zone_is_known_by_its_records_or_is_read(
    answer: Listing, read: Zone | None, seen: Zone, findings: tuple[Finding, ...]
) -> None:
    it = listing(observer(Clouds(readings([machine()]), [], [row()])), answer, read)
    whole, part = it.everything(), scoped(it)
    assert (whole.zone, whole.findings) == (seen, findings)
    assert (part.zone.name, part.zone.holds_domain, part.findings) == (seen.name, seen.holds_domain, findings)


def test_domain_outside_the_zone_stops_the_pass() -> None:
    it = listing(observer(Clouds(readings([machine()]))), Listing(()), Zone("example.net"))
    with pytest.raises(MismatchError, match=r"DOMAIN_ROOT example.com is not in zone example.net"):
        it.everything()


@pytest.mark.parametrize(
    ("view", "is_read"),
    [
        ([machine()], True),
        ([machine(ip=None), machine(OTHER)], False),
        ([machine(tagged=False, state="stopped")], False),
    ],
    ids=["serving", "sibling serving", "stopped"],
)
def test_scoped_pass_reads_the_zone_only_to_write_records(view: Iterable[Instance], is_read: bool) -> None:
    clouds = Clouds(readings(view), [], [row()])
    assert scoped(observer(clouds)).zone.holds_domain is is_read
    assert ("zone" in clouds.calls) is is_read


def test_scoped_pass_that_sees_a_machine_serve_later_proves_the_zone() -> None:
    clouds = Clouds(readings([machine(state="stopped")], [machine(state="stopped")], [machine()]), [], [row()])
    it = observer(clouds)
    before = scoped(it)
    assert not before.zone.holds_domain
    assert it.again(before, SCOPE, frozenset()).zone.holds_domain


def test_scoped_pass_sees_the_meeting_of_its_machines() -> None:
    sibling = machine(OTHER)
    seen = scoped(observer(Clouds(readings([machine(), sibling, machine(STRANGER, meeting="m2")]), [record()])))
    assert seen.instances == {TEACHER: machine(), OTHER: sibling}
    assert seen.records == (record(),)
    assert seen.rowless == {"m1"}


def test_strangers_machine_leaves_an_empty_world() -> None:
    seen = scoped(observer(Clouds(readings([machine(tagged=False)]), [record()], [row()])))
    assert seen == replace(world(scope=[]), zone=Zone(None))


def test_names_are_the_records_alone() -> None:
    it = observer(Clouds(readings([machine()])))
    for records in ((record(),), ()):
        seen = listing(it, Listing(records, (ODD,))).names()
        assert seen == replace(world([], records), zone=Zone(None, holds_domain=bool(records)), findings=(ODD,))


@pytest.mark.parametrize(
    ("state", "index", "is_read"),
    [("running", "", True), ("terminated", "", False), ("terminated", "by-status", True)],
)
def test_history_is_read_for_live_machines_or_with_an_index(state: str, index: str, is_read: bool) -> None:
    clouds = Clouds(readings([machine(state=state), machine(OTHER, meeting="m2")]), [record()], [ENDED])
    seen = observer(clouds, settings(STATUS_INDEX=index)).everything()
    assert list(seen.meetings) == (["m1"] if is_read else [])
    assert seen.rowless == {"m2"}


def test_second_look_says_when_it_was_taken() -> None:
    clouds = Clouds(readings([machine()]), [record()], [row()])
    it = observer(clouds)
    before = it.everything()
    clouds.clock.sleep(5)
    assert (before.now, it.again(before, SCOPE, frozenset()).now) == (NOW, NOW + timedelta(seconds=5))


def test_explain_also_sees_what_a_named_meeting_names() -> None:
    """Its row is history, so a pass looks up nothing of it."""
    history = row("m2", "TERMINATED", ids={"teacher": OTHER}, links={"student": link(STRANGER)})
    lost = machine(STUDENT, tagged=False, meeting="m3")
    view = [machine(), lost, machine(OTHER, tagged=False, meeting=None), machine(STRANGER, tagged=False, meeting=None)]
    clouds = Clouds(readings(view), [record()], [row(), history, row("m3", "TERMINATED")])
    it = observer(clouds)
    whole = it.everything()
    assert whole.instances.keys() == {TEACHER}
    assert whole.meetings.keys() == {"m1"}
    seen = it.including(whole, [STUDENT, "i-00000000"], ["m2"])
    assert seen.absent == {"i-00000000"}
    assert seen.instances.keys() == {TEACHER, STUDENT, OTHER, STRANGER}
    assert seen.meetings.keys() == {"m1", "m2", "m3"}


def test_explain_asks_for_nothing_that_was_seen() -> None:
    clouds = Clouds(readings([machine()]), [record()], [row()])
    it = observer(clouds)
    whole = it.everything()
    calls = list(clouds.calls)
    assert it.including(whole, [TEACHER], ["m1"]) == whole
    assert clouds.calls == calls
