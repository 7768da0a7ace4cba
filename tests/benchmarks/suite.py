"""All measurements, and the tables that their figures make."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.benchmarks import burst, cold_start, dynamodb, event, full_pass, growth, large, probe
from tests.benchmarks.functions import Functions
from tests.benchmarks.sizes import Sizes
from tests.benchmarks.table import Table


@dataclass(frozen=True, slots=True)
class Measurement:
    """How it is measured, and what is shown of its figures, which are fit for JSON."""

    measure: Callable[[Sizes, Functions], Any]
    tables: tuple[Callable[[Any], Table], ...]


SUITE: Mapping[str, Measurement] = {
    "full_pass": Measurement(full_pass.measure, (full_pass.table,)),
    "event": Measurement(event.measure, (event.table,)),
    "cold_start": Measurement(cold_start.measure, (cold_start.table, cold_start.imports_table)),
    "burst": Measurement(burst.measure, (burst.table,)),
    "dynamodb": Measurement(dynamodb.measure, (dynamodb.table,)),
    "growth": Measurement(growth.measure, (growth.table,)),
    "probe": Measurement(probe.measure, (probe.table,)),
    "large": Measurement(large.measure, (large.table,)),
}


def tables_of(figures: Mapping[str, Any]) -> list[Table]:
    """Every table that there are figures for."""
    return [table(figures[name]) for name in SUITE if name in figures for table in SUITE[name].tables]
