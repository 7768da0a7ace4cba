"""Cloudflare: the secret, the token by really using it, the zone, its settings, and the owners of its records.

The call that Cloudflare has for verifying a token refuses valid ones (tokens that belong to an account), so it is
not asked. Whether a token may write shows when a record is deleted that does not exist, by an id of 128 random bits:
81044 (no such record) comes to a token that may write, an authentication error to one that may not.
"""

import secrets
from collections.abc import Iterator

from controller.clients import cloudflare_api
from controller.cloudflare.api import Api
from controller.cloudflare.records import CloudflareRecords, ZoneCache
from controller.doctor.diagnosis import Check, SkipError, attempt, failed, fails_as, passed, warned
from controller.doctor.look import Look
from controller.doctor.marks import mark_checks
from controller.doctor.secret import token_of
from controller.doctor.zone import ZoneLook
from controller.doctor.zone_settings import settings_checks
from controller.errors import AuthenticationError, CallError, RefusedError, SettingsError
from controller.runtime.budget import Budget
from controller.settings import Settings

#: Cloudflare's code for a record that does not exist.
NO_SUCH_RECORD = 81044


def cloudflare_checks(look: Look) -> Iterator[Check]:
    """Check the secret, the token, the zone and its records: each needs the one before."""
    token, check = token_of(look)
    yield check
    if token is None:
        raise SkipError("the token is missing")
    try:
        with cloudflare_api(look.settings, token) as api:
            yield from _with_token(look, api)
    except SettingsError as error:
        yield fails_as("token", error)
        raise SkipError("Cloudflare cannot be asked") from error


def _with_token(look: Look, api: Api) -> Iterator[Check]:
    settings, budget = look.settings, look.budget
    try:
        count = len(CloudflareRecords(api, settings, budget, ZoneCache()).listing().records)
    except CallError as error:
        yield fails_as("token", error)
        raise SkipError("the zone's records cannot be listed") from error
    yield passed("token", f"It lists the zone's records; at machines' names under DOMAIN_ROOT: {count}.")
    yield _write(api, settings, budget)
    zone = ZoneLook(api, settings, budget)
    yield attempt("zone", lambda: zone.place(has_records=count > 0))
    yield attempt("record-quota", zone.quota)
    yield from settings_checks(zone)
    yield from mark_checks(look, api)


def _write(api: Api, settings: Settings, budget: Budget) -> Check:
    nothing = f"/zones/{settings.zone_id}/dns_records/{secrets.token_hex(16)}"
    try:
        api.write("DELETE", nothing, None, budget)
    except AuthenticationError as error:
        return failed("token-write", f"It lists records but may not write them: {error.message}", error.hint)
    except CallError as error:
        if not (isinstance(error, RefusedError) and NO_SUCH_RECORD in error.codes):
            return warned("token-write", f"Whether it may write is not known: {error.message}", error.hint)
    return passed("token-write", "It may write: Cloudflare looked for a record that it was asked to delete.")
