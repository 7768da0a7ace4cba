"""The list of ``make sabotage`` keeps up with the code."""

from tests.project.sabotage import listed, stale


def test_list_of_sabotages_is_not_stale() -> None:
    sabotages = listed()
    assert stale(sabotages) == []
    assert len({sabotage.name for sabotage in sabotages}) == len(sabotages) >= 20
