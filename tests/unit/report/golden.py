"""The golden files: each report in each form.

``make golden`` writes them again, and the README's example with them; the diff shows what has changed. The HTML files
leave out the style sheet and its digest: the sheet has its own place and its own tests.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from controller.report.forms import FORMS
from tests.unit.report.reports import REPORTS, first_look

FOLDER = Path(__file__).with_name("golden")
README = Path(__file__).parents[3] / "README.md"
ENDINGS = {"text": "txt", "json": "json", "markdown": "md", "html": "html"}
_STYLE = re.compile(r"(?<=<style>).*?(?=</style>)|(?<='sha256-)[^']+(?=')", re.DOTALL)
_EXAMPLE = re.compile(r"(?<=^\$ elephant-dns plan\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)


def documents() -> Mapping[str, str]:
    """Return each golden file's name and content."""
    return {
        f"{name}.{ENDINGS[form]}": _STYLE.sub("…", render(report()), count=2) if form == "html" else render(report())
        for name, report in REPORTS.items()
        for form, render in FORMS.items()
    }


def example() -> str:
    """Return the report that the README shows."""
    return FORMS["text"](first_look())


def example_in_readme() -> str:
    """Return the report in the README as it is."""
    found = _EXAMPLE.search(README.read_text(encoding="utf-8"))
    assert found, "the README shows a report below the line '$ elephant-dns plan'"
    return found[0]


def main() -> None:
    """Write everything again."""
    for old in FOLDER.iterdir():
        old.unlink()
    for name, text in documents().items():
        FOLDER.joinpath(name).write_text(text, encoding="utf-8", newline="\n")
    text = README.read_text(encoding="utf-8")
    README.write_text(_EXAMPLE.sub(lambda _: example(), text), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
