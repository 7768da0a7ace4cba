"""What the checks look at: the settings, the clients, and the readings that several checks share."""

from dataclasses import dataclass

from controller.aws.call import Call
from controller.aws.dynamodb import DynamoTable
from controller.aws.ec2 import Ec2Fleet
from controller.clients import AwsClients
from controller.doctor.deployed import read_deployment
from controller.doctor.diagnosis import Once, SkipError
from controller.errors import SettingsError, WatchdogError
from controller.model import LIVE_STATUSES, Instance
from controller.names import is_instance_id
from controller.runtime.budget import Budget
from controller.settings import Settings


@dataclass(frozen=True, slots=True)
class Identity:
    """The caller, as STS knows it."""

    account: str
    arn: str
    region: str

    @property
    def place(self) -> str:
        """Return the place that is looked at; also the default owner id."""
        return f"{self.account}/{self.region}"


def identity_of(aws: AwsClients, budget: Budget) -> Identity:
    """Return who calls; STS needs no permission for it. Raises a CallError."""
    call = Call("sts", "GetCallerIdentity", "these credentials", proof="Account")
    return call(
        aws.sts.get_caller_identity, budget, lambda who: Identity(str(who["Account"]), str(who["Arn"]), aws.region)
    )


class Look:
    """One examination: of these settings and clients, or of why there are none. ``function`` is the function's name.

    A property that needs what is not there raises SkipError, so a check asks for what it needs and no more.
    """

    def __init__(
        self,
        settings: Settings | SettingsError,
        aws: AwsClients | SettingsError,
        function: str,
        budget: Budget,
        *,
        invoke: bool = False,
    ) -> None:
        self._settings, self._aws, self.function, self.budget, self.invoke = settings, aws, function, budget, invoke
        self.identity = Once(lambda: identity_of(self.aws, budget))
        self.machines = Once(self._tagged)
        self.deployment = Once(lambda: read_deployment(self.aws, function, budget))
        self.named = Once(self._named)

    @property
    def problems(self) -> tuple[SettingsError | None, SettingsError | None]:
        """Return why the settings, and AWS's clients, cannot be used; None for what can."""
        return (
            self._settings if isinstance(self._settings, SettingsError) else None,
            self._aws if isinstance(self._aws, SettingsError) else None,
        )

    @property
    def settings(self) -> Settings:
        """Return the settings of a pass from here. Raises SkipError where they cannot be used."""
        if isinstance(self._settings, SettingsError):
            raise SkipError("the settings cannot be used")
        return self._settings

    @property
    def aws(self) -> AwsClients:
        """Return AWS's clients. Raises SkipError where they cannot be used."""
        if isinstance(self._aws, SettingsError):
            raise SkipError("AWS cannot be asked")
        return self._aws

    @property
    def fleet(self) -> Ec2Fleet:
        """Return EC2's instances, as a pass from here sees them. Raises SkipError."""
        return Ec2Fleet(self.aws.ec2, self.settings, self.budget)

    @property
    def place(self) -> str | None:
        """Return account and region of a pass from here, None if the account is unknown."""
        try:
            return self.identity().place
        except (SkipError, WatchdogError):
            return None  # said where the identity is

    @property
    def owner(self) -> str | None:
        """Return the owner id of a pass from here, None if it is unknown."""
        return self.settings.owner_id or self.place

    def _tagged(self) -> list[Instance]:
        return self.fleet.tagged()

    def _named(self) -> frozenset[str]:
        rows = DynamoTable(self.aws.dynamodb, self.settings, self.budget).live()
        live = [row for row in rows if row.status in LIVE_STATUSES]
        return frozenset(id for row in live for id in row.instance_ids.values() if is_instance_id(id))
