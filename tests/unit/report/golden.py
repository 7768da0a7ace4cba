"""The golden files: what each form makes of each report.

``make golden`` writes them anew, and the README's example with them; what has changed is then read in the diff.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from controller.report.forms import FORMS
from tests.unit.report.reports import REPORTS, first_look

FOLDER = Path(__file__).with_name("golden")
README = Path(__file__).parents[3] / "README.md"
ENDINGS = {"text": "txt", "json": "json", "markdown": "md", "html": "html"}
_EXAMPLE = re.compile(r"(?<=^\$ elephant-dns plan\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)


def documents() -> Mapping[str, str]:
    """Each golden file's name and what it has to hold."""
    return {
        f"{name}.{ENDINGS[form]}": render(report())
        for name, report in REPORTS.items()
        for form, render in FORMS.items()
    }


def example() -> str:
    """The report that the README shows."""
    return FORMS["text"](first_look())


def example_in_readme() -> str:
    """The report in the README as it is."""
    found = _EXAMPLE.search(README.read_text(encoding="utf-8"))
    assert found, "the README shows a report below the line '$ elephant-dns plan'"
    return found[0]


def main() -> None:
    """Write everything anew."""
    for old in FOLDER.iterdir():
        old.unlink()
    for name, text in documents().items():
        FOLDER.joinpath(name).write_text(text, encoding="utf-8", newline="\n")
    text = README.read_text(encoding="utf-8")
    README.write_text(_EXAMPLE.sub(lambda _: example(), text), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
