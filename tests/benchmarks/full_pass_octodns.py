"""OctoDNS's full pass with its Cloudflare provider as it comes, given the zone that is wanted."""

import logging
from collections.abc import Callable
from typing import Any

from octodns.record import Record  # type: ignore[import-untyped]
from octodns.zone import Zone  # type: ignore[import-untyped]
from octodns_cloudflare import CloudflareProvider  # type: ignore[import-untyped]

from tests.benchmarks.scenes import Scene, Seed, wanted


def prepare(count: int, scene: Scene, url: str, zone: str, token: str) -> Callable[[], dict[str, Any]]:
    """The pass over this many machines. Page rules are another API, which the server here does not have."""
    logging.disable()  # it warns at every delete, and that costs time
    desired = Zone("example.com.", [])
    for seed in wanted(count, scene):
        desired.add_record(Record.new(desired, seed.instance, _data(seed)))
    provider = CloudflareProvider("benchmark", token=token, api_url=url, pagerules=False)

    def go() -> dict[str, Any]:
        plan = provider.plan(desired)
        return {"changes": provider.apply(plan) if plan else 0, "whole": True}

    return go


def _data(seed: Seed) -> dict[str, Any]:
    options = {"cloudflare": {"proxied": True, "comment": seed.comment}}
    return {"type": "A", "ttl": 300, "value": seed.content, "octodns": options}
