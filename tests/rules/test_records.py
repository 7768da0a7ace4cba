"""Rules for records: every row of the table of what is wanted at an instance's name."""

import pytest

from controller.model import Action, World
from controller.rules.facts import Facts
from controller.rules.records import Standing, plan_name
from tests.build import (
    ADDRESS,
    ELSEWHERE,
    MARK,
    NOW,
    OLD,
    OWNER,
    STUDENT,
    TEACHER,
    YOUNG,
    decided,
    found,
    machine,
    name,
    record,
    settings,
    shown,
    world,
)

FOREIGN = "elephant-dns:somebody/else"


def test_record_serving_without_a_record_gets_one() -> None:
    wanted = decided(world([machine()]))
    (change,) = wanted.changes
    assert (change.action, change.rule, change.key) == (Action.CREATE_RECORD, "record-serving", name(TEACHER))
    assert dict(change.after) == {"content": ADDRESS, "proxied": True, "comment": f"{MARK} teacher of m1"}


def test_record_serving_with_its_right_record_plans_nothing() -> None:
    assert not decided(world([machine()], [record()])).changes


def test_what_is_right_but_for_its_type_is_no_record_of_the_machine() -> None:
    assert shown(decided(world([machine()], [record(type="TXT")]))) == [("create-record", "record-serving")]


@pytest.mark.parametrize("comment", [MARK, f"{MARK} ", f"{MARK} another hint", f"{MARK} teacher of m1"])
def test_the_hint_behind_the_mark_is_never_drift(comment: str) -> None:
    assert not decided(world([machine()], [record(comment=comment)])).changes


def test_record_serving_with_a_wrong_address_is_updated() -> None:
    (change,) = decided(world([machine()], [record(content=ELSEWHERE)])).changes
    assert (change.action, change.before, change.after) == (
        Action.UPDATE_RECORD,
        (("content", ELSEWHERE),),
        (("content", ADDRESS),),
    )


def test_record_serving_that_is_grey_is_proxied_again() -> None:
    (change,) = decided(world([machine()], [record(proxied=False)])).changes
    assert (change.action, change.after) == (Action.UPDATE_RECORD, (("proxied", True),))


def test_record_adopted_when_unmarked_at_a_serving_name() -> None:
    (change,) = decided(world([machine()], [record(comment="made by hand")])).changes
    assert (change.action, change.rule) == (Action.UPDATE_RECORD, "record-adopted")
    assert dict(change.after) == {"comment": f"{MARK} teacher of m1"}


def test_record_duplicate_keeps_the_right_content_and_deletes_only_ours() -> None:
    records = [record(content=ELSEWHERE, id="r1", created=OLD), record(id="r2", created=YOUNG)]
    (change,) = decided(world([machine()], records)).changes
    assert (change.action, change.rule, change.record and change.record.id) == (
        Action.DELETE_RECORD,
        "record-duplicate",
        "r1",
    )


def test_record_duplicate_without_a_right_one_keeps_the_oldest_and_mends_it() -> None:
    records = [record(content=ELSEWHERE, id="r1", created=YOUNG), record(content="203.0.113.5", id="r2", created=OLD)]
    changes = decided(world([machine()], records)).changes
    assert [(c.action, c.record and c.record.id) for c in changes] == [
        (Action.DELETE_RECORD, "r1"),
        (Action.UPDATE_RECORD, "r2"),
    ]


def test_unmarked_beside_ours_stays_and_is_a_finding() -> None:
    records = [record(), record(content=ELSEWHERE, id="r2", comment="by hand")]
    wanted = decided(world([machine()], records))
    assert (wanted.changes, found(wanted)) == ((), ["unmarked-record"])


def test_unmarked_with_the_right_content_is_adopted_and_our_wrong_one_goes() -> None:
    # Mending ours would make a second record with the same content, which Cloudflare refuses (81058).
    records = [record(content=ELSEWHERE, id="r1"), record(id="r2", comment="by hand")]
    wanted = decided(world([machine()], records))
    assert shown(wanted) == [("delete-record", "record-duplicate"), ("update-record", "record-adopted")]


def test_adopt_unmarked_makes_the_unmarked_duplicate_ours() -> None:
    records = [record(), record(content=ELSEWHERE, id="r2", comment="by hand")]
    assert shown(decided(world([machine()], records), settings(ADOPT_UNMARKED="true"))) == [
        ("delete-record", "record-duplicate")
    ]


def test_of_two_wrong_records_the_marked_one_is_kept_before_the_adopted_one() -> None:
    records = [
        record(content=ELSEWHERE, id="r1", comment="by hand", created=OLD),
        record(content="203.0.113.5", id="r2", created=YOUNG),
    ]
    changes = decided(world([machine()], records), settings(ADOPT_UNMARKED="true")).changes
    assert [(c.action, c.record and c.record.id) for c in changes] == [
        (Action.DELETE_RECORD, "r1"),
        (Action.UPDATE_RECORD, "r2"),
    ]


