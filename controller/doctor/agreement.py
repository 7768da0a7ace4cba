"""Do a pass from here and the deployed function want the same? Two that differ undo each other's work."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from controller.doctor.diagnosis import Check, failed, passed, skipped, warned
from controller.errors import SettingsError
from controller.settings import Settings, read_settings

_ID = "function-settings"


@dataclass(frozen=True, slots=True)
class Here:
    """The settings of a pass from here, None if they cannot be used, and its owner id, None if nobody knows it."""

    settings: Settings | None
    owner: Callable[[], str | None]


@dataclass(frozen=True, slots=True)
class Deployed:
    """A function as it is deployed. Its environment may hold a token; None: Lambda could not decrypt it for us."""

    arn: str
    environment: Mapping[str, str] | None

    def __repr__(self) -> str:
        """Never the environment."""
        return f"Deployed({self.arn!r})"

    @classmethod
    def parsed(cls, raw: Any) -> Self:
        """From Lambda's answer."""
        environment = raw.get("Environment") or {}
        return cls(
            str(raw["FunctionArn"]), None if environment.get("Error") else dict(environment.get("Variables") or {})
        )

    @property
    def account(self) -> str:
        """The account that it is in."""
        return self.arn.split(":")[4]

    @property
    def region(self) -> str:
        """The region that it is in."""
        return self.arn.split(":")[3]


def agreement(here: Here, deployed: Deployed) -> Check:
    """What is to be said of the function's settings beside ours."""
    if deployed.environment is None:
        return warned(_ID, f"Lambda cannot decrypt the environment of {deployed.arn}.", "Allow kms:Decrypt on its key.")
    try:
        theirs = read_settings(deployed.environment)
    except SettingsError as error:
        _, *problems = error.message.splitlines()
        seen = f"{deployed.arn} cannot start: {' '.join(map(str.strip, problems))}"
        return failed(_ID, seen, "Correct the function's environment.")
    if here.settings is None:
        return skipped(_ID, "the settings here cannot be used")
    return _compared(here.settings, here.owner(), theirs, deployed)


def _compared(settings: Settings, owner: str | None, theirs: Settings, deployed: Deployed) -> Check:
    there = theirs.owner_id or f"{deployed.account}/{deployed.region}"
    ours, others = _wanted(settings, owner or there), _wanted(theirs, there)
    differing = [f"{name} is {ours[name]} here and {others[name]} there" for name in ours if ours[name] != others[name]]
    if differing:
        fix = "Export what the function has, or correct the function; different on purpose: name yours with --function."
        return failed(_ID, f"A pass from here and {deployed.arn} undo each other: {'; '.join(differing)}.", fix)
    if theirs.api_token:
        seen = f"{deployed.arn} has the token itself in its environment, for everybody to read who may look at it."
        return warned(_ID, seen, "Put it into a secret, and set SECRET_ARN in place of CLOUDFLARE_API_TOKEN.")
    if owner is None:
        return skipped(_ID, "the account of these credentials is not known, nor so the owner id; all else agrees")
    return passed(_ID, f"{deployed.arn} has the owner id {there} and wants what a pass from here wants.")


def _wanted(settings: Settings, owner: str) -> dict[str, str]:
    """The settings that decide what the world should be."""
    return {
        "OWNER_ID": owner,
        "DOMAIN_ROOT": settings.domain_root,
        "ZONE_ID": settings.zone_id,
        "TABLE_NAME": settings.table_name.rpartition("/")[2],
        "PROJECT_TAG": "=".join(settings.project_tag),
        "ROLES": ",".join(sorted(settings.roles)),
        "DCV_PORT": str(settings.dcv_port),
    }
