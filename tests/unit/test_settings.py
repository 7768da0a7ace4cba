"""Settings: defaults, every malformed value, all problems at once, and never a secret in a message."""

from dataclasses import replace
from typing import ClassVar

import pytest

from controller.errors import SettingsError
from controller.settings import REMOVED, VARIABLES, Settings, read_settings, region_of
from tests.support.build import ENVIRONMENT, settings


def complaint(**environment: str) -> str:
    with pytest.raises(SettingsError) as caught:
        settings(**environment)
    return str(caught.value)


def test_defaults_are_those_of_the_first_version() -> None:
    plain = settings(OWNER_ID="")
    assert (plain.table_name, plain.roles, plain.dcv_port) == ("elephant-meetings", ("teacher", "student"), 8443)
    assert (plain.project_tag, plain.grace_seconds) == (("Project", "Elephant"), 900)
    assert (plain.owner_id, plain.status_index, plain.adopt_unmarked) == (None, None, False)
    assert (plain.probe_links, plain.probe_connect_to, plain.probe_ca_file) == (False, None, None)
    assert plain.cloudflare_url == "https://api.cloudflare.com/client/v4"


def test_all_problems_come_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({"DCV_PORT": "22", "ROLES": "Teacher", "GRACE_SECONDS": "soon"})
    text = str(caught.value)
    for name in (
        "DOMAIN_ROOT",
        "ZONE_ID",
        "SECRET_ARN",
        "DCV_PORT is '22'",
        "ROLES is 'Teacher'",
        "GRACE_SECONDS is 'soon'",
    ):
        assert name in text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DOMAIN_ROOT", "example"),
        ("DOMAIN_ROOT", "https://example.com"),
        ("DOMAIN_ROOT", "i❤.example"),
        ("DOMAIN_ROOT", "bü\u200bcher..example"),
        ("DOMAIN_ROOT", f"{'ü' * 60}.example"),
        ("DOMAIN_ROOT", "a..example.com"),
        ("DOMAIN_ROOT", "-a.example.com"),
        ("ZONE_ID", "xyz"),
        ("ZONE_ID", "023e105f4ecef8ad9ca31a8372d0c35"),
        ("CLOUDFLARE_BASE_URL", "http://api.cloudflare.com/client/v4"),
        ("CLOUDFLARE_BASE_URL", "http://127.0.0.1.example.com/"),
        ("CLOUDFLARE_BASE_URL", "ftp://127.0.0.1/"),
        ("CLOUDFLARE_BASE_URL", "https://host:port/"),
        ("TABLE_NAME", "a b"),
        ("STATUS_INDEX", "x"),
        ("PROJECT_TAG", "Elephant"),
        ("PROJECT_TAG", "=x"),
        ("ROLES", "teacher,teacher"),
        ("ROLES", "teacher,,student"),
        ("ROLES", "teacher; DROP"),
        ("DCV_PORT", "8080"),
        ("DCV_PORT", "08443"),
        ("OWNER_ID", "two words"),
        ("OWNER_ID", "x" * 61),
        ("OWNER_ID", "é"),
        ("ADOPT_UNMARKED", "maybe"),
        ("GRACE_SECONDS", "-1"),
        ("GRACE_SECONDS", "1.5"),
        ("GRACE_SECONDS", "٣"),
        ("GRACE_SECONDS", "86401"),
        ("PROBE_LINKS", "sometimes"),
        ("PROBE_CONNECT_TO", "192.0.2.1:8443"),
        ("PROBE_CONNECT_TO", "localhost:8443"),
        ("PROBE_CONNECT_TO", "127.0.0.1"),
        ("PROBE_CONNECT_TO", "127.0.0.1:0"),
        ("PROBE_CONNECT_TO", "127.0.0.1:65536"),
        ("PROBE_CA_FILE", "a\0b"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_malformed_value_is_named_with_what_is_allowed(name: str, value: str) -> None:
    text = complaint(**{name: value})
    assert f"{name} is " in text
    assert text.count("\n") == 1, "no other setting is blamed"


@pytest.mark.parametrize("value", ["5", "many"])
def test_each_limit_that_no_longer_exists_is_named_with_the_reason(value: str) -> None:
    text = complaint(MAX_GUARDED_DELETES=value, MAX_GUARDED_DELETE_PERCENT=value)
    for name in ("MAX_GUARDED_DELETES", "MAX_GUARDED_DELETE_PERCENT"):
        assert f"{name} is {value!r}: it no longer exists" in text
        assert settings(**{name: ""}).grace_seconds == 900, "templates pass empty strings"
    assert text.count("unless OWNER_ID names the account and region") == 2


PLACES = [
    # owner id                           names its place, names another one
    ("123456789012/us-west-2", True, False),
    ("123456789012/us-west-2/staging", True, False),
    ("123456789012/us-west-2/a/b", True, False),
    ("123456789012/us-west-20", False, True),
    ("123456789012/us-west-2x", False, False),
    ("123456789012", False, False),
    ("123456789012/staging", False, False),
    ("123456789012/us-east-1", False, True),
    ("123456789012/us-gov-west-1/staging", False, True),
    ("210987654321/us-west-2", False, True),
    ("210987654321", False, True),
    ("210987654321/staging", False, True),
    ("us-west-2", False, False),
    ("us-east-1", False, True),
    ("us-east-1/staging", False, True),
    ("school", False, False),
    ("school/us-east-1", False, False),
    ("12345678901/us-west-2", False, False),
]


@pytest.mark.parametrize(("owner", "its_own", "another"), PLACES, ids=[owner for owner, *_ in PLACES])
def test_an_owner_id_names_its_place_or_another_one_or_none(owner: str, its_own: bool, another: bool) -> None:
    using = settings(OWNER_ID=owner)
    assert (using.names_its_place, using.names_another_place) == (its_own, another)
    unknown = replace(using, place=None)
    assert (unknown.names_its_place, unknown.names_another_place) == (False, False)


def test_a_secret_is_never_shown() -> None:
    text = complaint(CLOUDFLARE_API_TOKEN="s3cret with spaces")
    assert "CLOUDFLARE_API_TOKEN" in text
    assert "s3cret" not in text
    assert "token-of-a-test" not in repr(settings())


@pytest.mark.parametrize(
    "url",
    [
        "https://bot:s3cret@host/",
        "https://:s3cret@host/",
        "https://host/?token=s3cret",
        "bot:s3cret@host",
        "host?s3cret",
        "host#s3cret",
    ],
)
def test_a_url_with_a_password_is_refused_and_not_shown(url: str) -> None:
    text = complaint(CLOUDFLARE_BASE_URL=url)
    assert "CLOUDFLARE_BASE_URL has an unusable value" in text
    assert "s3cret" not in text


TOKENS = ["cfut_s3cret", f"s3cret{'-' * 34}"]


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("name", ["ZONE_ID", "DOMAIN_ROOT", "DCV_PORT", "LOG_LEVEL", "CLOUDFLARE_BASE_URL"])
def test_a_token_in_place_of_another_value_is_not_shown(name: str, token: str) -> None:
    text = complaint(**{name: token})
    assert f"{name} has an unusable value" in text
    assert "s3cret" not in text


@pytest.mark.parametrize("content", ['{"CLOUDFLARE_TOKEN": "s3cret"}', "cfut_s3cret", "s3cret with spaces", "s" * 513])
def test_secret_content_as_secret_arn_is_refused_and_not_shown(content: str) -> None:
    text = complaint(SECRET_ARN=content)
    assert "SECRET_ARN has an unusable value: expected the secret's name or ARN, not its content" in text
    assert content not in text
    assert "SECRET_ARN is not set" not in complaint(SECRET_ARN=content, CLOUDFLARE_API_TOKEN="")


TABLE_ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/elephant-meetings"


@pytest.mark.parametrize(
    "table",
    ["elephant-meetings", "arn", TABLE_ARN, TABLE_ARN.replace("arn:aws:", "arn:aws-cn:"), f'"{TABLE_ARN}"\n'],
)
def test_table_is_a_name_or_an_arn(table: str) -> None:
    assert settings(TABLE_NAME=table).table_name == table.strip('"\n')


@pytest.mark.parametrize(
    "table",
    [
        f"{TABLE_ARN}/index/by-status",
        f"{TABLE_ARN}/stream/2026-01-31T12:00:00.000",
        TABLE_ARN.replace("dynamodb", "s3"),
        TABLE_ARN.replace("123456789012", ""),
        TABLE_ARN.replace("us-east-1", ""),
        TABLE_ARN.replace("elephant-meetings", "*"),
        TABLE_ARN.removeprefix("arn:"),
    ],
)
def test_arn_of_anything_but_a_table_is_refused(table: str) -> None:
    with pytest.raises(SettingsError, match=r"TABLE_NAME is .*arn:aws:dynamodb:<region>"):
        settings(TABLE_NAME=table)


@pytest.mark.parametrize(
    ("name", "region"),
    [
        (TABLE_ARN, "us-east-1"),
        ("arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/elephant-AbCdEf", "eu-west-1"),
        ("elephant-meetings", None),
        ("arn:aws:x::y:z", None),
        ("arn", None),
        ("", None),
    ],
)
def test_region_is_read_from_an_arn_alone(name: str, region: str | None) -> None:
    assert region_of(name) == region


ARN = "arn:aws:secretsmanager:us-west-2:123456789012:secret:prod/elephant/cloudflare-AbCdEf"


@pytest.mark.parametrize("secret", ["prod/elephant/cloudflare", "a" * 40, "a/cfut_b", ARN])
def test_a_secret_has_any_name_that_aws_allows(secret: str) -> None:
    assert settings(SECRET_ARN=secret).secret_arn == secret


@pytest.mark.parametrize(
    "pasted",
    [
        "  abc ",
        '"abc"',
        "'abc'\n",
        "\ufeffabc",
        '\ufeff "abc"',
        "\u00a0abc",
        "abc\u2028",
        '\u3000"abc"',
        "\u2003abc\u202f",
    ],
)
def test_what_was_pasted_with_a_token_is_stripped(pasted: str) -> None:
    assert settings(CLOUDFLARE_API_TOKEN=pasted).api_token == "abc"


def test_what_was_pasted_with_a_domain_or_zone_is_normalised() -> None:
    assert settings(DOMAIN_ROOT="\ufeffBu\u0308cher.Example.").domain_root == "xn--bcher-kva.example"
    using = settings(DOMAIN_ROOT="Machines.Example.COM.", ZONE_ID='"023E105F4ECEF8AD9CA31A8372D0C353"')
    assert (using.domain_root, using.zone_id) == ("machines.example.com", "023e105f4ecef8ad9ca31a8372d0c353")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/v4", "http://localhost:1", "http://[::1]:5/x", "https://host/v4/"]
)
def test_base_url_is_https_or_loopback(url: str) -> None:
    assert settings(CLOUDFLARE_BASE_URL=url).cloudflare_url == url.rstrip("/")


