"""Who asks AWS, and where: most surprises are another account or another region."""

from dataclasses import dataclass

from controller.aws_calls import Call
from controller.bootstrap import AwsClients
from controller.budget import Budget
from controller.doctor.diagnosis import Check, passed


@dataclass(frozen=True, slots=True)
class Identity:
    """The caller, as STS knows it."""

    account: str
    arn: str
    region: str

    @property
    def owner(self) -> str:
        """The owner id of a deployment that is not given another."""
        return f"{self.account}/{self.region}"


def identity_of(aws: AwsClients, budget: Budget) -> Identity:
    """Who calls; STS needs no permission for it. Raises a CallError."""
    call = Call("sts", "GetCallerIdentity", "these credentials", proof="Account")
    return call(
        aws.sts.get_caller_identity, budget, lambda who: Identity(str(who["Account"]), str(who["Arn"]), aws.region)
    )


def told(who: Identity) -> Check:
    """What follows is true for these credentials, and for no others."""
    where = f"Account {who.account}, region {who.region}, as {who.arn}."
    return passed("aws", f"{where} What follows is what these credentials may do.")
