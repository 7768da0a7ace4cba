"""The README's picture of a report, as a browser shows it: ``make test-browser`` takes it anew."""

import tempfile
from base64 import b64decode
from pathlib import Path

from controller.report import as_html
from tests.unit.report.browser import Page, running
from tests.unit.report.reports import rich

PICTURE = Path(__file__).parents[3] / "docs" / "images" / "report.png"
WIDTH, HEIGHT = 880, 1020


def main() -> None:
    """Take the picture."""
    with tempfile.TemporaryDirectory() as folder, running() as browser:
        path = Path(folder) / "report.html"
        path.write_text(as_html.render(rich()), encoding="utf-8")
        page = Page(browser, width=WIDTH, scale=1.5)
        page.open(path)
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": HEIGHT, "scale": 1}
        shot = page.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_bytes(b64decode(shot["data"]))


if __name__ == "__main__":
    main()
