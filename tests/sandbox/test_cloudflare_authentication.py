from typing import Literal

import pytest

from controller.sandbox.cloudflare import CloudflareServer, Permission, Quirks
from tests.sandbox.conftest import Raw

WRONG = "cfut_" + "0" * 48
GLOBAL_KEY = "a1" * 18 + "f"


def test_missing_credential_names_the_missing_header(raw: Raw) -> None:
    response = raw.http.get(f"/zones/{raw.server.zone_id}/dns_records")
    assert (response.status_code, response.json()["errors"][0]["code"]) == (400, 9106)


@pytest.mark.parametrize(
    "header",
    [
        "Token abc",
        "Bearer",
        "Bearer two words",
        'Bearer "quoted"',
        "Bearer a\tb",
        "bearer",
        "Bearer " + "a1" * 18 + "f",
    ],
)
def test_a_malformed_header_is_refused_with_6111_in_the_chain(raw: Raw, header: str) -> None:
    response = raw("GET", headers={"authorization": header})
    error = response.json()["errors"][0]
    assert (response.status_code, error["code"]) == (400, 6003)
    assert [cause["code"] for cause in error["error_chain"]] == [6111]


def test_an_unknown_global_key_is_refused(raw: Raw) -> None:
    headers = {"x-auth-email": "someone@example.com", "x-auth-key": GLOBAL_KEY}
    response = raw.http.get("/zones", headers=headers)
    assert (response.status_code, response.json()["errors"][0]["code"]) == (403, 9103)


@pytest.mark.parametrize(
    ("path", "refusal"),
    [("", (403, 10000)), ("/zones", (403, 9109)), ("/user/tokens/verify", (401, 1000))],
)
def test_a_wrong_token_is_refused_by_each_route_in_its_own_way(raw: Raw, path: str, refusal: tuple[int, int]) -> None:
    assert raw.refusal("GET", path, token=WRONG) == refusal


@pytest.mark.parametrize(
    ("reading", "refusal"),
    [("401 10000", (401, 10000)), ("400 9106", (400, 9106)), ("403 10000", (403, 10000))],
)
def test_the_refusal_of_a_wrong_token_has_been_seen_in_three_forms(
    raw: Raw, reading: Literal["403 10000", "401 10000", "400 9106"], refusal: tuple[int, int]
) -> None:
    raw.server.reset(quirks=Quirks(wrong_token_on_records=reading))
    assert raw.refusal("GET", token=WRONG) == refusal


def test_dns_write_alone_reads_and_writes_records_but_no_zone(raw: Raw) -> None:
    token = raw.server.add_token({Permission.DNS_WRITE})
    body = {"type": "A", "name": "www", "content": "192.0.2.1", "ttl": 1}
    assert raw("GET", token=token).status_code == 200
    assert raw("POST", token=token, json=body).status_code == 200
    response = raw("GET", f"/zones/{raw.server.zone_id}", token=token)
    assert response.status_code == 403
    assert response.json()["errors"][0] == {"code": 9109, "message": "Unauthorized to access requested resource"}


def test_dns_read_alone_writes_nothing(raw: Raw) -> None:
    token = raw.server.add_token({Permission.DNS_READ})
    kept = raw.server.seed("www", "192.0.2.1")
    assert raw("GET", token=token).status_code == 200
    for method, path in [("POST", ""), ("POST", "batch"), ("PATCH", kept), ("PUT", kept), ("DELETE", kept)]:
        assert raw.refusal(method, path, token=token, json={}) == (403, 10000)
    assert raw.server.history == []


def test_zone_read_alone_reads_no_records(raw: Raw) -> None:
    token = raw.server.add_token({Permission.ZONE_READ})
    assert raw("GET", f"/zones/{raw.server.zone_id}", token=token).status_code == 200
    assert raw.refusal("GET", token=token) == (403, 10000)


def test_a_rotated_token_is_wrong_and_its_successor_may_do_the_same(raw: Raw) -> None:
    new = raw.server.rotate_token()
    assert raw.refusal("GET") == (403, 10000)
    assert raw("GET", token=new).status_code == 200
    raw.server.revoke_token(new)
    assert raw.refusal("GET", token=new) == (403, 10000)


def test_the_users_verify_does_not_know_a_good_token_of_an_account(raw: Raw) -> None:
    account = raw.server.add_token(account_owned=True)
    assert account.startswith("cfat_")
    assert raw.refusal("GET", "/user/tokens/verify", token=account) == (401, 1000)
    own = f"/accounts/{raw.server.account_id}/tokens/verify"
    assert raw.result("GET", own, token=account)["status"] == "active"
    assert raw("GET", token=account).status_code == 200
    assert raw.refusal("GET", own) == (401, 1000)


def test_a_zone_that_is_not_the_tokens_looks_like_none(raw: Raw) -> None:
    assert raw.refusal("GET", f"/zones/{'0' * 32}/dns_records") == (403, 9109)
    assert raw.refusal("GET", f"/zones/{'0' * 32}") == (403, 9109)


@pytest.mark.parametrize("zone_id", ["", "example.com", "0" * 31, "'" + "0" * 32])
def test_a_malformed_zone_id_cannot_be_routed(raw: Raw, zone_id: str) -> None:
    response = raw("GET", f"/zones/{zone_id}/dns_records")
    first, second = response.json()["errors"]
    assert response.status_code == 404
    assert (first["code"], second["code"]) == (7003, 7000)
    assert f"/zones/{zone_id}/dns_records" in first["message"]


@pytest.mark.parametrize("path", ["/nowhere", "/accounts", "/zones/x/y/z"])
def test_an_unknown_route_is_refused(server: CloudflareServer, raw: Raw, path: str) -> None:
    status, code = raw.refusal("GET", path)
    assert (status, code) in [(404, 7000), (404, 7003)]
    server.reset(quirks=Quirks(no_route_status=400))
    assert raw.refusal("GET", path) == (400, code)