def test_foreign_at_a_needed_name_is_a_finding_and_nothing_is_created() -> None:
    wanted = decided(world([machine()], [record(comment=FOREIGN)]))
    assert (wanted.changes, found(wanted)) == ((), ["foreign-record"])


@pytest.mark.parametrize("comment", [f"{MARK}0 longer", f"{MARK}/x", "elephant-dns:", "elephant-dns:1"])
def test_an_owner_id_that_ours_begins_or_that_begins_with_ours_is_foreign(comment: str) -> None:
    gone = world([machine(state="terminated")], [record(comment=comment)])
    assert not decided(gone, settings(ADOPT_UNMARKED="true")).changes


@pytest.mark.parametrize("comment", [MARK.upper(), f"Elephant-DNS:{OWNER}"])
def test_our_mark_in_other_letters_is_no_mark(comment: str) -> None:
    wanted = decided(world([machine(state="stopped")], [record(comment=comment)]))
    assert (wanted.changes, found(wanted)) == ((), ["unmarked-record"])


def test_ours_beside_a_foreign_one_is_still_mended() -> None:
    records = [record(content=ELSEWHERE, id="r1"), record(content="203.0.113.5", id="r2", comment=FOREIGN)]
    wanted = decided(world([machine()], records))
    assert shown(wanted) == [("update-record", "record-serving")]
    assert found(wanted) == ["foreign-record"]


def test_ours_goes_where_a_foreign_one_has_the_address_already() -> None:
    records = [record(content=ELSEWHERE, id="r1"), record(id="r2", comment=FOREIGN)]
    assert shown(decided(world([machine()], records))) == [("delete-record", "record-foreign")]


@pytest.mark.parametrize("kind", ["CNAME", "NS"])
def test_a_conflicting_record_is_a_finding_and_nothing_is_created(kind: str) -> None:
    wanted = decided(world([machine()], [record(type=kind, content="else.where", comment="")]))
    assert (wanted.changes, found(wanted)) == ((), ["conflicting-record"])


def test_an_aaaa_record_is_a_finding_and_the_record_is_made_all_the_same() -> None:
    wanted = decided(world([machine()], [record(type="AAAA", content="2001:db8::1", comment="")]))
    assert shown(wanted) == [("create-record", "record-serving")]
    assert found(wanted) == ["conflicting-record"]


@pytest.mark.parametrize("kind", ["TXT", "MX"])
def test_other_types_at_a_serving_name_do_not_matter(kind: str) -> None:
    wanted = decided(world([machine()], [record(), record(type=kind, id="r2", content="x", comment="")]))
    assert (wanted.changes, wanted.findings) == ((), ())


@pytest.mark.parametrize("address", ["10.0.0.4", "172.16.9.9", "100.64.1.1", "169.254.0.1", "127.0.0.1", "224.0.0.1"])
def test_an_address_that_cannot_be_proxied_is_a_finding_and_no_record(address: str) -> None:
    wanted = decided(world([machine(ip=address)], [record(content=ELSEWHERE)]))
    assert shown(wanted) == [("delete-record", "record-unroutable")]
    assert found(wanted) == ["address-not-routable"]
    assert not decided(world([machine(ip=address)], [record(content=address)])).changes


@pytest.mark.parametrize("address", ["192.0.2.1", "198.51.100.255", "203.0.113.0", "54.3.2.1"])
def test_documentation_prefixes_and_public_addresses_are_accepted(address: str) -> None:
    assert shown(decided(world([machine(ip=address)]))) == [("create-record", "record-serving")]


@pytest.mark.parametrize(("state", "ip"), [("pending", None), ("running", None), ("pending", ADDRESS)])
def test_record_starting_creates_nothing_and_removes_a_wrong_address(state: str, ip: str | None) -> None:
    assert not decided(world([machine(state=state, ip=ip)])).changes
    wrong = decided(world([machine(state=state, ip=ip)], [record(content=ELSEWHERE)]))
    assert shown(wrong) == [("delete-record", "record-starting")]
    assert not wrong.changes[0].concluded


def test_record_starting_keeps_a_record_with_its_address() -> None:
    assert not decided(world([machine(state="pending")], [record()])).changes


@pytest.mark.parametrize(
    ("state", "rule"),
    [
        ("stopping", "record-stopped"),
        ("stopped", "record-stopped"),
        ("shutting-down", "record-gone"),
        ("terminated", "record-gone"),
    ],
)
def test_record_of_a_machine_that_was_seen_to_end_goes_unguarded(state: str, rule: str) -> None:
    wanted = decided(world([machine(state=state)], [record(), record(id="r2", content=ELSEWHERE)]), MAX_0)
    assert shown(wanted) == [("delete-record", rule)] * 2
    assert not wanted.guard.tripped


