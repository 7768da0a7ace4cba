"""Remove the shell's variables that would lead out of the sandbox."""

from collections.abc import MutableMapping

from controller.settings import VARIABLES

#: Variables that another shell may have, and that the sandbox's environment does not set.
MISLEADING = VARIABLES | {
    "AWS_CA_BUNDLE",
    "AWS_DEFAULT_PROFILE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_PROFILE",
    "AWS_SESSION_TOKEN",
    *(
        f"AWS_ENDPOINT_URL_{service}"
        for service in ("DYNAMODB", "EC2", "EVENTBRIDGE", "LAMBDA", "SECRETS_MANAGER", "STS")
    ),
}


def forget(environment: MutableMapping[str, str]) -> None:
    """Remove all settings of AWS and of the controller, for a process that only serves the sandbox."""
    for name in [name for name in environment if name.startswith("AWS_") or name in VARIABLES]:
        del environment[name]
