"""A listing of Cloudflare's, read to its end. A pass's own, in ``cloudflare/records.py``, doubts its answers more."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from controller.cloudflare.api import Api, Params
from controller.cloudflare.records import is_last
from controller.cloudflare.reply import Answer
from controller.runtime.budget import Budget


def listed(
    api: Api, path: str, params: Params, budget: Budget, check: Callable[[Answer], None]
) -> Iterator[dict[str, Any]]:
    """Yield each item of all pages once. ``check`` raises for an answer that is not a list of items with an id.

    Raises CallError.
    """
    seen = set[str]()
    for number in count(1):
        answer = api.read(path, [*params, ("page", str(number))], budget, check)
        new = {raw["id"]: raw for raw in answer.result if raw["id"] not in seen}
        yield from new.values()
        seen.update(new)
        if not new or is_last(answer, number):
            return
