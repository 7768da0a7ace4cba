"""The Cloudflare zone: does DOMAIN_ROOT lie in it, is it in use, and has it room for more records?"""

from typing import Any

from controller.cloudflare.api import Api
from controller.cloudflare.records import BATCH_LIMITS
from controller.doctor.diagnosis import Check, Once, failed, passed, warned
from controller.errors import AuthenticationError, CallError
from controller.names import is_under, punycode, readable
from controller.rules.quota import NEARLY_FULL
from controller.runtime.budget import Budget
from controller.settings import Settings


class ZoneLook:
    """Reads the zone, with a token that has listed its records."""

    def __init__(self, api: Api, settings: Settings, budget: Budget) -> None:
        self.api, self.settings, self.budget = api, settings, budget
        self._zone = Once(lambda: self._read("", renew=False))

    @property
    def name(self) -> str | None:
        """Return the zone's name as DNS has it; None where it is not known."""
        name = self._known("name")
        return punycode(name, registered=True) if isinstance(name, str) else None

    @property
    def kind(self) -> str | None:
        """Return the zone's type: ``full`` where Cloudflare's name servers alone answer for it."""
        kind = self._known("type")
        return kind if isinstance(kind, str) else None

    @property
    def account(self) -> str | None:
        """Return the id of the zone's account."""
        account = self._known("account")
        found = account.get("id") if isinstance(account, dict) else None
        return found if isinstance(found, str) else None

    def _known(self, field: str) -> Any:
        """Return a field of the zone; None where the zone cannot be read."""
        try:
            return self._zone().get(field)
        except CallError:
            return None

    def place(self, *, has_records: bool) -> Check:
        """Check where DOMAIN_ROOT lies. Raises CallError if Cloudflare has no answer."""
        root = self.settings.domain_root
        try:
            zone = self._zone()
        except AuthenticationError:
            proof = "its records prove" if has_records else "a pass proves by the first record it creates"
            seen = f"The token may not read the zone, so batches have 200 changes. That {root} lies in it {proof}."
            fix = (
                "Give the token Zone > Zone > Read too, if you can. Otherwise look at the zone's Overview: it must be "
                "active and not paused."
            )
            return warned("zone", seen, fix)
        name = self.name
        if name is None:
            return warned("zone", "Cloudflare's answer names no zone.", "Look again, or at Cloudflare's status page.")
        if not is_under(root, name):
            seen = f"DOMAIN_ROOT {readable(root)} is not in zone {readable(name)}, which ZONE_ID names."
            return failed("zone", seen, "Correct DOMAIN_ROOT or ZONE_ID.")
        seen = f"{readable(root)} lies in the zone {readable(name)}{_plan(zone)}."
        if zone.get("status") != "active" or zone.get("paused"):
            state = "paused" if zone.get("paused") else str(zone.get("status"))
            return warned("zone", f"{seen} The zone is {state}: links will not work.", "Activate it at Cloudflare.")
        if self.kind not in ("full", None):
            seen += f" The zone's type is {self.kind}: only one of type full answers the names that a pass creates."
            return warned("zone", seen, "Use a zone with the full setup, such as one for the subdomain alone.")
        return passed("zone", seen)

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
