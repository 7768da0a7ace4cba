"""What a pass can see but must not fix is reported, about the thing itself (docs/how-it-works.md)."""

from hypothesis import given

from tests.model.properties.passes import planned
from tests.model.properties.profiles import PROMISE
from tests.model.properties.random_worlds import cases
from tests.support.spec import owners
from tests.support.spec import sight as spec
from tests.support.spec.sight import Sight
from tests.support.state import Case


def said_of(case: Case) -> list[tuple[str, str]]:
    """What is found, and of what."""
    report = planned(case).report
    assert report is not None
    assert all(f.message and f.hint for f in report.findings)
    return [(f.id, f.key) for f in report.findings]


@PROMISE
@given(cases())
def test_foreign_records_orphans_and_odd_machines_are_reported(case: Case) -> None:
    sight, told = Sight.of(case.state, case.settings), said_of(case)
    for found in sight.records:
        cls, is_stranger = spec.class_of(sight, found.instance), owners.is_foreign(found, case.settings)
        if cls == spec.SERVING and is_stranger and spec.is_routable_machine(sight, found.instance):
            assert ("foreign-record", found.name) in told
        if owners.is_unmarked(found) and cls in (spec.GONE, spec.STOPPED) and not case.settings.adopt_unmarked:
            assert ("unmarked-record", found.name) in told
        if is_stranger and cls in (spec.GONE, spec.STOPPED):
            assert ("orphaned-record", found.name) in told
    for instance in sight.instances:
        cls, name = spec.class_of(sight, instance), f"{instance}.{case.settings.domain_root}"
        assert cls != spec.UNCLAIMED or ("unclaimed-instance", instance) in told
        assert cls != spec.UNTAGGED or ("untagged-instance", instance) in told
        if cls == spec.SERVING and not spec.is_routable_machine(sight, instance):
            assert ("address-not-routable", name) in told
