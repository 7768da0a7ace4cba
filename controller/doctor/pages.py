"""A listing that comes in pages, read to its end."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from controller.aws.call import Call
from controller.runtime.budget import Budget

T = TypeVar("T")


def pages(
    call: Call,
    request: Callable[..., Any],
    budget: Budget,
    read: Callable[[Any], list[T]],
    tokens: tuple[str, str],
    **arguments: Any,
) -> Iterator[T]:
    """Yield what all pages hold; ``tokens`` name the next page in an answer and in a request. Raises CallError."""
    given, asked = tokens
    while True:
        found, following = call(request, budget, lambda page: (read(page), page.get(given)), **arguments)
        yield from found
        if not following:
            return
        arguments[asked] = following
