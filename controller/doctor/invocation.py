"""``--invoke``: does the deployed function plan what a pass from here plans? A plan writes nothing, anywhere.

Needs ``lambda:InvokeFunction``. Only a function that runs this program is invoked: another one may do anything.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from controller.aws.call import Call
from controller.bootstrap import build
from controller.doctor.diagnosis import Check, SkipError, Status, failed, if_allowed, passed, warned
from controller.doctor.function import code_check, deployment_of
from controller.doctor.look import Look
from controller.model import Mode, Request
from controller.report.report import SCHEMA, Report

_ID = "invocation"
_EVENT = {"action": "plan"}


def invocation_check(look: Look) -> Iterator[Check]:
    """Compare the function's plan with one from here; do nothing without ``--invoke``."""
    if not look.invoke:
        return
    deployment = deployment_of(look)
    if isinstance(deployment, Check):
        raise SkipError("the function cannot be looked at")
    target, deployed = next(iter(deployment.woken.items()))
    if code_check(deployed).status is not Status.PASS:
        raise SkipError(f"{deployed.arn} is another program, which may do anything when it is invoked")
    _ = look.settings  # raises SkipError where a pass from here has none
    yield if_allowed(_ID, lambda: _compared(look, target))


def _compared(look: Look, target: str) -> Check:
    before = _plan(look)
    if unread := [cell.name for cell in before.cells if cell.error]:
        raise SkipError(f"a pass from here cannot read {', '.join(unread)}, as cell-role and cell-machines say")
    there, failure = _invoked(look, target)
    if failure:
        seen = f"{target} fails at {json.dumps(_EVENT)}: {_text(there, 'errorType')}: {_text(there, 'errorMessage')}"
        return failed(_ID, seen, f"Its log says more: aws logs tail /elephant-dns/{look.function}")
    if _text(there, "schema") != SCHEMA:
        fix = "Deploy the template under this name; docs/migrate.md says how to move from the first version."
        return failed(_ID, f"{target} answers with something else than a report: it is another program.", fix)
    here = asdict(before.target)
    differing = [
        f"{name} is {here[name]} here and {there['target'].get(name)} there"
        for name in here
        if here[name] != there["target"].get(name)
    ]
    if differing:
        fix = "Export what the function has, or correct the function."
        return failed(_ID, f"{target} plans for another deployment: {'; '.join(differing)}.", fix)
    if there["digest"] == before.digest:
        return passed(_ID, f"{target} plans as a pass from here does: {len(before.results)} changes, {before.digest}.")
    after = _plan(look)
    if there["digest"] == after.digest:
        return passed(_ID, f"{target} plans as a pass from here does: {len(after.results)} changes, {after.digest}.")
    if before.digest != after.digest:
        seen = "The world changes faster than two plans of it can be compared."
        return warned(_ID, seen, "Run it again when fewer machines start and stop.")
    seen = f"{target} plans {len(there['changes'])} changes, and a pass from here {len(after.results)} others."
    fix = "Compare CELLS, GRACE_SECONDS, ADOPT_UNMARKED and the versions; deploy the version that is used here."
    return failed(_ID, seen, fix)


def _plan(look: Look) -> Report:
    controller = build(look.settings, account=look.identity().account)
    try:
        return controller.run(Request(Mode.PLAN), look.budget.remaining())
    finally:
        controller.close()


def _invoked(look: Look, target: str) -> tuple[dict[str, Any], bool]:
    """Return the answer, and whether it is an error that the function raised."""
    call = Call("lambda", "InvokeFunction", f"function {target.partition(':function:')[2]}", proof="Payload")

    def read(answer: Any) -> tuple[dict[str, Any], bool]:
        content = json.loads(answer["Payload"].read())
        return content if isinstance(content, dict) else {}, "FunctionError" in answer

    return call(look.aws.functions.invoke, look.budget, read, FunctionName=target, Payload=json.dumps(_EVENT).encode())


def _text(answer: dict[str, Any], key: str) -> str:
    return str(answer.get(key))[:300]
