"""Every form of every report is, byte for byte, the golden file that people have looked at."""

import pytest

from tests.unit.report.golden import FOLDER, documents, example, example_in_readme

DOCUMENTS = documents()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_form_is_as_its_golden_file(name: str) -> None:
    assert FOLDER.joinpath(name).read_bytes() == DOCUMENTS[name].encode(), "run `make golden`, and read the difference"


def test_every_golden_file_belongs_to_a_report() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(DOCUMENTS)


def test_the_readme_shows_a_report_as_it_is() -> None:
    assert example_in_readme() == example(), "run `make golden`, and read the difference"
