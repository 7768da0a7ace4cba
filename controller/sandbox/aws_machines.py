"""EC2 instances for a test or the demo: created in this process, served by moto's API."""

import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from moto.core.utils import utcnow
from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.models.instances import Instance, Reservation
from moto.ec2.utils import random_reservation_id

from controller.sandbox.aws_http import MOTO_LOCK, operation_of
from controller.sandbox.aws_lies import STATES, Hidden, Lies, Shown
from controller.sandbox.cloudflare.exchange import Exchange, Proceed, Reply, Request

#: States in which an instance has its public address.
ADDRESSED = ("running", "stopping")
AUTO = "auto"
"""The address that moto gives: random, with the look of a public one, and another one after each start."""


@dataclass(frozen=True, slots=True)
class Machine:
    """An instance as it is now."""

    id: str
    state: str
    address: str | None
    tags: Mapping[str, str]
    launched_at: datetime  # in whole seconds, as EC2 says it


class LeanInstance(Instance):
    """An instance that is quick to describe.

    moto searches the tags of the whole account for each instance, and describes its network interfaces at length:
    a thousand instances take five seconds that way. This class leaves both out.
    """

    @property
    def network_interfaces(self) -> list[Any]:
        """Return the network interfaces if there is another one than the first, else none."""
        return super().network_interfaces if len(self.nics) > 1 else []

    def get_tags(self) -> list[dict[str, str]]:
        """Return the instance's own tags."""
        tags = self.ec2_backend.tags.get(self.id, {})
        return [
            {"resource_id": self.id, "key": key, "resource_type": "instance", "value": value}
            for key, value in tags.items()
        ]


