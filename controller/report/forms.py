"""The forms of a report, by the names that ``--format`` takes."""

from collections.abc import Callable, Mapping

from controller.report import as_html, as_json, as_markdown, as_text
from controller.report.report import Report

#: Each returns a whole document that ends with a line break; text comes without colours, 80 columns wide.
FORMS: Mapping[str, Callable[[Report], str]] = {
    "text": as_text.render,
    "json": as_json.render,
    "markdown": as_markdown.render,
    "html": as_html.render,
}
