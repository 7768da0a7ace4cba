"""Let EC2 show something else than the truth, as a test says: DescribeInstances is eventually consistent.

moto only knows the truth, so its answers are altered on their way out. All clients see the same, pages are cut as
usual, and the machines themselves stay as they are.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from urllib.parse import parse_qsl
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

from controller.sandbox.aws_http import MOTO_LOCK
from controller.sandbox.cloudflare.exchange import Reply, Request

STATES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15"
#: Elements with a public address, of the instance and of its network interfaces.
ADDRESS_PARTS = ("ipAddress", "dnsName", "association")
NOT_FOUND = (
    f'<Response xmlns="{NAMESPACE}"><Errors><Error><Code>InvalidInstanceID.NotFound</Code>'
    "<Message>The instance ID '{id}' does not exist</Message></Error></Errors><RequestID>lie</RequestID></Response>"
)


@dataclass(frozen=True, slots=True)
class Hidden:
    """The machine is missing in listings, or also in descriptions by id."""

    by_id: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """The machine is shown with another address or none. State and launch time are the true ones if not given."""

    address: str | None = None
    state: str | None = None
    launched_at: datetime | None = None


Lie = Hidden | Shown


@dataclass(slots=True)
class _Telling:
    lie: Lie
    left: float  # readings

    def suits(self, by_id: bool) -> bool:
        return self.left > 0 and (isinstance(self.lie, Shown) or self.lie.by_id or not by_id)


class Lies:
    """The machines to lie about, and for how long.

    A reading of a machine is an answer that contains it, or would contain it without the lie. So a listing is one
    reading however many pages it has, because a machine is on one of them. A request for other machines does not count.
    Of several lies about a machine the first is shown until its readings are over, then the next.
    """

    def __init__(self) -> None:
        self._told: dict[str, list[_Telling]] = {}

    def tell(self, instance: str, lie: Lie, readings: int | None) -> None:
        """Lie for this number of readings, after the lies before it. None means until :meth:`end`."""
        with MOTO_LOCK:
            self._told.setdefault(instance, []).append(_Telling(lie, inf if readings is None else readings))

    def end(self, instances: Iterable[str] = ()) -> None:
        """Show the truth about these machines, or about all."""
        with MOTO_LOCK:
            for instance in tuple(instances) or tuple(self._told):
                self._told.pop(instance, None)

    def alter(self, request: Request, reply: Reply) -> Reply:
        """Return the answer to DescribeInstances with the lies in it."""
        with MOTO_LOCK:
            if not self._told or reply.status != 200:
                return reply
            return self._altered(dict(parse_qsl(request.content.decode())), reply)

    def _altered(self, parameters: Mapping[str, str], reply: Reply) -> Reply:
        root = fromstring(reply.content)
        named = any(name.startswith("InstanceId.") for name in parameters)
        by_id = named or any(value == "instance-id" for name, value in parameters.items() if name.endswith(".Name"))
        told = {instance: telling for instance in _ids(root) if (telling := self._next(instance, by_id))}
        hidden = {instance: telling for instance, telling in told.items() if isinstance(telling.lie, Hidden)}
        is_refused = bool(named and hidden)  # one unknown id fails the whole call
        for telling in (hidden if is_refused else told).values():
            telling.left -= 1
        if is_refused:
            return Reply(400, NOT_FOUND.format(id=next(iter(hidden))).encode(), reply.headers)
        _rewrite(root, {instance: telling.lie for instance, telling in told.items()})
        content = tostring(root, encoding="utf-8", xml_declaration=True, default_namespace=NAMESPACE)
        return Reply(reply.status, content, reply.headers)

    def _next(self, instance: str, by_id: bool) -> _Telling | None:
        return next((telling for telling in self._told.get(instance, ()) if telling.suits(by_id)), None)


def _ids(root: Element) -> list[str]:
    return [item.findtext("{*}instanceId", "") for item in root.iterfind(".//{*}instancesSet/{*}item")]


def _rewrite(root: Element, lies: Mapping[str, Lie]) -> None:
    """Alter the machines that are lied about. Leave out a reservation without machines."""
    for reservations in root.findall("{*}reservationSet"):
        for reservation in list(reservations):
            for instances in reservation.findall("{*}instancesSet"):
                for item in list(instances):
                    lie = lies.get(item.findtext("{*}instanceId", ""))
                    if isinstance(lie, Hidden):
                        instances.remove(item)
                    elif lie:
                        _show(item, lie)
                if not len(instances):
                    reservations.remove(reservation)


def _show(item: Element, lie: Shown) -> None:
    if lie.state:
        _set(item, "instanceState/code", str(STATES[lie.state]))
        _set(item, "instanceState/name", lie.state)
    if lie.launched_at:
        _set(item, "launchTime", f"{lie.launched_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.000Z}")
    for parent in list(item.iter()):
        for child in [child for child in parent if child.tag.rpartition("}")[2] in ADDRESS_PARTS]:
            parent.remove(child)
    if lie.address:
        SubElement(item, f"{{{NAMESPACE}}}ipAddress").text = lie.address


def _set(item: Element, path: str, text: str) -> None:
    for element in item.iterfind("/".join(f"{{*}}{name}" for name in path.split("/"))):
        element.text = text