def test_probe_connects_to_a_port_of_loopback() -> None:
    assert settings(PROBE_CONNECT_TO="127.0.0.1:8443").probe_connect_to == ("127.0.0.1", 8443)


def test_another_project_tag_needs_an_owner_id() -> None:
    assert "OWNER_ID is not set" in complaint(PROJECT_TAG="Project=Staging", OWNER_ID="")
    assert settings(PROJECT_TAG="Project=Staging", OWNER_ID="staging").project_tag == ("Project", "Staging")


def test_the_token_or_the_secret_must_be_there() -> None:
    assert "SECRET_ARN is not set" in complaint(CLOUDFLARE_API_TOKEN="")
    assert settings(CLOUDFLARE_API_TOKEN="", SECRET_ARN="prod/elephant/cloudflare").api_token is None


def test_the_mark_needs_the_owner() -> None:
    assert settings().mark == "elephant-dns:123456789012/us-west-2"
    with pytest.raises(SettingsError):
        _ = settings(OWNER_ID="").mark


WEST, EAST = "123456789012/us-west-2", "210987654321/eu-west-1"


def test_without_cells_there_is_one_mark() -> None:
    assert settings().cells == ()
    assert settings().marks == ("elephant-dns:123456789012/us-west-2",)
    assert settings().mark_of(EAST) == settings().mark