MAX_0 = settings(MAX_GUARDED_DELETES="0", MAX_GUARDED_DELETE_PERCENT="0")


def test_record_absent_goes_guarded_once_it_is_older_than_the_grace_period() -> None:
    other = machine(STUDENT, role="student")
    old = decided(world([other], [record(), record(STUDENT, id="r2")], absent=[TEACHER]))
    assert shown(old) == [("delete-record", "record-absent")]
    assert old.changes[0].concluded == (TEACHER,)
    young = decided(world([other], [record(created=YOUNG), record(STUDENT, id="r2")], absent=[TEACHER]))
    assert (young.changes, found(young)) == ((), ["instance-not-seen"])


def test_record_absent_of_unknown_age_stays() -> None:
    assert not decided(world([], [record(created=None)], absent=[TEACHER])).changes


def test_the_grace_period_is_a_setting() -> None:
    nobody = world([machine(STUDENT, state="terminated")], [record(created=YOUNG)], absent=[TEACHER])
    assert shown(decided(nobody, settings(GRACE_SECONDS="59"))) == [("delete-record", "record-absent")]
    assert not decided(nobody, settings(GRACE_SECONDS="60")).changes


def test_an_instance_that_was_never_asked_for_proves_nothing() -> None:
    assert not decided(world([], [record()])).changes


@pytest.mark.parametrize(
    ("seen", "rule"),
    [
        (machine(tagged=False), "record-untagged"),
        (machine(meeting=None), "record-unclaimed"),
        (machine(meeting="  "), "record-unclaimed"),
        (machine(role=None), "record-unclaimed"),
        (machine(role="teacher; DROP"), "record-unclaimed"),
        (machine(role="Teacher"), "record-unclaimed"),
    ],
)
def test_record_of_a_machine_that_lost_its_tags_goes_guarded(seen: object, rule: str) -> None:
    assert isinstance(seen, type(machine()))
    wanted = decided(world([seen], [record()], listed=1))
    assert shown(wanted) == [("delete-record", rule)]
    assert wanted.changes[0].concluded == (TEACHER,)


def test_an_unmarked_record_of_a_machine_never_asked_for_is_reported() -> None:
    assert found(decided(world([], [record(comment="by hand")]))) == ["unmarked-record"]


def test_an_unmarked_record_elsewhere_is_left_alone_and_reported() -> None:
    gone = world([machine(state="terminated")], [record(comment="by hand")])
    wanted = decided(gone)
    assert (wanted.changes, found(wanted)) == ((), ["unmarked-record"])
    assert shown(decided(gone, settings(ADOPT_UNMARKED="true"))) == [("delete-record", "record-gone")]


def test_another_type_with_our_mark_is_never_deleted() -> None:
    gone = world([machine(state="terminated")], [record(type="AAAA", content="2001:db8::1")])
    assert not decided(gone, settings(ADOPT_UNMARKED="true")).changes


def test_creates_come_oldest_machine_first() -> None:
    machines = [machine(TEACHER, launched=NOW), machine(STUDENT, launched=OLD), machine("i-0000000a", launched=YOUNG)]
    assert [c.instance for c in decided(world(machines)).changes] == [STUDENT, "i-0000000a", TEACHER]


def test_a_comment_is_printable_ascii_and_at_most_100_characters() -> None:
    (change,) = decided(world([machine(meeting="mé\n" + "x" * 250)])).changes
    comment = str(dict(change.after)["comment"])
    assert comment.startswith(f"{MARK} teacher of m??x")
    assert len(comment) == 100
    assert comment.isascii()
    assert comment.isprintable()


@pytest.mark.parametrize(
    ("seen", "standing"),
    [
        (world([machine()], [record()]), Standing.IN_PLACE),
        (world([machine()]), Standing.PLANNED),
        (world([machine()], [record(content=ELSEWHERE)]), Standing.PLANNED),
        (world([machine()], [record(comment=FOREIGN)]), Standing.BLOCKED),
        (world([machine(ip="10.0.0.1")]), Standing.BLOCKED),
        (world([machine(ip=None)]), Standing.BLOCKED),
        (world([machine(state="stopped")]), Standing.BLOCKED),
        (world([machine(state="terminated")]), Standing.BLOCKED),
        (world([machine(tagged=False)]), Standing.BLOCKED),
        (world([machine(role=None)]), Standing.BLOCKED),
        (world(absent=[TEACHER]), Standing.BLOCKED),
        (world(), Standing.BLOCKED),
    ],
)
def test_a_link_may_lead_only_to_a_record_that_is_in_place_or_planned(seen: World, standing: Standing) -> None:
    assert plan_name(Facts.of(seen, settings()), TEACHER).standing is standing
