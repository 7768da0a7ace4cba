"""Named switches for every behaviour on which sources disagree or are silent.

So a client can be run under both readings. The defaults are the better documented, or else the stricter, reading.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Quirks:
    """One reading of what is uncertain. The text below a field names the question."""

    # Batch (Cloudflare docs: batch-record-changes)
    batch_unknown_id_status: Literal[404, 400] = 404
    """The status when one id of a batch does not exist; the code is 81044 either way."""
    batch_absent_list: Literal["null", "empty", "missing"] = "null"
    """How the answer shows a list that was not sent; the SDK types all four as optional."""
    batch_limit_code: int = 9207
    """The code for a batch that is longer than the plan allows: not published."""
    batch_empty_refused: bool = True
    """Whether a batch without any change is an error (9207) or a success that does nothing."""
    batch_costs_each: bool = False
    """Whether a batch is charged to the rate limit as one request or as one for each change."""

    # Listing (Cloudflare API reference: List DNS Records)
    per_page_cap: int = 5_000_000
    """The largest page: 100 was the limit once, 5,000 is what external-dns documents, 5,000,000 is in the schema.
    A larger ``per_page`` is capped silently, and ``result_info`` shows the capped one."""
    total_count_filtered: bool = True
    """Clients read ``total_count`` as filtered; the schema says "without any search parameters". ``total_pages``
    is counted from the same total."""
    total_pages_missing: bool = False
    """``total_pages`` is absent from the schema of 2024."""
    per_page_echoed: bool = False
    """``result_info`` shows the ``per_page`` that was asked for, also where the page was capped. ``total_pages`` is
    counted from the page's real size."""
    null_for_empty: bool = False
    """The ``result`` of an empty page is null, as a list that Go never filled."""
    page_zero_refused: bool = True
    """``page=0`` is refused, or read as the first page."""
    unstable_ties: bool = False
    """Records that are equal in the order come in another order on every call, so pages can miss and repeat them."""
    stale_listings: int = 0
    """After a write, this many listings still show the zone as it was before (terraform-provider-cloudflare 6482).
    A listing counts once, however many pages it has."""

    # Errors
    wrap_validation_errors: bool = False
    """Before October 2024 a validation error came as 1004 with its cause in ``error_chain``."""
    identical_code: Literal[81058, 81057] = 81058
    """81057 is the older form of the same refusal."""
    identical_includes_proxied: bool = False
    """Whether a different ``proxied`` makes a record with the same name, type and content another record."""
    address_beside_cname_code: Literal[81054, 81053] = 81054
    """Creating A or AAAA beside a CNAME: older reports have 81053 in both directions."""
    type_change_code: int = 9207
    """The type of a record cannot be changed since June 2026; the code was not published."""
    no_route_status: Literal[404, 400] = 404
    """The status of 7003: 400 in older reports, 404 in newer ones."""
    omit_messages: bool = False
    """Leave ``messages`` out of the envelope; nobody should depend on it."""

    # Authentication
    wrong_token_on_records: Literal["403 10000", "401 10000", "400 9106"] = "403 10000"
    """A wrong token, or one without the permission, on ``dns_records``; all three forms have been reported."""
    wrong_token_on_verify: Literal[401, 400, 403] = 401
    """The status beside ``1000 Invalid API Token``."""
    foreign_zone_code: Literal[9109, 10000] = 9109
    """The 403 for a well-formed zone id that the token was not given."""
    unfiltered_zones_refused: bool = False
    """Whether ``GET /zones`` without ``name`` is refused to a token restricted to one zone."""

    # Record fields
    outside_name_refused: bool = False
    """A name outside the zone is refused (9000) instead of getting the zone appended. A relative name with a dot
    looks the same, so it is refused as well."""
    trailing_dot_refused: bool = False
    """A trailing dot in a name is refused (9000) or dropped."""
    ttl_required: bool = False
    """The newest SDK types mark ``ttl`` as required; the schema gives it the default 1."""
    comment_counts_bytes: bool = False
    """Whether the length of a comment is counted in UTF-8 bytes or in characters."""
    noop_patch_touches: bool = True
    """Whether a PATCH that changes nothing moves ``modified_on``."""
    account_wide_quota: bool = False
    """Some accounts have one quota for all zones; then ``record_quota`` is null."""


QUIRK_SETS: Mapping[str, Quirks] = {
    "default": Quirks(),
    "older": Quirks(
        batch_unknown_id_status=400,
        batch_absent_list="empty",
        per_page_cap=100,
        wrap_validation_errors=True,
        identical_code=81057,
        address_beside_cname_code=81053,
        no_route_status=400,
        wrong_token_on_records="400 9106",
        wrong_token_on_verify=400,
        page_zero_refused=False,
    ),
    "terse": Quirks(
        batch_absent_list="missing",
        batch_empty_refused=False,
        batch_costs_each=True,
        total_pages_missing=True,
        omit_messages=True,
        wrong_token_on_records="401 10000",
        wrong_token_on_verify=403,
        foreign_zone_code=10000,
        noop_patch_touches=False,
        account_wide_quota=True,
    ),
    "paged": Quirks(per_page_cap=100, total_count_filtered=False, unstable_ties=True),
    "echoing": Quirks(per_page_cap=100, per_page_echoed=True, null_for_empty=True),
    "capped": Quirks(per_page_cap=5000, total_count_filtered=False, total_pages_missing=True),
    "stale": Quirks(stale_listings=1, batch_unknown_id_status=400),
    "strict": Quirks(
        outside_name_refused=True,
        trailing_dot_refused=True,
        ttl_required=True,
        comment_counts_bytes=True,
        identical_includes_proxied=True,
        unfiltered_zones_refused=True,
    ),
}
"""Sets to run a client under. Each is a plausible API. Together they take every switch off its default,
except the two codes that were never published."""
