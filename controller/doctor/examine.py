"""The page to read: what is looked at, and what each look needs.

====================  ==================================================  =====================================
look                  needs                                               changes nothing, for
====================  ==================================================  =====================================
settings              the environment                                     it only reads
identity, region,     AWS credentials                                     it only reads
owner id
machines              ``ec2:DescribeInstances``                           it only reads
table                 a pass's actions and ``dynamodb:DescribeTable``     the row it writes to is not there, and
                                                                          the condition is that it is
users of the table    ``lambda:ListFunctions``                            it only reads
secret, token, zone   ``secretsmanager:GetSecretValue``, a token          the record it deletes is not there
marks in the zone     a token                                             it only reads
function, rules       what ``function.py`` and ``rules.py`` name          it only reads
====================  ==================================================  =====================================
"""

from collections.abc import Mapping

from controller.aws.ec2 import Ec2Fleet
from controller.clients import AwsClients, aws_clients
from controller.doctor.agreement import Here
from controller.doctor.cloudflare import cloudflare_checks
from controller.doctor.diagnosis import Check, Diagnosis, Part, attempt, failed, fails_as, passed, side_by_side, skipped
from controller.doctor.function import function_checks
from controller.doctor.identity import Identity, identity_of, owner_check, told
from controller.doctor.neighbours import TABLE_USERS, table_users
from controller.doctor.secret import TokenSource
from controller.doctor.table import table_checks
from controller.errors import SettingsError, WatchdogError
from controller.runtime.budget import Budget
from controller.runtime.threads import Task
from controller.settings import Settings, read_settings

#: Why a check is not made.
_NO_SETTINGS, _NO_AWS = "the settings cannot be used", "AWS cannot be asked"


def examine(environment: Mapping[str, str], function: str, budget: Budget) -> Diagnosis:
    """Look at everything that a pass and its deployment stand on; ``function`` is the Lambda function's name."""
    settings, first = _settings(environment)
    try:
        aws = aws_clients()
    except SettingsError as error:
        parts = _without_aws(settings, budget)
        return Diagnosis((*first, fails_as("aws", error), *side_by_side(parts, budget)))
    try:
        return Diagnosis((*first, *side_by_side(_parts(settings, aws, function, budget), budget)))
    finally:
        aws.close()


def _settings(environment: Mapping[str, str]) -> tuple[Settings | None, list[Check]]:
    try:
        settings = read_settings(environment)
    except SettingsError as error:
        _, *problems = error.message.splitlines()
        fixes = [*[""] * (len(problems) - 1), f"Set or correct them in the environment. {error.hint}"]
        return None, [failed("settings", problem.strip(), fix) for problem, fix in zip(problems, fixes, strict=True)]
    seen = f"DOMAIN_ROOT {settings.domain_root}, ZONE_ID {settings.zone_id}, TABLE_NAME {settings.table_name}."
    return settings, [passed("settings", seen)]


def _parts(settings: Settings | None, aws: AwsClients, function: str, budget: Budget) -> list[Part]:
    who = Task(lambda: identity_of(aws, budget), budget)
    here = Here(settings, lambda: _owner(settings, who))
    return [
        Part("aws", lambda: [attempt("aws", lambda: told(who.result()))]),
        *(_of_settings(settings, aws, function, who, budget) if settings else _unset()),
        Part("function", lambda: function_checks(aws, function, here, budget)),
    ]


def _of_settings(settings: Settings, aws: AwsClients, function: str, who: Task[Identity], budget: Budget) -> list[Part]:
    tokens = TokenSource(settings, aws.secrets)
    return [
        Part("owner-id", lambda: [owner_check(settings, _place(who))]),
        Part("ec2:DescribeInstances", lambda: [_machines(settings, aws, budget)]),
        Part("table", lambda: table_checks(aws.dynamodb, settings, budget)),
        Part(TABLE_USERS, lambda: [table_users(aws, settings, function, budget)]),
        Part("token", lambda: cloudflare_checks(tokens, settings, lambda: _owner(settings, who), budget)),
    ]


def _unset() -> list[Part]:
    ids = ("owner-id", "ec2:DescribeInstances", "table", TABLE_USERS, "secret", "token", "zone")
    return [_skip(id, _NO_SETTINGS) for id in ids]


def _without_aws(settings: Settings | None, budget: Budget) -> list[Part]:
    """What can be looked at without AWS: Cloudflare, with a token that was given."""
    rest = [_skip(id, _NO_AWS) for id in ("owner-id", "ec2:DescribeInstances", "table", TABLE_USERS, "function")]
    if settings is None:
        return [*rest, *(_skip(id, _NO_SETTINGS) for id in ("secret", "token", "zone"))]
    if settings.api_token is None:
        return [*rest, *(_skip(id, _NO_AWS) for id in ("secret", "token", "zone"))]
    tokens = TokenSource(settings, None)
    return [*rest, Part("token", lambda: cloudflare_checks(tokens, settings, lambda: settings.owner_id, budget))]


def _skip(id: str, because: str) -> Part:
    return Part(id, lambda: [skipped(id, because)])


def _machines(settings: Settings, aws: AwsClients, budget: Budget) -> Check:
    """EC2 is really listed: a wrong region or tag shows as a fleet that is not there."""

    def look() -> Check:
        count = len(Ec2Fleet(aws.ec2, settings, budget).tagged())
        tag = "=".join(settings.project_tag)
        none = " If machines run now, AWS_REGION or PROJECT_TAG is wrong." if not count else ""
        return passed("ec2:DescribeInstances", f"Allowed; instances tagged {tag} in {aws.region}: {count}.{none}")

    return attempt("ec2:DescribeInstances", look)


def _owner(settings: Settings | None, who: Task[Identity]) -> str | None:
    """The owner id of a pass from here, or None where nobody knows the account."""
    if settings and settings.owner_id:
        return settings.owner_id
    return _place(who)


def _place(who: Task[Identity]) -> str | None:
    """Account and region of a pass from here, or None where nobody knows the account."""
    try:
        return who.result().place
    except WatchdogError:
        return None  # told where the identity is
