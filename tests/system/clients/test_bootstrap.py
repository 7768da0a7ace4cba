"""The clients: what the environment sets for them, and an error for what they cannot use."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.credentials
import pytest

import handler
from controller import __version__
from controller.bootstrap import Controller, build
from controller.cli.consequences import warn
from controller.cli.session import Session
from controller.clients import aws_clients, new_session
from controller.doctor.diagnosis import Status
from controller.doctor.examine import examine
from controller.errors import ObservationError, SettingsError
from controller.model import Mode, Request
from controller.runtime.budget import Budget, SystemClock
from controller.settings import read_settings
from tests.support.build import link
from tests.support.lambda_runtime import LambdaContext
from tests.support.servers import Clouds
from tests.system.faults.calls import DESCRIBE, GET, SCAN, SECRET, UPDATE, operation


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
def test_clients_use_the_region_of_the_environment(
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
def test_empty_region_counts_as_unset(
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


def test_pass_that_only_plans_gets_nothing_to_write_with(clouds: Clouds) -> None:
    controller = clouds.controller()
    assert controller.begin(Mode.PLAN, 30).writers is None
    assert controller.begin(Mode.APPLY, 30).writers is not None


def test_place_is_known_beside_another_owner_id(clouds: Clouds) -> None:
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


ROLE = """
[profile lesson]
role_arn = arn:aws:iam::123456789012:role/reader
source_profile = base
[profile base]
aws_access_key_id = sandbox
aws_secret_access_key = sandbox
"""


@pytest.fixture
def role(clouds: Clouds, tmp_path: Path) -> Iterator[dict[str, str]]:
    """A profile that assumes a role: where it wants an MFA code, each request for the role needs another one."""
    (tmp_path / "config").write_text(ROLE)
    changes = {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_PROFILE": "lesson"}
    with clouds.exported(**changes, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="") as environment:
        yield environment


def built(clouds: Clouds, environment: dict[str, str]) -> Controller:
    clouds.controllers.append(build(read_settings(environment)))
    return clouds.controllers[-1]


def test_role_is_assumed_once_for_account_and_pass(clouds: Clouds, role: dict[str, str]) -> None:
    assert built(clouds, role).run(Request(Mode.PLAN), 60).complete
    assert clouds.aws.operations().count("AssumeRole") == 1


def test_role_is_assumed_once_by_doctor(clouds: Clouds, role: dict[str, str]) -> None:
    examine(role, "ElephantDNSWatchdog", Budget(SystemClock(), 60))
    assert clouds.aws.operations().count("AssumeRole") == 1


def test_role_is_assumed_once_by_retire_with_its_look_at_rules(clouds: Clouds, role: dict[str, str]) -> None:
    controller = built(clouds, role)
    warn(
        Session(60, verbose=False, quiet=True),
        controller,
        "ElephantDNSWatchdog",
        controller.run(Request(Mode.PLAN), 60),
    )
    assert "DescribeRule" in clouds.aws.operations()
    assert clouds.aws.operations().count("AssumeRole") == 1


def test_role_is_assumed_once_by_a_process_of_the_function(clouds: Clouds, role: dict[str, str]) -> None:
    handler.process.start()
    handler.lambda_handler({"action": "plan"}, LambdaContext())
    handler.lambda_handler({"action": "plan"}, LambdaContext())
    clouds.forget_function()
    assert clouds.aws.operations().count("AssumeRole") == 1


def test_every_call_to_aws_names_the_tool(clouds: Clouds, role: dict[str, str]) -> None:
    clouds.launch()
    clouds.aws.requests.clear()
    built(clouds, role).run(Request(Mode.APPLY), 60)
    agents = {operation(exchange.request): exchange.request.headers["user-agent"] for exchange in clouds.aws.requests}
    ours = {"GetCallerIdentity", DESCRIBE, SCAN, GET, UPDATE, SECRET}
    assert agents.keys() == {"AssumeRole", *ours}  # botocore asks for the role with a client of its own
    assert [name for name in ours if f"elephant-dns/{__version__}" not in agents[name]] == []


LOGIN = "[profile login]\nlogin_session = arn:aws:iam::123456789012:user/ada\n"


@pytest.mark.parametrize(
    ("has_crt", "said"), [(False, r"Missing Dependency.* Install botocore\[crt\]"), (True, "Log in again: aws login")]
)
def test_profile_of_aws_login_says_what_it_lacks(
    clouds: Clouds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_crt: bool, said: str
) -> None:
    """botocore signs the refresh of such a login with awscrt, which it does not bring by itself."""
    monkeypatch.setattr(botocore.credentials, "EC", object() if has_crt else None)
    (tmp_path / "config").write_text(LOGIN)
    changes = {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_PROFILE": "login", "HOME": str(tmp_path)}
    with clouds.exported(**changes, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="") as environment:
        for start in (lambda: build(read_settings(environment)), aws_clients):
            with pytest.raises(SettingsError, match=said):
                start()


def test_unreadable_profile_is_not_blamed_on_aws_login(clouds: Clouds) -> None:
    with pytest.raises(SettingsError, match=r"nowhere.*Check AWS_PROFILE"):
        clouds.controller(AWS_PROFILE="nowhere")


EAST = "arn:aws:dynamodb:us-east-1:123456789012:table/elephant-meetings"


@pytest.fixture
def east(clouds: Clouds) -> Any:
    """The meetings' table in us-east-1; the table of the same name here is another one."""
    with clouds.exported(AWS_REGION="us-east-1", AWS_DEFAULT_REGION="us-east-1"):
        dynamodb: Any = new_session().create_client("dynamodb")
    dynamodb.create_table(
        TableName="elephant-meetings",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    yield dynamodb
    dynamodb.close()


def scopes(clouds: Clouds) -> dict[str, set[str]]:
    """Service → the regions that requests to it were signed for."""
    found: dict[str, set[str]] = {}
    for exchange in clouds.aws.requests:
        _, _, region, service, _ = exchange.request.headers["authorization"].split("Credential=")[1].split("/", 4)
        found.setdefault(service, set()).add(region)
    return found


def test_table_of_another_region_is_read_and_written_there(clouds: Clouds, east: Any) -> None:
    machine = clouds.launch()
    clouds.aws.rows.put("m1", status="TERMINATED")
    east.put_item(
        TableName="elephant-meetings",
        Item={"id": {"S": "m1"}, "status": {"S": "LAUNCHED"}, "teacher_ec2_id": {"S": machine}},
    )
    clouds.aws.requests.clear()
    report = clouds.apply(TABLE_NAME=EAST)
    assert report.converged
    assert (report.target.region, report.target.table) == ("us-west-2", EAST)
    assert scopes(clouds) == {"ec2": {"us-west-2"}, "secretsmanager": {"us-west-2"}, "dynamodb": {"us-east-1"}}
    row = east.get_item(TableName="elephant-meetings", Key={"id": {"S": "m1"}})["Item"]
    assert row["teacher_ec2_link"]["S"] == link(machine)
    assert clouds.aws.rows.get("m1") == {"id": "m1", "status": "TERMINATED"}


def test_doctor_looks_at_the_table_in_its_region(clouds: Clouds, east: Any) -> None:
    with clouds.exported(TABLE_NAME=EAST) as environment:
        checks = examine(environment, "ElephantDNSWatchdog", Budget(SystemClock(), 60)).checks
    of_table = {check.id: check.status for check in checks if check.id == "table" or check.id.startswith("dynamodb:")}
    assert of_table == dict.fromkeys(("table", "dynamodb:Scan", "dynamodb:GetItem", "dynamodb:UpdateItem"), Status.PASS)
    assert scopes(clouds)["dynamodb"] == {"us-east-1"}
    assert scopes(clouds)["lambda"] == {"us-west-2"}


def test_table_missing_in_the_region_of_its_arn_is_not_found_here(clouds: Clouds) -> None:
    with pytest.raises(ObservationError, match="us-east-1"):
        clouds.plan(TABLE_NAME=EAST)


def test_secret_of_another_region_is_read_there(clouds: Clouds) -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/elephant/cloudflare-AbCdEf"
    with pytest.raises(ObservationError, match=r"Cannot read the Cloudflare token.*eu-west-1"):
        clouds.plan(SECRET_ARN=arn)
    assert scopes(clouds)["secretsmanager"] == {"eu-west-1"}


def test_arn_of_this_region_changes_nothing(clouds: Clouds) -> None:
    clouds.launch()
    assert clouds.apply(TABLE_NAME=EAST.replace("us-east-1", "us-west-2")).converged
    assert scopes(clouds)["dynamodb"] == {"us-west-2"}


#: On its way a proxy comes between, and the certificates matter.
ENCRYPTED = {"CLOUDFLARE_BASE_URL": "https://127.0.0.1:9/", "NO_PROXY": "", "no_proxy": ""}
UNUSABLE = {
    "certificates that are not there": {"SSL_CERT_FILE": "/nowhere/ca.pem"},
    "a kind of proxy that needs more packages": {"ALL_PROXY": "socks5://127.0.0.1:9"},
    "a proxy without a port": {"HTTPS_PROXY": "http://127.0.0.1:port"},
    "a program for credentials that is not there": {"AWS_PROFILE": "broken", "AWS_ACCESS_KEY_ID": ""},
}


@pytest.mark.parametrize("environment", UNUSABLE.values(), ids=UNUSABLE)
def test_unusable_environment_is_reported_with_its_variables(
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
def test_password_in_a_url_is_not_shown(clouds: Clouds, name: str, url: str) -> None:
    with pytest.raises(SettingsError, match=f"cannot be used: (InvalidURL|ValueError).*{name}") as caught:
        clouds.controller(**ENCRYPTED, **{name: url})
    assert "hun" not in str(caught.value)


def test_proxy_is_not_used_on_loopback(clouds: Clouds) -> None:
    proxies = {"HTTP_PROXY": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9", "NO_PROXY": "", "no_proxy": ""}
    controller = clouds.controller(CLOUDFLARE_API_TOKEN=clouds.cloudflare.token, **proxies)
    readers = controller.begin(Mode.PLAN, 30).readers
    assert readers.records.listing().records == ()
