"""Evaluates an alarm as CloudWatch does, over the values that its metric has in each period.

How it looks at data: "Configuring how CloudWatch alarms treat missing data" and "Using metric math" in its user guide.
Only as much as the alarms of the template use; anything else fails, so that nothing passes unseen.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import ge, gt, lt
from typing import Any, Self

#: The values of a metric in one period.
Period = Sequence[float]

#: Periods before those of the evaluation at which CloudWatch looks, where some of these have no data. It promises no
#: number; its examples have two.
FURTHER_BACK = 2


def _p90(values: Period) -> float:
    """The least value that nine of ten do not exceed."""
    return sorted(values)[math.ceil(0.9 * len(values)) - 1]


_STATISTICS: dict[str, Callable[[Period], float]] = {"Maximum": max, "SampleCount": len, "Sum": sum, "p90": _p90}
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": ge,
    "GreaterThanThreshold": gt,
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
            return cls._of(alarm, alarm["Period"], alarm.get("Statistic") or alarm["ExtendedStatistic"])
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


def changes(alarm: Mapping[str, Any], *spans: Period) -> int:
    """How often the alarm begins or ends within these spans of five minutes: the notifications that it sends."""
    width = Watched.by(alarm).seconds // 300
    states = [False, *(rings(alarm, *_joined(spans[: count + 1], width)) for count in range(len(spans)))]
    return sum(before != now for before, now in pairwise(states))


def _joined(spans: Sequence[Period], width: int) -> Sequence[Period]:
    """The spans as the alarm's periods; the last one ends now."""
    ends = range(len(spans), 0, -width)
    return [[value for span in spans[max(0, end - width) : end] for value in span] for end in ends][::-1]


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
