"""The account that the template is deployed into, and what it has to be there first: machines, meetings, the secret."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from controller.sandbox.aws import REGION, SECRET, TABLE
from controller.sandbox.cloudflare import CloudflareServer
from tests.infra.deploy.emulator import Ministack

BUCKET = "packages"


@dataclass(frozen=True, slots=True)
class Account:
    """An account, the table and the secret that a stack is configured with, and the zone at Cloudflare."""

    aws: Ministack
    cloudflare: CloudflareServer
    table: str = TABLE
    secret: str = SECRET
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """The root user's client; the same one each time."""
        if service not in self.clients:
            self.clients[service] = self.aws.client(service)
        return self.clients[service]

    def prepare(self) -> None:
        """What is there before the stack; and beside each thing another of its kind, which is none of its business."""
        self.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        for name in (self.table, f"{self.table}-other"):
            self.client("dynamodb").create_table(
                TableName=name,
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            )
        for name in (self.secret, f"{self.secret}-other"):
            self.client("secretsmanager").create_secret(Name=name, SecretString="{}")

    def upload(self, package: Path) -> str:
        """Put a package where `sam deploy` and `aws cloudformation package` put it; returns what they write for it."""
        self.client("s3").put_object(Bucket=BUCKET, Key=package.name, Body=package.read_bytes())
        return f"s3://{BUCKET}/{package.name}"

    def upload_template(self, name: str, template: str) -> str:
        """Put a template there too, as for one that is too long to be sent; returns its URL."""
        self.client("s3").put_object(Bucket=BUCKET, Key=name, Body=template.encode())
        return f"https://s3.{REGION}.amazonaws.com/{BUCKET}/{name}"

    def launch(self, meeting: str, role: str = "teacher", ec2: Any = None) -> str:
        """Start a machine as the launcher does, here or elsewhere, and write its id into the meeting's row."""
        tags = {"Project": "Elephant", "MeetingID": meeting, "Role": role, "Name": f"{meeting}_{role}"}
        specification = {"ResourceType": "instance", "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}
        (instance,) = (ec2 or self.client("ec2")).run_instances(
            ImageId="ami-0123456789abcdef0", MinCount=1, MaxCount=1, TagSpecifications=[specification]
        )["Instances"]
        self.client("dynamodb").update_item(
            TableName=self.table,
            Key={"id": {"S": meeting}},
            UpdateExpression="SET #status = :launched, #id = :machine",
            ExpressionAttributeNames={"#status": "status", "#id": f"{role}_ec2_id"},
            ExpressionAttributeValues={":launched": {"S": "LAUNCHED"}, ":machine": {"S": instance["InstanceId"]}},
        )
        return str(instance["InstanceId"])

    def terminate(self, *machines: str) -> None:
        """End machines."""
        self.client("ec2").terminate_instances(InstanceIds=list(machines))

    def address(self, machine: str) -> str:
        """A machine's public address."""
        (reservation,) = self.client("ec2").describe_instances(InstanceIds=[machine])["Reservations"]
        return str(reservation["Instances"][0]["PublicIpAddress"])

    def row(self, meeting: str) -> dict[str, str]:
        """A meeting's row."""
        item = self.client("dynamodb").get_item(TableName=self.table, Key={"id": {"S": meeting}})["Item"]
        return {name: value["S"] for name, value in item.items()}

    def records(self) -> dict[str, str]:
        """Name → content of the zone's records."""
        return {str(record["name"]): str(record["content"]) for record in self.cloudflare.records()}

    def store_token(self, token: str) -> None:
        """Put a Cloudflare token into the secret, as the deployment page tells people to."""
        text = json.dumps({"CLOUDFLARE_TOKEN": token})
        self.client("secretsmanager").put_secret_value(SecretId=self.secret, SecretString=text)

    def empty(self) -> None:
        """An empty zone with its first token, no machine alive, no meeting."""
        self.cloudflare.reset()
        self.store_token(self.cloudflare.token)
        reservations = self.client("ec2").describe_instances()["Reservations"]
        if machines := [instance["InstanceId"] for one in reservations for instance in one["Instances"]]:
            self.terminate(*machines)
        for item in self.client("dynamodb").scan(TableName=self.table)["Items"]:
            self.client("dynamodb").delete_item(TableName=self.table, Key={"id": item["id"]})
