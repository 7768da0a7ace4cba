"""The benchmarks, as small as can be: they run, do their work, and make their tables."""

import json
import platform

import pytest

from tests.benchmarks.aims import aims, waits
from tests.benchmarks.functions import unpackaged
from tests.benchmarks.report import rendered
from tests.benchmarks.sizes import TINY
from tests.benchmarks.suite import SUITE, tables_of
from tests.benchmarks.table import as_text

pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="processes are measured by means of Linux")


#: Those that take longer; what they stand on is in another one as well.
SLOW = ("burst", "cold_start")


@pytest.mark.proof
@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.proof if n in SLOW else ()) for n in SUITE])
def test_a_measurement_does_its_work_and_its_figures_make_tables(name: str) -> None:
    raw = json.loads(json.dumps(SUITE[name].measure(TINY, unpackaged)))
    figures = {"machine": "a machine", name: raw}
    page = rendered(figures)
    for table in (waits(figures), aims(figures), *tables_of(figures)):
        assert f"## {table.title}" in page
        assert table.rows == () or table.rows[-1][0] in as_text(table)
