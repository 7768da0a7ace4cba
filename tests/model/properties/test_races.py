"""Somebody else writes the very row, or the very record, just before a pass does."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from controller.model import Outcome, Value
from tests.model.properties.clouds import Clouds
from tests.model.properties.faults import Calls, Script
from tests.model.properties.passes import run
from tests.model.properties.profiles import COSTLY
from tests.model.properties.random_worlds import IDS, cases, settings_with
from tests.model.properties.simulation import what_a_calm_pass_leaves
from tests.support.journal import Write
from tests.support.spec.allowed import misdeeds
from tests.support.state import Case, Row

STATUSES = ("LAUNCHED", "DNS_WRITTEN", "HEALTHY", "IN_PROGRESS", "TERMINATED", "CANCELLED")


def with_values(row: Row, **values: Value) -> Row:
    return {name: value for name, value in {**row, **values}.items() if value is not None}


def rewrites(case: Case) -> Iterator[Callable[[Row], Row | None]]:
    """What another hand may make of a row; None is a row that goes."""
    for status in STATUSES:
        yield lambda row, status=status: with_values(row, status=status)  # type: ignore[misc]  # bound here
    for role in case.settings.roles:
        for other in (*IDS[:3], "i-dead0001"):
            link = f"https://{other}.{case.settings.domain_root}:{case.settings.dcv_port}"
            yield lambda row, role=role, other=other: with_values(row, **{f"{role}_ec2_id": other})  # type: ignore[misc]  # bound here
            yield lambda row, role=role, link=link: with_values(row, **{f"{role}_ec2_link": link})  # type: ignore[misc]  # bound here
        yield lambda row, role=role: with_values(row, **{f"{role}_ec2_link": None})  # type: ignore[misc]  # bound here
    yield lambda _: None


def racing(key: str, rewrite: Callable[[Row], Row | None]) -> Callable[[Clouds], None]:
    def meddle(clouds: Clouds) -> None:
        row = clouds.state.rows.get(key)
        rest = {name: other for name, other in clouds.state.rows.items() if name != key}
        after = None if row is None else rewrite(row)
        clouds.state = replace(clouds.state, rows=rest if after is None else {**rest, key: after})

    return meddle


@COSTLY
@given(cases(size=4), st.booleans())
def test_row_rewritten_just_before_our_write_comes_to_no_harm(case: Case, force: bool) -> None:
    calm = run(Clouds(case), force=force)
    written = [event.key for event in calm.journal if isinstance(event, Write) and event.key]
    for number, key in enumerate(written):
        for rewrite in rewrites(case):
            clouds = Clouds(case)
            script = Script(row_writes=Calls(meddlers={number: racing(key, rewrite)}))
            ran = run(clouds, force=force, script=script)
            assert misdeeds(ran.journal, case.settings, force=force) == []
            assert ran.ended(Outcome.FAILED, Outcome.NOT_REACHED) == []
            assert what_a_calm_pass_leaves(clouds) == []


def lost_record(number: int) -> Callable[[Clouds], None]:
    def meddle(clouds: Clouds) -> None:
        keys = sorted(clouds.state.records)
        gone = keys[number % len(keys)] if keys else ""
        clouds.state = replace(
            clouds.state, records={key: record for key, record in clouds.state.records.items() if key != gone}
        )

    return meddle


@COSTLY
@given(cases(size=4))
def test_record_deleted_by_hand_before_our_batch_stops_nothing_else(case: Case) -> None:
    for number in range(len(case.state.records)):
        clouds = Clouds(case)
        ran = run(clouds, force=True, script=Script(writes=Calls(meddlers={0: lost_record(number)})))
        assert misdeeds(ran.journal, case.settings, force=True) == []
        assert ran.ended(Outcome.FAILED) == []
        assert what_a_calm_pass_leaves(clouds) == []


def test_healthy_status_during_a_pass_does_not_cost_the_link() -> None:
    from tests.model.properties.test_regressions import ONE, machine, record, world
    from tests.support.build import link

    case = world([machine(ONE, "203.0.113.1")], [record("a", ONE, "203.0.113.1")], m={"teacher_ec2_id": ONE})
    assert case.settings == settings_with()
    healthy = racing("m", lambda row: with_values(row, status="HEALTHY"))
    ran = run(Clouds(case), script=Script(row_writes=Calls(meddlers={0: healthy})))
    assert ran.state.rows["m"] == {"teacher_ec2_id": ONE, "teacher_ec2_link": link(ONE), "status": "HEALTHY"}
    assert [r.outcome for r in ran.results] == [Outcome.APPLIED]
    assert dict(ran.results[0].change.after) == {"teacher_ec2_link": link(ONE)}
