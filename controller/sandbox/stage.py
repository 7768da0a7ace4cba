"""Where the demo is shown: headings, paragraphs, lists and reports."""

import textwrap
from collections.abc import Callable
from dataclasses import dataclass

from controller.report import as_text
from controller.report.report import Report
from controller.report.safe import on_one_line

Out = Callable[[str], object]
"""Takes one text, which may have several lines: ``print``, or a list's ``append``."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the demo is shown. A quiet one shows only what went wrong, and what somebody may paste."""

    out: Out
    width: int
    colour: bool
    quiet: bool = False

    def title(self, text: str) -> None:
        """Show a heading."""
        self.tell(f"\n{self._painted('1', text)}\n")

    def say(self, text: str) -> None:
        """Show a paragraph."""
        self.tell(textwrap.fill(text, self.width))

    def tell(self, text: str) -> None:
        """Show a part of the story."""
        if not self.quiet:
            self.out(text)

    def item(self, sign: str, name: str, text: str) -> None:
        """Show a line of a list, wrapped beside its name."""
        if self.quiet and sign != "✗":
            return
        painted = self._painted({"✓": "32", "✗": "31"}.get(sign, "33"), sign)
        lines = textwrap.wrap(on_one_line(text), self.width - 26) or [""]
        rest = "".join(f"\n{'':26}{line}" for line in lines[1:])
        self.out(f"  {painted} {name:<21} {lines[0]}{rest}")

    def report(self, report: Report) -> None:
        """Show a pass's report as the commands do."""
        self.tell(as_text.render(report, width=self.width, colour=self.colour))

    def _painted(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text