class Machines:
    """The instances of one region, and what DescribeInstances shows of them.

    ::

        machine = aws.machines.launch("m1", "teacher")
        aws.machines.show_state(machine, "pending", readings=2)  # then …
        aws.machines.strip_address(machine, readings=1)  # … and then the truth
    """

    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region
        self._lies = Lies()

    def launch(
        self,
        meeting: str | None = None,
        role: str | None = None,
        *,
        id: str | None = None,  # by default a random one
        address: str | None = AUTO,
        state: str = "running",
        launched_at: datetime | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """Launch an instance as the launcher does, and return its id.

        Its tags are ``Project=Elephant``, and the given meeting, role and name; ``tags`` replaces all of them. By
        default a running instance has an address. A given ``address`` lasts until the instance stops; None means no
        address, also after a start. ``launched_at`` (aware) is now by default.
        """
        with MOTO_LOCK:
            instance = self._new(id or new_id())
            self._backend.tags[instance.id] = dict(_tags(meeting, role) if tags is None else tags)
            _put_into(instance, state)
            if launched_at:
                instance.launch_time = instance.nics[0].attach_time = _utc(launched_at)
            if address != AUTO:
                _place(instance, address, renewed=address is not None)
            elif state not in ADDRESSED:
                _place(instance, None, renewed=True)
            return instance.id

    def terminate(self, *ids: str) -> None:
        """Terminate instances. As at EC2 they lose their addresses."""
        with MOTO_LOCK:
            self._backend.terminate_instances(list(ids))

    def stop(self, *ids: str) -> None:
        """Stop instances. As at EC2 they lose their addresses."""
        with MOTO_LOCK:
            self._backend.stop_instances(list(ids))

    def start(self, *ids: str, launched_at: datetime | None = None) -> None:
        """Start instances. As at EC2 they get another address, and this start's launch time, by default now."""
        with self._launching(launched_at):
            self._backend.start_instances(list(ids))

    def set_state(self, instance: str, state: str) -> None:
        """Set one of :data:`STATES`. The address stays. Leaving ``stopped`` counts as a start."""
        with self._launching():
            _put_into(self._instance(instance), state)

    def set_address(self, instance: str, address: str | None) -> None:
        """Set or remove the address. A later start assigns another one."""
        _place(self._instance(instance), address, renewed=True)

    def set_launch(self, instance: str, launched_at: datetime) -> None:
        """Set the time of the last launch (aware)."""
        machine = self._instance(instance)
        machine.launch_time = machine.nics[0].attach_time = _utc(launched_at)

    def set_tags(self, instance: str, tags: Mapping[str, str]) -> None:
        """Replace all tags. An empty mapping removes them."""
        self._backend.tags[self._instance(instance).id] = dict(tags)

    def purge(self, *ids: str) -> None:
        """Forget instances completely, as EC2 does an hour after their end. To lose one that lives, hide it."""
        with MOTO_LOCK:
            for key, reservation in list(self._backend.reservations.items()):
                reservation.instances = [i for i in reservation.instances if i.id not in ids]
                if not reservation.instances:
                    del self._backend.reservations[key]
            for instance in ids:
                self._backend.tags.pop(instance, None)

    def all(self) -> dict[str, Machine]:
        """Return every instance by id."""
        with MOTO_LOCK:
            instances = self._backend.all_instances()
            return {i.id: self._seen(i) for i in instances}

    def hide(self, *ids: str, by_id: bool = False, readings: int | None = None) -> None:
        """Leave instances out of every listing. With ``by_id`` they are unknown by their id too.

        This method and the following ones lie for this number of readings, or until :meth:`show_truth`. See
        :class:`~controller.sandbox.aws_lies.Lies`. :meth:`all` always returns the truth.
        """
        for instance in ids:
            self._lies.tell(instance, Hidden(by_id), readings)

    def strip_address(self, *ids: str, readings: int | None = None) -> None:
        """Show instances without their public address."""
        for instance in ids:
            self._lies.tell(instance, Shown(), readings)

    def show_state(self, instance: str, state: str, *, readings: int | None = None) -> None:
        """Show another state than the true one. The address is shown if the state is one with an address."""
        address = self.all()[instance].address if state in ADDRESSED else None
        self._lies.tell(instance, Shown(address, state), readings)

    def hold(self, *ids: str, readings: int | None = None) -> None:
        """Keep showing state, address and launch time as they are now, whatever happens to the instances."""
        now = self.all()
        for machine in [now[instance] for instance in ids]:
            self._lies.tell(machine.id, Shown(machine.address, machine.state, machine.launched_at), readings)

    def show_truth(self, *ids: str) -> None:
        """End the lies about these instances, or about all."""
        self._lies.end(ids)

    def answer(self, request: Request, proceed: Proceed) -> Reply:
        """Answer a request with moto, corrected where EC2 answers differently."""
        match operation_of(Exchange(request)):
            case "StartInstances":
                with self._launching():
                    return proceed()
            case "DescribeInstances":
                return self._lies.alter(request, proceed())
            case _:
                return proceed()

    @contextmanager
    def _launching(self, at: datetime | None = None) -> Iterator[None]:
        """Renew the launch time of instances that start again: moto keeps the first one."""
        with MOTO_LOCK:
            stopped = [
                instance
                for backend in ec2_backends[self._account].values()
                for instance in backend.all_instances()
                if instance.state == "stopped"
            ]
            yield
            for instance in stopped:
                if instance.state in ("pending", "running"):
                    instance.launch_time = _utc(at) if at else utcnow()

    def _seen(self, instance: Instance) -> Machine:
        tags = dict(self._backend.tags.get(instance.id, {}))
        launched_at = instance.launch_time.replace(microsecond=0, tzinfo=UTC)
        return Machine(instance.id, instance.state, instance.public_ip, tags, launched_at)

    @property
    def _backend(self) -> EC2Backend:
        return ec2_backends[self._account][self._region]

    def _instance(self, instance: str) -> Instance:
        return self._backend.get_instance(instance)

    def _new(self, instance_id: str) -> Instance:
        """Return an instance in its own reservation, without volumes, which nothing here reads."""
        instance = LeanInstance(  # type: ignore[abstract]  # as moto's own is, for CloudFormation
            self._backend, "ami-sandbox", None, [], region_name=self._region
        )
        instance.id = instance_id
        reservation = Reservation(random_reservation_id(), self._account)
        reservation.instances.append(instance)
        self._backend.reservations[reservation.id] = reservation
        return instance


def new_id() -> str:
    """Return an instance id in EC2's present form."""
    return f"i-{secrets.token_hex(9)[:17]}"


def _tags(meeting: str | None, role: str | None) -> Iterable[tuple[str, str]]:
    yield "Project", "Elephant"
    if meeting is not None:
        yield "MeetingID", meeting
    if role is not None:
        yield "Role", role
    if meeting is not None and role is not None:
        yield "Name", f"{meeting}_{role}"


def _utc(moment: datetime) -> datetime:
    """Return a moment as moto keeps it: in UTC, without a time zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def _put_into(instance: Instance, state: str) -> None:
    instance._state.name, instance._state.code = state, STATES[state]


def _place(instance: Instance, address: str | None, *, renewed: bool) -> None:
    """Set the address. ``renewed`` says whether a start assigns another one."""
    interface = instance.nics[0]
    interface.public_ip = address
    interface.public_ip_auto_assign = renewed


__all__ = ["ADDRESSED", "AUTO", "STATES", "LeanInstance", "Machine", "Machines", "new_id"]