def test_each_cell_has_a_mark_of_its_own_and_names_its_place() -> None:
    using = settings(CELLS=f"{WEST}, {EAST}", OWNER_ID="")
    assert using.marks == (f"elephant-dns:{WEST}", f"elephant-dns:{EAST}")
    assert using.mark_of(EAST) == f"elephant-dns:{EAST}"
    assert using.names_its_place
    assert not using.names_another_place


@pytest.mark.parametrize("region", ["us-gov-east-1", "us-iso-west-1", "eusc-de-east-1", "ap-southeast-5"])
def test_cells_are_in_regions_of_any_partition(region: str) -> None:
    assert settings(CELLS=f"123456789012/{region}", OWNER_ID="").cells == (f"123456789012/{region}",)


def test_an_owner_id_beside_cells_is_refused() -> None:
    assert "with CELLS it must not be given" in complaint(CELLS=WEST, OWNER_ID=WEST)


def test_cells_with_another_project_tag_need_no_owner_id() -> None:
    assert settings(CELLS=WEST, OWNER_ID="", PROJECT_TAG="Project=Staging").project_tag == ("Project", "Staging")


@pytest.mark.parametrize(
    "cells", ["us-west-2", "123/us-west-2", f"{WEST};{EAST}", f"{WEST},", f"{WEST},{WEST}", "123456789012/US"]
)
def test_malformed_cells_are_refused(cells: str) -> None:
    good = ",".join(f"{account:012}/eu-west-1" for account in range(20))
    wrong = cells.rpartition(",")[2]
    assert f"CELLS is {wrong!r}: expected account/region of each place" in complaint(
        CELLS=f"{good},{cells}", OWNER_ID=""
    )


@pytest.mark.parametrize(
    ("name", "value"), [("CELL_ROLE", "a/b"), ("CELL_ROLE", "x" * 65), ("CELL_EXTERNAL_ID", "a b")]
)
def test_a_malformed_role_or_external_id_is_refused(name: str, value: str) -> None:
    assert f"{name} is" in complaint(**{name: value})


def test_every_variable_is_one_that_is_read() -> None:
    class Watching(dict[str, str]):
        asked: ClassVar[set[str]] = set()

        def get(self, key: str, default: str = "") -> str:  # type: ignore[override]  # narrower than dict's
            self.asked.add(key)
            return super().get(key, default)

    assert isinstance(read_settings(Watching(ENVIRONMENT)), Settings)
    assert Watching.asked == VARIABLES.union(REMOVED)
