"""The limits of a zone's plan (Cloudflare docs: manage-dns-records, batch-record-changes, ttl, plans)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

PlanName = Literal["free", "pro", "business", "enterprise"]


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan. ``quota`` limits records of all types, ``batch`` the changes in all four lists of one batch."""

    legacy_id: PlanName
    title: str
    price: int
    quota: int
    batch: int
    comment: int
    tags: int
    min_ttl: int


PLANS: Mapping[PlanName, Plan] = {
    # A free zone from before September 2024 may hold 1,000 records: give the server ``quota=1000`` for one.
    "free": Plan("free", "Free Website", 0, quota=200, batch=200, comment=100, tags=0, min_ttl=60),
    "pro": Plan("pro", "Pro Website", 25, quota=3500, batch=3500, comment=500, tags=20, min_ttl=60),
    "business": Plan("business", "Business Website", 250, quota=3500, batch=3500, comment=500, tags=20, min_ttl=60),
    "enterprise": Plan("enterprise", "Enterprise Website", 0, quota=3500, batch=3500, comment=500, tags=20, min_ttl=30),
}
