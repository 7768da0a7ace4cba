"""The time between two runs of a schedule."""

import pytest

from controller.doctor.interval import minutes_between


@pytest.mark.parametrize(
    ("expression", "minutes"),
    [
        ("rate(1 minute)", 1),
        ("rate(5 minutes)", 5),
        ("rate(1 hour)", 60),
        ("rate(7 days)", 10_080),
        ("cron(0/5 * * * ? *)", 5),
        ("cron(*/15 * ? * SUN-SAT *)", 15),
        ("cron(0 * * JAN-DEC ? *)", 60),
        ("cron(0,50 * * * ? *)", 50),
        ("cron(0 8 * * ? *)", 1440),
        ("cron(0/5 8-18 * * ? *)", 785),
        ("cron(0 0,12 1-31 * ? *)", 720),
        ("cron(0/5 * ? * MON-FRI *)", None),
        ("cron(0 * 1 * ? *)", None),
        ("cron(0 * L * ? *)", None),
        ("cron(0 * * 1-6 ? *)", None),
        ("cron(0 * * * ? 2030)", None),
        ("cron(0/0 * * * ? *)", None),
        ("cron(99 * * * ? *)", None),
        ("cron(0 8)", None),
        ("at(2100-01-01T00:00:00)", None),
        ("", None),
    ],
)
def test_the_most_minutes_between_two_runs(expression: str, minutes: int | None) -> None:
    assert minutes_between(expression) == minutes
