"""Cloudflare's own schemas as a judge over requests and responses.

The judge is a file: ``components`` and ``paths`` are a part of Cloudflare's OpenAPI document of August 2024, and
``x-current`` holds shapes from the types of the official SDK 5.9, which is generated from the current document.
Where they disagree, ``x-current`` is newer. The file is not ours to publish, so it lies beside the repository, or where
``CLOUDFLARE_OPENAPI`` says.

=========================  ==================================================================================
part                       checked by
=========================  ==================================================================================
method and path            ``paths``; batch, usage, ``/zones`` and the account's verify by the list below
query of a listing         ``paths``, and ``x-current.list_query`` for the newer ``name.*`` and ``content.*``
body with a record         the component of its type, ``x-current.a_record_request`` for A; no field beyond these
body of a batch            ``x-current.batch_request``, and each of its records as above
envelope, ``result_info``  ``dns-records_api-response-*`` (DNS), ``zones_api-response-*``, ``iam_api-response-*``
record                     ``dns-records_dns-record``, and ``x-current.a_record_response`` for A
batch, usage, deletion     ``x-current``
zone, token                ``paths`` and ``x-current``
settings                   the envelope alone; the SDK judges the rest
refusal                    ``*_api-response-common-failure``
=========================  ==================================================================================

Parts of the old document are set right before use, because live answers disagree with them: ``comment`` is null where
there is none, ``messages`` may be missing, the error code 971 is smaller than 1000, and ``4xx`` answers, which it
describes as success and failure at once, are judged as failures. A DELETE needs no body, although the document says
that it does.
"""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from openapi_schema_validator import OAS30Validator, oas30_format_checker

from controller.sandbox.cloudflare import Exchange

VARIABLE = "CLOUDFLARE_OPENAPI"
BESIDE = Path(__file__).parents[3] / "shared" / "contracts" / "cloudflare-dns-openapi.json"

Schema = Mapping[str, Any]
Record = Mapping[str, Any]

ZONE = r"/zones/[0-9a-f]{32}"
RECORDS = rf"{ZONE}/dns_records"
OPERATIONS: Mapping[str, tuple[str, str]] = {
    "list": ("GET", RECORDS),
    "create": ("POST", RECORDS),
    "batch": ("POST", f"{RECORDS}/batch"),
    "usage": ("GET", f"{RECORDS}/usage"),
    "export": ("GET", f"{RECORDS}/export"),
    "get": ("GET", f"{RECORDS}/[0-9a-f]{{32}}"),
    "put": ("PUT", f"{RECORDS}/[0-9a-f]{{32}}"),
    "patch": ("PATCH", f"{RECORDS}/[0-9a-f]{{32}}"),
    "delete": ("DELETE", f"{RECORDS}/[0-9a-f]{{32}}"),
    "zone": ("GET", ZONE),
    "zones": ("GET", "/zones"),
    "settings": ("GET", rf"{ZONE}/(settings/\w+|ssl/certificate_packs|acm/total_tls)|/\w+/[0-9a-f]{{32}}/dns_settings"),
    "verify": ("GET", r"/user/tokens/verify|/accounts/[0-9a-f]{32}/tokens/verify"),
}
FAMILIES = {"zone": "zones", "zones": "zones", "settings": "zones", "verify": "iam"}


def is_there() -> bool:
    """Whether the schemas are at hand."""
    return Path(os.environ.get(VARIABLE) or BESIDE).is_file()


def validator() -> "Validator":
    """The judge; skips the test where nobody has its file, and fails it where the file is not where it should be."""
    path = Path(os.environ.get(VARIABLE) or BESIDE)
    if path.is_file():
        return _load(path)
    reason = f"Cloudflare's schemas are not at {path}; set {VARIABLE} to where they are."
    if os.environ.get(VARIABLE):
        pytest.fail(reason)
    pytest.skip(reason)


@cache
def _load(path: Path) -> "Validator":
    return Validator(json.loads(path.read_text()))


