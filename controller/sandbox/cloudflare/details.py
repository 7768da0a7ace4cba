"""The zone object (Cloudflare API reference: Zone Details; SDK ``types/zones/zone.py``)."""

from typing import Literal

from controller.sandbox.cloudflare.plans import Plan
from controller.sandbox.cloudflare.records import stamp
from controller.sandbox.cloudflare.settings import Settings
from controller.sandbox.cloudflare.tokens import LEGACY, Token
from controller.sandbox.cloudflare.zone import Zone, identifier

ZoneStatus = Literal["initializing", "pending", "active", "moved"]

ACCOUNT_ID = identifier("account")
OWNER_ID = identifier("owner")


def zone_object(zone: Zone, status: ZoneStatus, settings: Settings, token: Token) -> dict[str, object]:
    """Return the zone object. ``permissions`` says what the token may do, in legacy strings not to rely on."""
    created = stamp(zone.created_on)
    return {
        "id": zone.id,
        "name": zone.shown_name,
        "status": status,
        "paused": settings.paused,
        "type": settings.type,
        "development_mode": 0,
        "name_servers": ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"],
        "original_name_servers": None,
        "original_registrar": None,
        "original_dnshost": None,
        "created_on": created,
        "modified_on": created,
        "activated_on": created if status == "active" else None,
        "meta": {"step": 2, "custom_certificate_quota": 0, "page_rule_quota": 3, "phishing_detected": False},
        "owner": {"id": OWNER_ID, "type": "user", "name": "Sandbox"},
        "account": {"id": ACCOUNT_ID, "name": "Sandbox"},
        "permissions": sorted(LEGACY[permission] for permission in token.permissions & LEGACY.keys()),
        "plan": _plan_object(zone.plan),
    }


def _plan_object(plan: Plan) -> dict[str, object]:
    return {
        "id": identifier("plan", plan.legacy_id),
        "name": plan.title,
        "price": plan.price,
        "currency": "USD",
        "frequency": "monthly" if plan.price else "",
        "is_subscribed": bool(plan.price),
        "can_subscribe": False,
        "legacy_id": plan.legacy_id,
        "legacy_discount": False,
        "externally_managed": False,
    }
