"""The plain way, to be compared with: one event, one record, one row, and never a look at anything else.

Written as one would at a first try, from what the first version was like: it does what its event says. It is quick
where it can be: clients and connections are created once, at import, and each step is one call.
"""

import json
import os
from typing import Any

import boto3
import urllib3

EC2 = boto3.client("ec2")
SECRETS = boto3.client("secretsmanager")
TABLE = boto3.resource("dynamodb").Table("elephant-meetings")
HTTP = urllib3.PoolManager()

DOMAIN_ROOT = os.environ["DOMAIN_ROOT"]
RECORDS = f"{os.environ['CLOUDFLARE_BASE_URL']}/zones/{os.environ['ZONE_ID']}/dns_records"


def lambda_handler(event: dict[str, Any], context: Any) -> None:
    """Make the record and the link of a machine that runs; take the record of one that does not, and end its row."""
    detail = event["detail"]
    name = f"{detail['instance-id']}.{DOMAIN_ROOT}"
    described = EC2.describe_instances(InstanceIds=[detail["instance-id"]])
    machine = described["Reservations"][0]["Instances"][0]
    tags = {tag["Key"]: tag["Value"] for tag in machine.get("Tags", ())}
    if tags.get("Project") != "Elephant":
        return
    secret = SECRETS.get_secret_value(SecretId=os.environ["SECRET_ARN"])
    headers = {"Authorization": f"Bearer {json.loads(secret['SecretString'])['CLOUDFLARE_TOKEN']}"}
    found = HTTP.request("GET", RECORDS, fields={"type": "A", "name": name}, headers=headers).json()["result"]
    if detail["state"] == "running":
        _point(name, machine["PublicIpAddress"], found, headers)
        _update(tags["MeetingID"], {f"{tags['Role']}_ec2_link": f"https://{name}:8443", "status": "DNS_WRITTEN"})
    else:
        if found:
            HTTP.request("DELETE", f"{RECORDS}/{found[0]['id']}", headers=headers)
        _update(tags["MeetingID"], {"status": "TERMINATED"})


def _point(name: str, address: str, found: list[dict[str, Any]], headers: dict[str, str]) -> None:
    record = {"type": "A", "name": name, "content": address, "ttl": 120, "proxied": True}
    if found:
        HTTP.request("PUT", f"{RECORDS}/{found[0]['id']}", json=record, headers=headers)
    else:
        HTTP.request("POST", RECORDS, json=record, headers=headers)


def _update(meeting: str, values: dict[str, str]) -> None:
    TABLE.update_item(
        Key={"id": meeting},
        UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
        ExpressionAttributeNames={f"#{name}": name for name in values},
        ExpressionAttributeValues={f":{name}": value for name, value in values.items()},
    )
