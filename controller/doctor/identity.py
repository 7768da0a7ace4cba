"""Who asks AWS, and where: most surprises are another account or another region."""

from dataclasses import dataclass, replace

from controller.aws.call import Call
from controller.clients import AwsClients
from controller.doctor.diagnosis import Check, failed, passed, skipped, warned
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
        """The place that is looked at; also the owner id of a deployment that is not given another."""
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


def owner_check(settings: Settings, place: str | None) -> Check:
    """Does the owner id name the place? Then what is absent there is believed to be gone; else the guard holds it."""
    if place is None:
        return skipped("owner-id", "the account of these credentials is not known")
    here = replace(settings, owner_id=settings.owner_id or place, place=place)
    if here.names_another_place:
        seen = f"OWNER_ID {here.owner_id} names another place than {place}, which is looked at: every pass stops."
        return failed("owner-id", seen, "Correct AWS_REGION, AWS_PROFILE or OWNER_ID.")
    if here.names_its_place:
        return passed("owner-id", f"The owner id {here.owner_id} names the place that is looked at.")
    seen = (
        f"OWNER_ID {here.owner_id} does not begin with {place}. It works, but where EC2 shows no machine that a record "
        "of ours names, the guard holds what rests on absence until somebody lets it through."
    )
    fix = f"For a new deployment take {place}/<name>. To change this one, run elephant-dns retire first."
    return warned("owner-id", seen, fix)
