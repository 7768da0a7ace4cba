"""Read the instances of one region from EC2, in the controller's terms."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from controller.aws.call import Call
from controller.model import Instance
from controller.runtime.budget import Budget
from controller.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

#: Values in one filter of DescribeInstances (EC2 documentation: 200).
FILTER_VALUES = 200
#: Instances per page of DescribeInstances (5 to 1,000). Unpaginated calls are throttled sooner.
PAGE_SIZE = 1000


@dataclass(frozen=True, slots=True)
class Ec2Fleet:
    """Reads the instances of one region within one pass's budget."""

    client: "EC2Client"
    settings: Settings
    budget: Budget
    cell: str | None = None  # <account>/<region>, where a deployment has several

    def tagged(self) -> list[Instance]:
        """Return every instance with the project's tag, in any state."""
        return [machine for machine in self._described([self._tag_filter()]) if machine.tagged]

    def by_id(self, ids: Collection[str]) -> list[Instance]:
        """Return those of these instances that EC2 knows, by a filter: one unknown id fails a call that names ids."""
        return [m for some in _chunks(sorted(ids)) for m in self._described([_filter("instance-id", some)])]

    def of_meetings(self, meetings: Collection[str]) -> list[Instance]:
        """Return every instance that carries one of these meetings, also without the project's tag."""
        wanted = set(meetings)
        found = (m for some in _chunks(sorted(wanted)) for m in self._described([_filter("tag:MeetingID", some)]))
        return [machine for machine in found if machine.meeting in wanted]

    def _tag_filter(self) -> dict[str, Any]:
        key, value = self.settings.project_tag
        return _filter(f"tag:{key}", [value])

    def _described(self, filters: list[dict[str, Any]]) -> Iterable[Instance]:
        return Call("ec2", "DescribeInstances", "*", proof="Reservations").pages(
            self.client.describe_instances,
            self.budget,
            self._parsed,
            ("NextToken", "NextToken"),
            Filters=filters,
            MaxResults=PAGE_SIZE,
        )

    def _parsed(self, page: Any) -> list[Instance]:
        raw = [instance for reservation in page["Reservations"] for instance in reservation["Instances"]]
        return [parse_instance(instance, self.settings.project_tag, self.cell) for instance in raw]


def parse_instance(raw: Any, project_tag: tuple[str, str], cell: str | None = None) -> Instance:
    """Return an instance as the rules see it."""
    tags = {tag["Key"]: tag["Value"] for tag in raw.get("Tags", ())}
    return Instance(
        id=raw["InstanceId"],
        state=raw["State"]["Name"],
        public_ip=raw.get("PublicIpAddress") or None,
        tagged=tags.get(project_tag[0]) == project_tag[1],
        meeting=tags.get("MeetingID"),
        role=tags.get("Role"),
        launched_at=raw.get("LaunchTime"),
        cell=cell,
        aside=None if raw.get("PublicIpAddress") else _address_aside(raw),
    )


def _address_aside(raw: Any) -> str | None:
    """Return a public address that EC2 does not count as the instance's: only that of eth0's first address is."""
    for interface in raw.get("NetworkInterfaces", ()):
        for private in (interface, *interface.get("PrivateIpAddresses", ())):
            if address := private.get("Association", {}).get("PublicIp"):
                return f"{address} on {interface.get('NetworkInterfaceId', 'another interface')}"
    return None


def _filter(name: str, values: Sequence[str]) -> dict[str, Any]:
    """Return a filter. EC2 reads values as patterns: a backslash would escape, so it becomes ``?``; callers compare."""
    return {"Name": name, "Values": [value.replace("\\", "?") for value in values]}


def _chunks(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[start : start + FILTER_VALUES] for start in range(0, len(values), FILTER_VALUES))
