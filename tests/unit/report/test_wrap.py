"""Lines fit a terminal, whatever the characters, and nothing is lost on the way."""

from hypothesis import given
from hypothesis import strategies as st

from controller.report.wrap import columns, wrapped
from tests.model.properties.profiles import CHEAP

TEXTS = st.text(alphabet=st.sampled_from("ab -,会議\uff21e\u0301ש"), max_size=200)


@CHEAP
@given(TEXTS, st.integers(10, 90), st.sampled_from(["", "  ", "  + ", "      → "]))
def test_no_line_is_wider_than_the_terminal(text: str, width: int, lead: str) -> None:
    assert all(columns(line) <= width for line in wrapped(text, width, lead))


@CHEAP
@given(TEXTS, st.integers(10, 90))
def test_wrapping_loses_and_adds_only_blanks(text: str, width: int) -> None:
    assert "".join(wrapped(text, width)).replace(" ", "") == text.replace(" ", "")


def test_wrapping_keeps_blanks_and_cuts_only_long_words() -> None:
    assert wrapped("a  b", 20) == ["a  b"]
    assert wrapped("one twothree", 8, "> ") == ["> one", "  twothr", "  ee"]
    assert wrapped("会議室です", 7) == ["会議室", "です"]
    assert columns("e\u0301会") == 3
