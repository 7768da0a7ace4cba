"""Rules for records: what is wanted at the name of a machine that serves, beside whatever stands there.

What goes from the names of all other machines is in ``test_evidence.py``.
"""

import pytest

from controller.model import Action, DnsRecord, World
from controller.rules.facts import Facts
from controller.rules.records import Readiness, plan_name
from tests.support.build import (
    ADDRESS,
    ELSEWHERE,
    FOREIGN,
    MARK,
    NOW,
    OLD,
    OWNER,
    STUDENT,
    TEACHER,
    YOUNG,
    decided,
    found,
    id_of,
    machine,
    name,
    record,
    row,
    settings,
    shown,
    world,
)


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
    (change,) = decided(world([machine()], [record(comment="added by hand")])).changes
    assert (change.action, change.rule) == (Action.UPDATE_RECORD, "record-adopted")
    assert dict(change.after) == {"comment": f"{MARK} teacher of m1"}


def test_record_duplicate_keeps_right_content_and_deletes_the_wrong() -> None:
    records = [record(content=ELSEWHERE, id="r1", created=OLD), record(id="r2", created=YOUNG)]
    (change,) = decided(world([machine()], records)).changes
    assert (change.action, change.rule, id_of(change)) == (
        Action.DELETE_RECORD,
        "record-duplicate",
        "r1",
    )


def test_record_duplicate_without_right_content_fixes_the_oldest() -> None:
    records = [record(content=ELSEWHERE, id="r1", created=YOUNG), record(content="203.0.113.5", id="r2", created=OLD)]
    changes = decided(world([machine()], records)).changes
    assert [(c.action, id_of(c)) for c in changes] == [
        (Action.DELETE_RECORD, "r1"),
        (Action.UPDATE_RECORD, "r2"),
    ]


def test_unmarked_beside_ours_stays_and_is_a_finding() -> None:
    records = [record(), record(content=ELSEWHERE, id="r2", comment="by hand")]
    wanted = decided(world([machine()], records))
    assert (wanted.changes, found(wanted)) == ((), ["unmarked-record"])


def test_unmarked_right_record_is_adopted_and_own_wrong_one_deleted() -> None:
    # Fixing ours would create a second record with the same content, which Cloudflare refuses (81058).
    records = [record(content=ELSEWHERE, id="r1"), record(id="r2", comment="by hand")]
    wanted = decided(world([machine()], records))
    assert shown(wanted) == [("delete-record", "record-duplicate"), ("update-record", "record-adopted")]


def test_adopt_unmarked_makes_the_unmarked_duplicate_ours() -> None:
    records = [record(), record(content=ELSEWHERE, id="r2", comment="by hand")]
    assert shown(decided(world([machine()], records), settings(ADOPT_UNMARKED="true"))) == [
        ("delete-record", "record-duplicate")
    ]


def test_marked_wrong_record_is_kept_over_an_older_adopted_one() -> None:
    records = [
        record(content=ELSEWHERE, id="r1", comment="by hand", created=OLD),
        record(content="203.0.113.5", id="r2", created=YOUNG),
    ]
    changes = decided(world([machine()], records), settings(ADOPT_UNMARKED="true")).changes
    assert [(c.action, id_of(c)) for c in changes] == [
        (Action.DELETE_RECORD, "r1"),
        (Action.UPDATE_RECORD, "r2"),
    ]


def test_foreign_at_a_needed_name_is_a_finding_and_nothing_is_created() -> None:
    wanted = decided(world([machine()], [record(comment=FOREIGN)]))
    assert (wanted.changes, found(wanted)) == ((), ["foreign-record"])


@pytest.mark.parametrize("comment", [f"{MARK}0 longer", f"{MARK}/x", "elephant-dns:", "elephant-dns:1"])
def test_owner_id_that_only_shares_a_prefix_with_ours_is_foreign(comment: str) -> None:
    gone = world([machine(state="terminated")], [record(comment=comment)])
    assert not decided(gone, settings(ADOPT_UNMARKED="true")).changes


@pytest.mark.parametrize("comment", [MARK.upper(), f"Elephant-DNS:{OWNER}"])
def test_our_mark_in_other_letters_is_no_mark(comment: str) -> None:
    wanted = decided(world([machine(state="stopped")], [record(comment=comment)]))
    assert (wanted.changes, found(wanted)) == ((), ["unmarked-record"])


def test_ours_beside_a_foreign_one_is_still_repaired() -> None:
    records = [record(content=ELSEWHERE, id="r1"), record(content="203.0.113.5", id="r2", comment=FOREIGN)]
    wanted = decided(world([machine()], records))
    assert shown(wanted) == [("update-record", "record-serving")]
    assert found(wanted) == ["foreign-record"]


def test_ours_goes_where_a_foreign_one_has_the_address_already() -> None:
    records = [record(content=ELSEWHERE, id="r1"), record(id="r2", comment=FOREIGN)]
    assert shown(decided(world([machine()], records))) == [("delete-record", "record-foreign")]


def test_own_record_is_deleted_if_an_unadoptable_one_has_the_address() -> None:
    beside = record(content="203.0.113.5", id="r3", comment=FOREIGN)
    here = [record(content=ELSEWHERE, id="r1"), record(id="r2", comment="by hand"), beside]
    wanted = decided(world([machine()], here))
    assert [(change.rule, change.before[0]) for change in wanted.changes] == [
        ("record-foreign", ("content", ELSEWHERE))
    ]


