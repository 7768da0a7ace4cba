"""What the checks look at: the settings, the clients, and the readings that several checks share."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from controller.aws.call import Call
from controller.aws.cells import CellFleet
from controller.aws.dynamodb import DynamoTable
from controller.aws.ec2 import Ec2Fleet
from controller.clients import AwsClients
from controller.doctor.cell import Cell
from controller.doctor.deployed import read_deployment
from controller.doctor.diagnosis import Once, SkipError
from controller.doctor.patterns import Matcher
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
        self.matcher = Once(lambda: Matcher(self.aws, budget))
        self._cells = Once(self._made_cells)
        self._cell_fleet = Once(self._fleet_of_cells)
        self._unusable: dict[str, WatchdogError] = {}
        self._opened: list[Cell] = []

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
    def fleet(self) -> Ec2Fleet | CellFleet:
        """Return EC2's instances, as a pass from here sees them. Raises SkipError."""
        return self._cell_fleet() if self.cells else Ec2Fleet(self.aws.ec2, self.settings, self.budget)

    @property
    def cells(self) -> Mapping[str, Cell]:
        """Return the cells of CELLS by name; none where it names no other place than this one. Raises SkipError."""
        return self._cells() if self.settings.cells not in ((), (self.place,)) else {}

    @property
    def unread(self) -> Mapping[str, WatchdogError]:
        """Return the cells that could not be read when the machines were listed, and why. Raises SkipError."""
        if not self.cells:
            return {}
        self.machines()
        return {**self._unusable, **self._cell_fleet().unread()}

    @property
    def region(self) -> str:
        """Return where the machines are looked for, as a piece of a sentence. Raises SkipError."""
        return f"{len(self.cells)} cells" if self.cells else self.aws.region

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

    def close(self) -> None:
        """Close the connections to the cells; the clients that were given stay open."""
        for cell in self._opened:
            cell.close()

    def _made_cells(self) -> dict[str, Cell]:
        if self.place is None:
            raise SkipError("the account of these credentials is not known")
        settings = replace(self.settings, place=self.place)
        self._opened += [Cell(name, self.aws, settings) for name in settings.cells]
        return {cell.name: cell for cell in self._opened}

    def _fleet_of_cells(self) -> CellFleet:
        fleets = {}
        for name, cell in self.cells.items():
            try:
                fleets[name] = Ec2Fleet(cell.ec2(), self.settings, self.budget, name)
            except WatchdogError as error:
                self._unusable[name] = error
        return CellFleet(fleets, self.budget)

    def _tagged(self) -> list[Instance]:
        return self.fleet.tagged()

    def _named(self) -> frozenset[str]:
        rows = DynamoTable(self.aws.dynamodb, self.settings, self.budget).live()
        live = [row for row in rows if row.status in LIVE_STATUSES]
        return frozenset(id for row in live for id in row.instance_ids.values() if is_instance_id(id))
