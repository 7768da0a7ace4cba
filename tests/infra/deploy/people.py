"""People with the policies that the project has for them, and the command line as they run it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from controller.sandbox.aws import REGION
from controller.sandbox.cloudflare.transport import LOOPBACK
from tests.infra.cloudformation import read
from tests.infra.deploy.account import Account
from tests.infra.deploy.deployment import QUICKLY, drop_unknown_keys
from tests.infra.deploy.emulator import Credentials

COMMAND = Path(sys.executable).parent / "elephant-dns"


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the account."""

    account: Account
    credentials: Credentials

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `elephant-dns` with this person's access key."""
        environment = {
            **self.credentials,
            "AWS_ENDPOINT_URL": self.account.aws.url,
            "AWS_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "CLOUDFLARE_BASE_URL": self.account.cloudflare.base_url,
            "DOMAIN_ROOT": "example.com",
            "ZONE_ID": self.account.cloudflare.zone_id,
            "SECRET_ARN": self.account.secret,
            "NO_PROXY": LOOPBACK,
        }
        return subprocess.run([COMMAND, *arguments], env=environment, capture_output=True, text=True, check=False)


def deploy_policies(account: Account) -> dict[str, str]:
    """Make the stack of policies; their ARNs by the names of the outputs."""
    formation = account.client("cloudformation")
    template = read("policies.yaml")
    drop_unknown_keys(template)
    body = json.dumps(template)
    formation.create_stack(StackName="people", TemplateBody=body, Capabilities=["CAPABILITY_IAM"])
    formation.get_waiter("stack_create_complete").wait(StackName="people", WaiterConfig=QUICKLY)
    (created,) = formation.describe_stacks(StackName="people")["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in created["Outputs"]}


def hire(account: Account, name: str, *policies: str) -> Person:
    """A user with these policies and an access key."""
    iam = account.client("iam")
    iam.create_user(UserName=name)
    for policy in policies:
        iam.attach_user_policy(UserName=name, PolicyArn=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Person(account, {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]})
