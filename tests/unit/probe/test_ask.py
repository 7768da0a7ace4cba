"""What is read of an answer, where pages are longer, stranger or shorter than those of the sandbox's edge."""

from collections.abc import Iterator

import httpx
import pytest

from controller.probe.ask import PAGE, _answer

HTML = b'<span class="cf-error-type">Error</span>\n<span class="cf-error-code">%d</span>'


class Page(httpx.SyncByteStream):
    """A body in pieces, which says how many of them were read; it may break off."""

    def __init__(self, *pieces: bytes, breaks: bool = False) -> None:
        self.pieces, self.breaks, self.read = pieces, breaks, 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            self.read += 1
            yield piece
        if self.breaks:
            raise httpx.ReadError("The connection broke.")


def error(status: int, page: Page, **headers: str) -> int | None:
    named = {"server": "cloudflare", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return _answer(httpx.Response(status, headers=named, stream=page)).error


@pytest.mark.parametrize(
    ("page", "number"),
    [
        (Page(b"error code: 1016"), 1016),
        (Page(b"error co", b"de: 521"), 521),
        (Page(HTML % 522), 522),
        (Page(HTML % 1014), 1014),
        (Page(b"<h1>Desktop</h1>"), None),
        (Page(b"error code: 42"), None),
        (Page(breaks=True), None),
        (Page(b"error code: 525", breaks=True), 525),
    ],
)
def test_number_of_an_error_page_is_found(page: Page, number: int | None) -> None:
    assert error(530, page) == number


def test_header_wins_and_the_page_is_not_read() -> None:
    page = Page(b"error code: 1016")
    assert error(530, page, cf_error_type="1014") == 1014
    assert page.read == 0


def test_header_without_a_number_is_no_answer() -> None:
    assert error(521, Page(b"error code: 521"), cf_error_type="52x") == 521


def test_long_page_is_not_read_to_its_end() -> None:
    page = Page(*[b"x" * 1024] * 1000)
    assert error(503, page) is None
    assert page.read == PAGE // 1024


@pytest.mark.parametrize(("status", "server"), [(200, "cloudflare"), (503, "dcv")])
def test_page_that_is_no_error_of_cloudflare_is_not_read(status: int, server: str) -> None:
    page = Page(b"error code: 521")
    assert error(status, page, server=server) is None
    assert page.read == 0


def test_redirect_is_kept_without_its_query() -> None:
    headers = {"location": "https://Team.cloudflareaccess.com/cdn-cgi/access/login/x?meta=secret"}
    assert _answer(httpx.Response(302, headers=headers)).location == "team.cloudflareaccess.com/cdn-cgi/access/login/x"


@pytest.mark.parametrize("location", ["//[", "https://[bad/"])
def test_target_that_cannot_be_read_is_a_redirect_to_nowhere(location: str) -> None:
    answer = _answer(httpx.Response(302, headers={"location": location, "server": "cloudflare"}))
    assert (answer.status, answer.location, answer.to_http) == (302, "", False)
