"""The judges themselves: each misdeed is done on purpose, and must not pass; and the sample leaves nothing out."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.build import MARK, link, name, settings
from tests.support.journal import Write
from tests.support.servers import Clouds, long_ago
from tests.support.spec.in_truth import misdeeds_in_truth
from tests.system.faults.plan import CALLS, KINDS, sample
from tests.system.faults.scenarios import machine_id, messy

Misdeed = Callable[[Clouds], object]


@pytest.fixture
def world(clouds: Clouds) -> Iterator[Clouds]:
    messy(clouds)
    yield clouds
    clouds.reset()


def record_of(clouds: Clouds, number: int, content: str | None = None) -> str:
    wanted = (name(machine_id(number)), content or f"192.0.2.{number}")
    return next(str(r["id"]) for r in clouds.cloudflare.records() if (r["name"], r["content"]) == wanted)


def edit_row(meeting: str, **attributes: Any) -> Misdeed:
    return lambda clouds: clouds.aws.rows.edit(meeting, **attributes)


def sentences(clouds: Clouds, misdeed: Misdeed, scope: set[str] | None = None) -> list[str]:
    before = clouds.state()
    misdeed(clouds)
    after = clouds.state()
    rows = before.rows.keys() | after.rows.keys()
    touched = [row for row in rows if before.rows.get(row) != after.rows.get(row)]
    return misdeeds_in_truth([Write("", before, after, key=touched[0] if touched else "")], settings(), scope)


RECORDS: dict[str, Misdeed] = {
    "right-record-deleted": lambda c: c.cloudflare.remove(record_of(c, 21)),
    "foreign-record-deleted": lambda c: c.cloudflare.remove(record_of(c, 14)),
    "unmarked-record-deleted": lambda c: c.cloudflare.remove(record_of(c, 12)),
    "foreign-record-changed": lambda c: c.cloudflare.edit(record_of(c, 14), comment=MARK),
    "wrong-address": lambda c: c.cloudflare.edit(record_of(c, 21), content="198.51.100.1"),
    "unproxied": lambda c: c.cloudflare.edit(record_of(c, 21), proxied=False),
    "unmarked": lambda c: c.cloudflare.edit(record_of(c, 21), comment=None),
    "record-of-a-stopped-machine": lambda c: c.seed(machine_id(4), "198.51.100.5"),
    "record-of-nobody": lambda c: c.seed(machine_id(99), "198.51.100.5"),
    "outside-the-pattern": lambda c: c.cloudflare.seed("x.example.com", "192.0.2.9", created_on=long_ago()),
}
ROWS: dict[str, Misdeed] = {
    "row-created": lambda c: c.aws.rows.put("phantom", status="DNS_WRITTEN"),
    "row-removed": lambda c: c.aws.rows.remove("new"),
    "status-taken-back": edit_row("moved", status="DNS_WRITTEN"),
    "status-without-link": edit_row("new", status="DNS_WRITTEN"),
    "history-written": edit_row("history", teacher_ec2_link=link(machine_id(15))),
    "ended-alive": edit_row("half", status="TERMINATED", teacher_ec2_link=..., student_ec2_link=...),
    "ended-with-links": edit_row("over", status="TERMINATED", termination_reason="INSTANCES_GONE"),
    "link-without-record": edit_row("new", teacher_ec2_link=link(machine_id(1))),
    "link-to-a-dead-machine": edit_row("new", teacher_ec2_link=link(machine_id(4))),
    "link-to-a-stranger": edit_row("new", teacher_ec2_link=link(machine_id(21))),
    "good-link-removed": edit_row("half", teacher_ec2_link=...),
    "something-else": edit_row("new", teacher_ec2_id=machine_id(2)),
}


@pytest.mark.parametrize("misdeed", {**RECORDS, **ROWS}.values(), ids=[*RECORDS, *ROWS])
def test_a_misdeed_does_not_pass(world: Clouds, misdeed: Misdeed) -> None:
    assert sentences(world, misdeed)


GOOD: dict[str, Misdeed] = {
    "dead-machines-record": lambda c: c.cloudflare.remove(record_of(c, 23)),
    "duplicate": lambda c: c.cloudflare.remove(record_of(c, 13, "198.51.100.9")),
    "new-address": lambda c: c.cloudflare.edit(record_of(c, 11, "198.51.100.9"), content="192.0.2.11"),
    "link": edit_row("early", status="DNS_WRITTEN"),
    "dead-link": edit_row("half", student_ec2_link=...),
    "end": edit_row(
        "over", status="TERMINATED", teacher_ec2_link=..., student_ec2_link=..., termination_reason="INSTANCES_GONE"
    ),
}


@pytest.mark.parametrize("deed", GOOD.values(), ids=GOOD)
def test_a_good_deed_passes(world: Clouds, deed: Misdeed) -> None:
    assert sentences(world, deed) == []


@pytest.mark.parametrize(
    "deed",
    [
        edit_row("half", student_ec2_link=...),
        lambda clouds: clouds.cloudflare.remove(record_of(clouds, 23)),
        lambda clouds: clouds.cloudflare.remove(record_of(clouds, 25)),
    ],
)
def test_a_good_deed_outside_the_scope_does_not(world: Clouds, deed: Misdeed) -> None:
    assert sentences(world, deed, {machine_id(1)})


def test_the_sample_has_every_kind_and_every_call() -> None:
    chosen = sample()
    assert {case.kind.whole_family for case in chosen} == {kind.whole_family for kind in KINDS}
    assert {(case.scenario, case.call) for case in chosen} == {(name, call) for name in CALLS for call in CALLS[name]}
    assert len(set(map(str, chosen))) == len(chosen)
