"""Evaluates an alarm as CloudWatch does, over the values that its metric has in each period.

How it looks at data: "Configuring how CloudWatch alarms treat missing data" and "Using metric math" in its user guide.
Only as much as the alarms of the template use; anything else fails, so that nothing passes unseen.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import ge, lt
from typing import Any, Self

#: The values of a metric in one period.
Period = Sequence[float]

#: Periods before those of the evaluation at which CloudWatch looks, where some of these have no data. It promises no
#: number; its examples have two.
FURTHER_BACK = 2

_STATISTICS: dict[str, Callable[[Period], float]] = {"Maximum": max, "SampleCount": len, "Sum": sum}
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": ge,
    "LessThanThreshold": lt,
}
_MISSING = {"breaching": True, "notBreaching": False}


@dataclass(frozen=True)
class Watched:
    """The metric that an alarm looks at, and how; ``fill`` takes the place of a period without data."""

    namespace: str
    name: str
    dimensions: Sequence[Mapping[str, str]]
    seconds: int
    statistic: str
    fill: float | None = None

    @classmethod
    def by(cls, alarm: Mapping[str, Any]) -> Self:
        """From an alarm on a metric itself, or on the expression FILL of one."""
        if "Metrics" not in alarm:
            return cls._of(alarm, alarm["Period"], alarm["Statistic"])
        (result,) = [one for one in alarm["Metrics"] if one.get("ReturnData", True)]
        (source,) = [one for one in alarm["Metrics"] if one is not result]
        assert result["Expression"] == f"FILL({source['Id']}, 0)"
        stat = source["MetricStat"]
        return cls._of(stat["Metric"], stat["Period"], stat["Stat"], fill=0)

    @classmethod
    def _of(cls, metric: Mapping[str, Any], seconds: int, statistic: str, fill: float | None = None) -> Self:
        return cls(metric["Namespace"], metric["MetricName"], metric["Dimensions"], seconds, statistic, fill)

    def value(self, period: Period) -> float | None:
        """What CloudWatch makes of one period; None where there is nothing."""
        return _STATISTICS[self.statistic](period) if period else self.fill


def changes(alarm: Mapping[str, Any], *periods: Period) -> int:
    """How often the alarm begins or ends within these periods: the notifications that it sends."""
    states = [False, *(rings(alarm, *periods[: count + 1]) for count in range(len(periods)))]
    return sum(before != now for before, now in pairwise(states))


def rings(alarm: Mapping[str, Any], *periods: Period) -> bool:
    """Return whether the alarm is in the state ALARM after these periods, the last of them last."""
    count: int = alarm["EvaluationPeriods"]
    looked_at = periods[-count - FURTHER_BACK :]
    watched = Watched.by(alarm)
    values = [watched.value(period) for period in looked_at if any(looked_at)]  # FILL makes nothing of nothing
    present = [value for value in values if value is not None][-count:]
    bad = [_COMPARISONS[alarm["ComparisonOperator"]](value, alarm["Threshold"]) for value in present]
    bad += [_MISSING[alarm["TreatMissingData"]]] * (count - len(present))
    needed: int = alarm.get("DatapointsToAlarm", count)
    return sum(bad) >= needed
