"""One cell as the doctor reads it, with the credentials of a pass from here."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from controller.aws.call import Call
from controller.clients import AwsClients, cell_role, cell_session, client, surroundings
from controller.doctor.diagnosis import Once
from controller.runtime.budget import Budget
from controller.settings import Settings

if TYPE_CHECKING:
    from botocore.session import Session


class Cell:
    """An account in a region. ``settings`` have the place of the caller. Every reading raises a WatchdogError."""

    def __init__(self, name: str, aws: AwsClients, settings: Settings) -> None:
        self.name, self._aws, self._settings = name, aws, settings
        self.account, _, self.region = name.partition("/")
        self.is_own = (settings.place or "").partition("/")[0] == self.account
        self._made: list[Any] = []
        self.role = Once(self._role)
        """The role that is assumed; None in the caller's own account."""
        self.session = Once(self._session)
        self.ec2 = Once(lambda: self._client("ec2"))
        self.rules = Once(lambda: replace(self._aws, rules=self._client("events")))
        """The clients of the caller's place, with EventBridge here in place of there."""

    def close(self) -> None:
        """Close the connections."""
        for each in self._made:
            each.close()

    def assume(self, budget: Budget) -> None:
        """Get the role's credentials, which all other calls use."""
        credentials = self.session().get_credentials()
        call = Call("sts", "AssumeRole", f"role {self.role()}", proof="Credentials")
        call(lambda: {"Credentials": credentials and credentials.get_frozen_credentials()}, budget, lambda _: None)

    def _role(self) -> str | None:
        with surroundings():
            return cell_role(self._aws.session, self.name, self._settings)

    def _session(self) -> "Session":
        with surroundings():
            return cell_session(self._aws.session, self.name, self._settings, self._aws.sts)

    def _client(self, service: str) -> Any:
        session = self.session()
        with surroundings():
            self._made.append(client(session, service, self.region))
        return self._made[-1]
