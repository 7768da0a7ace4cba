"""An emulator, a package, and the template deployed with it: once for all tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.sandbox.cloudflare import CloudflareServer
from infra.package import Target, build
from tests.infra.deploy.account import Account
from tests.infra.deploy.deployment import Deployment, deploy
from tests.infra.deploy.emulator import running
from tests.infra.package.conftest import HERE, make_variable


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make package` makes, for the Python that the emulator runs functions on: its own, whatever they ask for."""
    output = tmp_path_factory.mktemp("product") / "package.zip"
    build(Target(HERE, make_variable("LAMBDA_ARCHITECTURE")), output)
    return output


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """The account with what is there before any stack.

    The template knows Cloudflare's public API only, so the functions find the sandbox's in the emulator's environment.
    """
    with CloudflareServer("example.com", plan="pro") as cloudflare:
        environment = {"CLOUDFLARE_BASE_URL": cloudflare.base_url, "NO_PROXY": "127.0.0.1"}
        with running(tmp_path_factory.mktemp("ministack"), environment) as emulator:
            account = Account(emulator, cloudflare)
            account.prepare()
            yield account


@pytest.fixture(scope="session")
def stack(account: Account, package: Path) -> Deployment:
    """The stack as the deployment page makes it, with everything that is optional beside it."""
    topic = "arn:aws:sns:us-west-2:123456789012:alarms"
    return deploy(account, package, "elephant-dns", AlarmTopicArn=topic, CreateDashboard="true")


@pytest.fixture
def deployed(stack: Deployment) -> Deployment:
    """The stack, in an empty world."""
    stack.account.empty()
    return stack
