"""The page to read: what is looked at, where, and what each look needs. None of them changes anything.

======================================  =================  ===================================================
check                                   in                 needs, beside AWS credentials
======================================  =================  ===================================================
settings                                examine.py         the environment
aws, owner-id                           identity.py        nothing
ec2:DescribeInstances, project-tag      machines.py        ``ec2:DescribeInstances``, and to read the rows
table, dynamodb:...                     table.py           a pass's actions and ``dynamodb:DescribeTable``; it
                                                           tries a write to a row that does not exist, on the
                                                           condition that it exists, so nothing is written
status-index                            index.py           ``dynamodb:DescribeTable``
secret                                  secret.py          ``secretsmanager:GetSecretValue``
token, token-write                      cloudflare.py      a token; it tries to delete a record that is not there
zone, record-quota                      zone.py            a token
edge-certificate, delegation, ssl-mode, zone_settings.py   a token; what each may read more is listed there
websockets, dns-only
other-owners, marks-outside-domain,     marks.py           a token, and to read the rows
shared-machines
links                                   links.py           ``ec2:DescribeInstances``, a token; it asks desktops
                                                           for a page
function, -code, -timeout,              function.py        ``lambda:GetFunctionConfiguration``, ``ListAliases``,
-concurrency                                               ``GetFunctionConcurrency``, ``ListEventSourceMappings``
function-settings                       agreement.py       nothing more
table-users                             sharing.py         ``lambda:ListFunctions``
stack-names                             names.py           ``events:DescribeRule``, ``sqs:GetQueueUrl``,
                                                           ``logs:DescribeLogGroups``
invocation (``--invoke``)               invocation.py      ``lambda:InvokeFunction``, and what a plan needs
state-changes, tag-changes, schedule    triggers.py        what ``rules.py`` and ``schedules.py`` name, and
                                                           ``events:TestEventPattern``
trigger-permission                      permission.py      ``lambda:GetPolicy``, ``sqs:GetQueueUrl``,
                                                           ``sqs:GetQueueAttributes``
cell-role, cell-machines (for each      cells.py           with ``CELLS``: ``sts:AssumeRole`` in other accounts,
cell)                                                      ``ec2:DescribeInstances`` in each cell
cell-state-changes, cell-tag-changes    forwarding.py      what it names, in each cell
cell-forwarding                         forwarding.py      ``events:DescribeEventBus``
======================================  =================  ===================================================
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from controller.clients import aws_clients
from controller.doctor.cells import cell_parts
from controller.doctor.cloudflare import cloudflare_checks
from controller.doctor.diagnosis import Check, Diagnosis, Part, failed, passed, side_by_side
from controller.doctor.function import function_checks
from controller.doctor.identity import aws_check, owner_check
from controller.doctor.invocation import invocation_check
from controller.doctor.links import link_checks
from controller.doctor.look import Look
from controller.doctor.machines import machine_checks
from controller.doctor.names import names_check
from controller.doctor.table import table_checks
from controller.doctor.triggers import trigger_checks
from controller.errors import SettingsError
from controller.runtime.budget import Budget
from controller.settings import read_settings

T = TypeVar("T")


def examine(environment: Mapping[str, str], function: str, budget: Budget, *, invoke: bool = False) -> Diagnosis:
    """Look at everything that a pass and its deployment stand on; ``function`` is the Lambda function's name."""
    settings = _or_error(lambda: read_settings(environment))
    aws = _or_error(lambda: aws_clients(None if isinstance(settings, SettingsError) else settings))
    look = Look(settings, aws, function, budget, invoke=invoke)
    try:
        return Diagnosis(side_by_side(parts_for(look), look, budget))
    finally:
        look.close()
        if not isinstance(aws, SettingsError):
            aws.close()


def _or_error(read: Callable[[], T]) -> T | SettingsError:
    try:
        return read()
    except SettingsError as error:
        return error


def _settings(look: Look) -> Iterator[Check]:
    error, _ = look.problems
    if error is None:
        settings = look.settings
        seen = f"DOMAIN_ROOT {settings.domain_root}, ZONE_ID {settings.zone_id}, TABLE_NAME {settings.table_name}."
        yield passed("settings", seen)
        return
    _, *problems = error.message.splitlines()
    fixes = [*[""] * (len(problems) - 1), f"Set or correct them in the environment. {error.hint}"]
    yield from (failed("settings", problem.strip(), fix) for problem, fix in zip(problems, fixes, strict=True))


#: The parts run side by side, the checks of one part in their order. How rows are read, ``dynamodb:Scan`` or ``Query``,
#: depends on the settings, so the table part adds that check's id itself.
PARTS = (
    Part(("settings",), _settings),
    Part(("aws",), aws_check),
    Part(("owner-id",), owner_check),
    Part(("ec2:DescribeInstances", "project-tag"), machine_checks),
    Part(("table", "status-index", "dynamodb:GetItem", "dynamodb:UpdateItem"), table_checks),
    Part(
        (
            "secret",
            "token",
            "token-write",
            "zone",
            "record-quota",
            "edge-certificate",
            "delegation",
            "ssl-mode",
            "websockets",
            "dns-only",
            "other-owners",
            "marks-outside-domain",
            "shared-machines",
        ),
        cloudflare_checks,
    ),
    Part(("links",), link_checks),
    Part(
        (
            "function",
            "function-code",
            "function-timeout",
            "function-settings",
            "function-concurrency",
            "table-users",
        ),
        function_checks,
    ),
    Part(("stack-names",), names_check),
    Part(("invocation",), invocation_check),
    Part(("state-changes", "tag-changes", "schedule", "trigger-permission"), trigger_checks),
)


def parts_for(look: Look) -> tuple[Part[Look], ...]:
    """Return all parts: those of every deployment, and those of its cells, which only the settings name."""
    return (*PARTS, *cell_parts(look))
