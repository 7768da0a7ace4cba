"""The Cloudflare zone: does DOMAIN_ROOT lie in it, is it in use, and has it room for more records?"""

from dataclasses import dataclass
from typing import Any

from controller.cloudflare.api import Api
from controller.cloudflare.records import BATCH_LIMITS
from controller.doctor.diagnosis import Check, failed, passed, warned
from controller.errors import AuthenticationError
from controller.names import is_under, punycode, readable
from controller.runtime.budget import Budget
from controller.settings import Settings

#: Share of the zone's record quota from which on somebody should look.
NEARLY_FULL = 0.9


@dataclass(frozen=True, slots=True)
class ZoneLook:
    """Reads the zone, with a token that has listed its records."""

    api: Api
    settings: Settings
    budget: Budget

    def place(self, *, has_records: bool) -> Check:
        """Check where DOMAIN_ROOT lies. Raises CallError if Cloudflare has no answer."""
        root = self.settings.domain_root
        try:
            zone = self._read("", renew=False)
        except AuthenticationError:
            proof = "its records prove" if has_records else "a pass proves by the first record it creates"
            seen = f"The token may not read the zone, so batches have 200 changes. That {root} lies in it {proof}."
            return warned("zone", seen, "Give the token Zone > Zone > Read too, if you can.")
        if not isinstance(zone.get("name"), str):
            return warned("zone", "Cloudflare's answer names no zone.", "Look again, or at Cloudflare's status page.")
        name = punycode(zone["name"], registered=True)
        if not is_under(root, name):
            seen = f"DOMAIN_ROOT {readable(root)} is not in zone {readable(name)}, which ZONE_ID names."
            return failed("zone", seen, "Correct DOMAIN_ROOT or ZONE_ID.")
        seen = f"{readable(root)} lies in the zone {readable(name)}{_plan(zone)}."
        if zone.get("status") == "active" and not zone.get("paused"):
            return passed("zone", seen)
        state = "paused" if zone.get("paused") else str(zone.get("status"))
        return warned("zone", f"{seen} The zone is {state}: links will not work.", "Activate it at Cloudflare.")

    def quota(self) -> Check:
        """Check the number of records, and the most that may be. Raises CallError if Cloudflare has no answer."""
        usage = self._read("/dns_records/usage")
        used, quota = usage.get("record_usage"), usage.get("record_quota")
        if not isinstance(used, int):
            return warned("record-quota", "Cloudflare's answer has no number of records.", "Look at the dashboard.")
        if not isinstance(quota, int):
            return passed("record-quota", f"The zone has {used} records; it has no quota of its own, the account has.")
        seen = f"The zone has {used} of at most {quota} records."
        fix = "Delete records that nobody needs, or take a larger Cloudflare plan."
        if used >= quota:
            return failed("record-quota", f"{seen} No record can be created.", fix)
        return warned("record-quota", seen, fix) if used >= NEARLY_FULL * quota else passed("record-quota", seen)

    def _read(self, path: str, *, renew: bool = True) -> dict[str, Any]:
        result = self.api.read(f"/zones/{self.settings.zone_id}{path}", (), self.budget, renew=renew).result
        return result if isinstance(result, dict) else {}


def _plan(zone: dict[str, Any]) -> str:
    plan = zone.get("plan")
    kind = plan.get("legacy_id") if isinstance(plan, dict) else None
    return f" (plan {kind}, batches of up to {BATCH_LIMITS.get(str(kind), BATCH_LIMITS['free'])} changes)"
