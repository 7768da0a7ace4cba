"""Cloudflare's DNS Records API v4 as a server on loopback, written from Cloudflare's public documentation.

It shares no code with the controller's client, on purpose: the two must be able to disagree.
"""

from controller.sandbox.cloudflare.errors import ApiError
from controller.sandbox.cloudflare.exchange import Delivery, Exchange, Interceptor, Proceed, Reply, Request
from controller.sandbox.cloudflare.plans import PLANS, Plan, PlanName
from controller.sandbox.cloudflare.quirks import QUIRK_SETS, Quirks
from controller.sandbox.cloudflare.server import CloudflareServer, Options
from controller.sandbox.cloudflare.settings import Pack, Settings, SslMode
from controller.sandbox.cloudflare.tokens import Permission
from controller.sandbox.cloudflare.zone import Write

__all__ = [
    "PLANS",
    "QUIRK_SETS",
    "ApiError",
    "CloudflareServer",
    "Delivery",
    "Exchange",
    "Interceptor",
    "Options",
    "Pack",
    "Permission",
    "Plan",
    "PlanName",
    "Proceed",
    "Quirks",
    "Reply",
    "Request",
    "Settings",
    "SslMode",
    "Write",
]