class Validator:
    """Raises AssertionError, with the place and the reason, for what the schemas do not allow."""

    def __init__(self, document: Schema) -> None:
        self._current: Schema = document["x-current"]
        self._list_parameters: list[Schema] = document["paths"]["/zones/{zone_id}/dns_records"]["get"]["parameters"]
        self._components = _set_right(document["components"])
        self._judges: dict[str, Draft202012Validator | OAS30Validator] = {}

    def check(self, exchange: Exchange) -> None:
        """Check the request and what the API answered to it."""
        self.check_request(exchange)
        self.check_response(exchange)

    def check_request(self, exchange: Exchange) -> None:
        """Check method, path, parameters and body of a request."""
        operation = operation_of(exchange)
        if operation == "list":
            for name, value in exchange.query.pairs:
                self._check_parameter(name, value)
        if operation in BODIES:
            content_type = exchange.request.headers.get("content-type", "")
            assert content_type.startswith("application/json"), f"{exchange.path}: content type {content_type!r}"
            BODIES[operation](self, exchange.json)

    def check_response(self, exchange: Exchange) -> None:
        """Check the API's own answer, even if a fault then spoiled it on the way."""
        operation, answer = operation_of(exchange), exchange.answer
        assert answer is not None, f"{exchange.path}: the API was never asked"
        if operation == "export" and answer.status == 200:
            assert answer.headers["content-type"].startswith("text/plain")
            return
        family = FAMILIES.get(operation, "dns-records")
        if answer.status != 200:
            self._check(answer.json, f"{family}_api-response-common-failure")
            return
        body: Any = answer.json
        self._check(body, f"{family}_api-response-common")
        if operation in ("list", "zones"):
            self._check(body["result_info"], "dns-records_result_info")
        RESULTS[operation](self, body["result"])

    def check_record(self, record: Record) -> None:
        """Check one record as the API shows it."""
        self._check(record, "dns-records_dns-record")
        if record["type"] == "A":
            self._check_current(record, "a_record_response")

    def check_new_record(self, body: Record) -> None:
        """Check a record as a client sends it to create it or to overwrite another."""
        self._check(body, f"dns-records_{body['type']}Record")
        if body["type"] == "A":
            self._check_current(body, "a_record_request")
            self._check_known(body)

    def check_changes(self, body: Record) -> None:
        """Check some fields of an A record, as PATCH sends them."""
        schema = {**self._current["a_record_request"], "required": []}
        self._raise_for(body, "a_record_request", schema)
        self._check_known(body)

    def check_batch(self, body: Mapping[str, list[Record]]) -> None:
        """Check the four lists of a batch, as a client sends them."""
        self._check_current(body, "batch_request")
        assert not body.keys() - {"deletes", "patches", "puts", "posts"}, f"unknown lists in {sorted(body)}"
        for change in body.get("patches") or []:
            self.check_changes(_without_id(change))
        for change in body.get("puts") or []:
            self.check_new_record(_without_id(change))
        for change in body.get("posts") or []:
            assert "id" not in change
            self.check_new_record(change)

    def check_batch_result(self, result: Mapping[str, list[Record] | None]) -> None:
        """Check the lists of complete records that a batch answers with."""
        self._check_current(result, "batch_response")
        for records in result.values():
            for record in records or []:
                self.check_record(record)

    def check_zone(self, zone: Record) -> None:
        """Check a zone object."""
        self._check(zone, "zones_zone")
        self._check_current(zone, "zone_response")

    def _check_parameter(self, name: str, value: str) -> None:
        schemas = [schema for known, schema in self._parameters() if known == name]
        assert schemas, f"unknown parameter {name}"
        for schema in schemas:
            self._raise_for(_read(value, schema.get("type")), f"parameter {name}", schema)

    def _parameters(self) -> Iterator[tuple[str, Schema]]:
        """The parameters of a listing by name: those of 2024, then those of the SDK; some are in both."""
        for parameter in self._list_parameters:
            schema = parameter["schema"]
            yield parameter["name"], self._components["schemas"][_last(schema)] if "$ref" in schema else schema
        query = self._current["list_query"]
        for name, schema in query["properties"].items():
            if "$ref" not in schema:
                yield name, schema
                continue
            for how, text in query["$defs"][_last(schema)]["properties"].items():
                yield f"{name}.{how}", text

    def _check_known(self, body: Record) -> None:
        unknown = body.keys() - self._current["a_record_request"]["properties"].keys()
        assert not unknown, f"unknown fields {sorted(unknown)}"

    def _check(self, value: object, component: str) -> None:
        if component not in self._judges:
            schema = {"allOf": [{"$ref": f"#/components/schemas/{component}"}], "components": self._components}
            self._judges[component] = OAS30Validator(schema, format_checker=oas30_format_checker)
        _judge(value, component, self._judges[component])

    def _check_current(self, value: object, name: str) -> None:
        self._raise_for(value, name, self._current[name])

    def _raise_for(self, value: object, what: str, schema: Schema) -> None:
        judge = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
        _judge(value, what, judge)


def operation_of(exchange: Exchange) -> str:
    """The operation that a request is for; an AssertionError if the API has none such."""
    for operation, (method, pattern) in OPERATIONS.items():
        if exchange.method == method and re.fullmatch(pattern, exchange.path):
            return operation
    raise AssertionError(f"no such operation: {exchange.method} {exchange.path}")


BODIES: Mapping[str, Callable[[Validator, Any], None]] = {
    "create": Validator.check_new_record,
    "put": Validator.check_new_record,
    "patch": Validator.check_changes,
    "batch": Validator.check_batch,
}


def _check_each(check: Callable[[Validator, Any], None]) -> Callable[[Validator, Any], None]:
    def check_all(judge: Validator, items: list[Any]) -> None:
        for item in items:
            check(judge, item)

    return check_all


def _check_by(name: str) -> Callable[[Validator, Any], None]:
    return lambda judge, result: judge._check_current(result, name)


RESULTS: Mapping[str, Callable[[Validator, Any], None]] = {
    "list": _check_each(Validator.check_record),
    "zones": _check_each(Validator.check_zone),
    "zone": Validator.check_zone,
    "batch": Validator.check_batch_result,
    "create": Validator.check_record,
    "get": Validator.check_record,
    "put": Validator.check_record,
    "patch": Validator.check_record,
    "delete": _check_by("delete_response"),
    "usage": _check_by("zone_usage_response"),
    "verify": _check_by("token_verify_response"),
    "settings": lambda *_: None,  # the SDK's own types judge these: tests/sandbox/test_cloudflare_settings.py
}


def _judge(value: object, what: str, judge: Draft202012Validator | OAS30Validator) -> None:
    error = best_match(judge.iter_errors(value))
    assert error is None, f"{what}: {error.json_path}: {error.message}"


def _set_right(components: Schema) -> dict[str, Any]:
    """The components, with what the live API is known to do otherwise."""
    right = deepcopy(dict(components))
    right["schemas"]["dns-records_comment"]["nullable"] = True
    for family in ("dns-records", "zones", "iam"):
        del right["schemas"][f"{family}_messages"]["items"]["properties"]["code"]["minimum"]
        for kind in ("common", "common-failure"):
            right["schemas"][f"{family}_api-response-{kind}"]["required"].remove("messages")
    return right


def _last(reference: Schema) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def _read(value: str, kind: str | None) -> object:
    """A parameter is text; a number or a boolean is written in it."""
    if kind in ("number", "boolean"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _without_id(change: Record) -> Record:
    return {name: value for name, value in change.items() if name != "id"}
