"""The report as a value: findings that can be read, and one report of a pass with two parts."""

from dataclasses import replace

import pytest

from controller.model import Change, ClearLink, Finding, Outcome, Result
from controller.report.report import MOST_OF_A_KIND, Report, digest_of
from tests.support.build import STUDENT, TARGET, TEACHER, create, decided, delete, of_row, row, world
from tests.unit.report.reports import nothing, plan_of, rich


def findings(count: int, kind: str = "odd-row") -> list[Finding]:
    return [Finding(kind, f"m{number}", f"Row {number} is odd.", "Correct it.") for number in range(count)]


def done(change: Change) -> Result:
    return Result(change, Outcome.APPLIED)


def shortened(found: list[Finding]) -> list[Finding]:
    return list(replace(nothing(), findings=tuple(found)).shortened().findings)


def part(*results: Result, found: list[Finding], ms: int, calls: int) -> Report:
    """A report of one part of a pass."""
    whole = replace(nothing(), mode="apply", results=results, duration_ms=ms, calls={"ec2": calls})
    return replace(whole, findings=tuple(found))


@pytest.mark.parametrize("count", [0, 1, MOST_OF_A_KIND])
def test_up_to_twenty_findings_of_a_kind_are_listed(count: int) -> None:
    assert shortened(findings(count)) == findings(count)


def test_findings_beyond_twenty_of_a_kind_are_counted() -> None:
    many, few = findings(10_000), findings(3, "meeting-late")
    *shown, others, a, b, c = shortened([*many[:50], *few, *many[50:]])
    assert (shown, [a, b, c]) == (many[:20], few), "kind by kind"
    assert (others.id, others.key, others.hint) == ("odd-row", "others", "Correct it.")
    assert others.message == "9980 more of this kind are not listed."


def test_repeated_finding_is_listed_once() -> None:
    assert shortened([*findings(2), *findings(2)]) == findings(2)


def test_digest_does_not_depend_on_findings() -> None:
    odd = world(rows=[row(f"m{number}", "PAUSED") for number in range(100)])
    wanted = decided(odd)
    assert len(wanted.findings) == 100
    assert len(plan_of(odd).findings) == MOST_OF_A_KIND + 1
    assert digest_of(wanted, TARGET, None) == digest_of(replace(wanted, findings=()), TARGET, None)


def test_two_parts_of_a_pass_are_one_report() -> None:
    first = part(done(create()), found=findings(1), ms=100, calls=2)
    later = part(done(delete(STUDENT)), done(of_row(ClearLink, STUDENT)), found=findings(2), ms=900, calls=7)
    whole = first.joined(replace(later, digest="another", observed=(9, 9, 9)))
    assert [(str(r.change.action), r.change.instance) for r in whole.results] == [
        ("delete-record", STUDENT),
        ("create-record", TEACHER),
        ("clear-link", STUDENT),
    ], "in the order of doing"
    assert list(whole.shortened().findings) == findings(2)
    assert (whole.duration_ms, whole.calls, whole.digest, whole.observed) == (900, {"ec2": 7}, first.digest, (9, 9, 9))


def test_the_number_of_the_others_is_that_of_both_parts() -> None:
    first, later = part(found=findings(25), ms=1, calls=1), part(found=[], ms=2, calls=2)
    assert first.joined(later).shortened().findings[-1].message == "5 more of this kind are not listed."


def test_failed_later_part_leaves_the_whole_incomplete() -> None:
    good, bad = (
        part(Result(create(i), how), found=[], ms=1, calls=1)
        for i, how in ((TEACHER, Outcome.APPLIED), (STUDENT, Outcome.FAILED))
    )
    assert good.complete
    assert not good.joined(bad).complete
    assert not bad.joined(good).ended_well


def test_a_digest_is_of_this_deployment_and_scope() -> None:
    wanted = decided(world())
    digests = {
        digest_of(wanted, target, scope)
        for target in (TARGET, replace(TARGET, owner="x"), replace(TARGET, table="x"), replace(TARGET, zone="x"))
        for scope in (None, (TEACHER,))
    }
    assert len(digests) == 8
    assert rich().digest not in digests