@pytest.mark.parametrize("kind", ["CNAME", "NS"])
def test_a_conflicting_record_is_a_finding_and_nothing_is_created(kind: str) -> None:
    wanted = decided(world([machine()], [record(type=kind, content="else.where", comment="")]))
    assert (wanted.changes, found(wanted)) == ((), ["conflicting-record"])


def test_aaaa_record_is_a_finding_and_the_a_record_is_still_created() -> None:
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
    assert shown(wanted) == [("delete-record", "record-address")]
    assert found(wanted) == ["address-not-routable"]
    assert not decided(world([machine(ip=address)], [record(content=address)])).changes


@pytest.mark.parametrize("address", ["192.0.2.1", "198.51.100.255", "203.0.113.0", "54.3.2.1"])
def test_documentation_prefixes_and_public_addresses_are_accepted(address: str) -> None:
    assert shown(decided(world([machine(ip=address)]))) == [("create-record", "record-serving")]


def test_the_grace_period_is_a_setting() -> None:
    nobody = world([machine(STUDENT, state="terminated")], [record(created=YOUNG)], absent=[TEACHER])
    assert shown(decided(nobody, settings(GRACE_SECONDS="59"))) == [("delete-record", "record-absent")]
    assert not decided(nobody, settings(GRACE_SECONDS="60")).changes


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


def told(value: object) -> str:
    """The records as they stand in a test's name."""
    if not isinstance(value, list):
        return str(value)
    whose = {MARK: "ours", FOREIGN: "foreign"}
    return "+".join(f"{whose.get(r.comment, 'unmarked')}-{r.type}-{r.content[-3:]}-{r.proxied}" for r in value)


OURS, UNMARKED = record(), record(content=ELSEWHERE, id="r2", comment="by hand")
READINESS = [
    ([OURS], Readiness.READY),
    ([], Readiness.PENDING),
    ([record(content=ELSEWHERE)], Readiness.PENDING),
    ([record(proxied=False)], Readiness.PENDING),
    ([record(comment="by hand")], Readiness.PENDING),
    ([OURS, record(content=ELSEWHERE, id="r2")], Readiness.PENDING),
    ([OURS, record(type="AAAA", content="2001:db8::1", id="r2", comment="")], Readiness.READY),
    ([OURS, UNMARKED], Readiness.BLOCKED),
    ([OURS, record(content=ELSEWHERE, id="r2", comment=FOREIGN)], Readiness.BLOCKED),
    ([OURS, record(type="CNAME", content="x.example.org", id="r2", comment="")], Readiness.BLOCKED),
    ([OURS, record(type="NS", content="x.example.org", id="r2")], Readiness.BLOCKED),
    ([record(type="CNAME", content="x.example.org", comment="")], Readiness.BLOCKED),
    ([record(comment="by hand"), UNMARKED], Readiness.BLOCKED),
    ([record(content=ELSEWHERE, comment=FOREIGN)], Readiness.BLOCKED),
    ([record(comment=FOREIGN, proxied=False)], Readiness.BLOCKED),
    ([record(comment=FOREIGN)], Readiness.READY),
    ([record(comment=FOREIGN), record(content=ELSEWHERE, id="r2")], Readiness.PENDING),
    ([record(comment=FOREIGN), UNMARKED], Readiness.BLOCKED),
    ([record(comment="by hand"), record(content=ELSEWHERE, id="r2", comment=FOREIGN)], Readiness.BLOCKED),
]


@pytest.mark.parametrize(("here", "readiness"), READINESS, ids=lambda value: told(value) if value else "none")
def test_link_needs_a_name_that_leads_only_to_its_machine(here: list[DnsRecord], readiness: Readiness) -> None:
    assert plan_name(Facts.of(world([machine()], here), settings()), TEACHER).readiness is readiness


def test_adoption_takes_what_blocks_the_name_out_of_the_way() -> None:
    facts = Facts.of(world([machine()], [OURS, UNMARKED]), settings(ADOPT_UNMARKED="true"))
    assert plan_name(facts, TEACHER).readiness is Readiness.PENDING


@pytest.mark.parametrize(
    "seen",
    [
        world([machine(ip="10.0.0.1")], [record(content="10.0.0.1")]),
        *(world([m], [OURS]) for m in (machine(ip=None), machine(state="stopped"), machine(state="terminated"))),
        *(world([m], [OURS]) for m in (machine(tagged=False), machine(role=None), machine(state="pending"))),
        world([], [OURS], absent=[TEACHER]),
        world([], [OURS]),
    ],
)
def test_no_link_may_lead_to_a_machine_that_does_not_serve(seen: World) -> None:
    assert plan_name(Facts.of(seen, settings()), TEACHER).readiness is Readiness.BLOCKED


@pytest.mark.parametrize("kind", ["TXT", "AAAA"])
def test_foreign_record_of_a_compatible_type_does_not_block_the_link(kind: str) -> None:
    beside = record(content="x", id="r2", type=kind, proxied=False, comment=FOREIGN)
    rows = [row(ids={"teacher": TEACHER}, status="HEALTHY")]
    assert shown(decided(world([machine()], [record(), beside], rows))) == [("write-link", "link-current")]
    assert shown(decided(world([machine()], [beside], rows))) == [], "nothing is created, and no link written"


def test_an_unmarked_record_of_a_machine_without_address_is_reported() -> None:
    assert found(decided(world([machine(ip=None, launched=YOUNG)], [record(comment="")]))) == ["unmarked-record"]
