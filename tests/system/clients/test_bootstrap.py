"""The clients: made of what the environment says, of which what cannot be used is told."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.bootstrap import build
from controller.clients import aws_clients
from controller.errors import SettingsError
from controller.model import Mode
from controller.settings import read_settings
from tests.support.servers import Clouds


@pytest.fixture
def regionless(clouds: Clouds, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clouds]:
    """Credentials and endpoints, and no region."""
    with clouds.exported():
        for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
            monkeypatch.delenv(name)
        yield clouds


@pytest.mark.parametrize(
    ("environment", "region"),
    [
        ({"AWS_REGION": "eu-central-1"}, "eu-central-1"),
        ({"AWS_DEFAULT_REGION": "us-east-1"}, "us-east-1"),
        ({"AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "us-east-1"}, "eu-central-1"),
        ({}, "us-west-2"),
    ],
    ids=str,
)
def test_every_client_is_of_the_region_that_the_environment_names(
    regionless: Clouds, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], region: str
) -> None:
    """botocore alone knows AWS_DEFAULT_REGION only; a cron line, a shell and Lambda have AWS_REGION."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    check_region(regionless, region)


@pytest.mark.parametrize(
    ("environment", "profile", "region"),
    [
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "us-east-1"}, "", "us-east-1"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}, "region = eu-north-1", "eu-north-1"),
        ({"AWS_REGION": ""}, "region = eu-north-1", "eu-north-1"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}, "", "us-west-2"),
    ],
    ids=str,
)
def test_a_region_that_is_empty_hides_no_other(
    regionless: Clouds,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    environment: dict[str, str],
    profile: str,
    region: str,
) -> None:
    (tmp_path / "config").write_text(f"[default]\n{profile}\n")
    for name, value in {**environment, "AWS_CONFIG_FILE": str(tmp_path / "config")}.items():
        monkeypatch.setenv(name, value)
    check_region(regionless, region)


def test_the_place_that_is_looked_at_is_known_beside_an_owner_id_of_ones_own(clouds: Clouds) -> None:
    using = clouds.controller(OWNER_ID="school").settings
    assert (using.owner_id, using.place, using.names_its_place) == ("school", "123456789012/us-west-2", False)


def check_region(clouds: Clouds, region: str) -> None:
    """Every client, the report and the owner id are of this region."""
    controller, everyone = build(read_settings(clouds.environment())), aws_clients()
    clouds.controllers.append(controller)
    place = f"123456789012/{region}"
    assert (controller.target.region, controller.target.owner, controller.settings.place) == (region, place, place)
    clients = (controller.ec2, controller.dynamodb, everyone.ec2, everyone.functions, everyone.rules)
    assert {client.meta.region_name for client in clients} == {everyone.region} == {region}
    everyone.close()


#: On its way a proxy comes between, and the certificates matter.
ENCRYPTED = {"CLOUDFLARE_BASE_URL": "https://127.0.0.1:9/", "NO_PROXY": "", "no_proxy": ""}
UNUSABLE = {
    "certificates that are not there": {"SSL_CERT_FILE": "/nowhere/ca.pem"},
    "a kind of proxy that needs more packages": {"ALL_PROXY": "socks5://127.0.0.1:9"},
    "a proxy without a port": {"HTTPS_PROXY": "http://127.0.0.1:port"},
    "a program for credentials that is not there": {"AWS_PROFILE": "broken", "AWS_ACCESS_KEY_ID": ""},
}


@pytest.mark.parametrize("environment", UNUSABLE.values(), ids=UNUSABLE)
def test_what_a_library_cannot_use_is_told(
    clouds: Clouds, tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]
) -> None:
    config = tmp_path_factory.mktemp("aws") / "config"
    config.write_text("[profile broken]\ncredential_process = /nowhere/credentials\n")
    changes = {"AWS_CONFIG_FILE": str(config), **ENCRYPTED, **environment}
    with pytest.raises(SettingsError, match=f"Check .*{next(iter(environment))}"):
        clouds.controller(**changes)


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("HTTPS_PROXY", "http://user:hun/ter2@proxy:3128"),
        ("HTTPS_PROXY", "hun://user:ter2@proxy:3128"),
        ("AWS_ENDPOINT_URL", "https://user:hunter2@ho st:1"),
        ("AWS_ENDPOINT_URL", "user:hunter2@host"),
    ],
)
def test_a_password_in_a_url_of_the_environment_is_not_shown(clouds: Clouds, name: str, url: str) -> None:
    with pytest.raises(SettingsError, match=f"cannot be used: (InvalidURL|ValueError).*{name}") as caught:
        clouds.controller(**ENCRYPTED, **{name: url})
    assert "hun" not in str(caught.value)


def test_no_proxy_sees_a_token_on_its_way_to_this_machine(clouds: Clouds) -> None:
    proxies = {"HTTP_PROXY": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9", "NO_PROXY": "", "no_proxy": ""}
    controller = clouds.controller(CLOUDFLARE_API_TOKEN=clouds.cloudflare.token, **proxies)
    readers = controller.begin(Mode.PLAN, 30).readers
    assert readers.records.listing().records == ()
