"""The zip where nothing else is: under Lambda's runtime client, against both clouds, as it will run."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from controller.sandbox.aws import ACCOUNT, REGION
from controller.sandbox.aws_http import operation_of
from controller.sandbox.cloudflare.exchange import Exchange, Proceed, Reply, Request
from infra.package import Target, build
from infra.package_models import OPERATIONS
from tests.infra.package.conftest import HERE, make_variable
from tests.support.build import link, name
from tests.support.encrypted import Encrypted, add_to_package
from tests.support.events import SCHEDULED, batch, state_change
from tests.support.lambda_runtime import Answer, Function, Running
from tests.support.servers import Clouds

pytestmark = pytest.mark.xdist_group("package")

#: Nothing is on the path but Python's own library.
ALONE = (sys.executable, "-I", "-S", "-B")
#: What the handler's path imports that is neither ours nor Python's. A new name here is a longer cold start.
THIRD_PARTY = {
    "anyio",
    "botocore",
    "certifi",
    "dateutil",
    "h11",
    "httpcore",
    "httpx",
    "idna",
    "jmespath",
    "six",
    "tenacity",
    "urllib3",
}
_A_PASS = """
import json, types
import handler
context = types.SimpleNamespace(
    aws_request_id="r", function_name="f", get_remaining_time_in_millis=lambda: 60000,
    invoked_function_arn="arn:aws:lambda:us-west-2:123456789012:function:ElephantDNSWatchdog",
)
handler.lambda_handler({"action": "apply"}, context)
print(json.dumps(sorted(sys.modules)))
"""


@dataclass(frozen=True, slots=True)
class Deployed:
    """The package's function, deployed before two clouds."""

    folder: Path
    client: Path
    log: Path
    clouds: Clouds

    def running(self, **changes: str) -> Running:
        """A process of it, with these settings changed."""
        function = Function("package", "handler.lambda_handler", (self.folder, self.client))
        return Running(function, self.clouds.environment(**changes), log=self.log)

    def invoke(self, event: object, **changes: str) -> Answer:
        """What a cold function makes of this event."""
        with self.running(**changes) as running:
            return running.invoke(event)

    def lines(self) -> list[dict[str, Any]]:
        """Our lines of its log; the runtime client adds one of its own for an error."""
        lines = [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]
        return [line for line in lines if "request_id" in line]


@pytest.fixture
def function(folder: Path, client: Path, tmp_path: Path, clouds: Clouds) -> Deployed:
    return Deployed(folder, client, tmp_path / "log", clouds)


def alone(package: Path, script: str, environment: Mapping[str, str] | None = None) -> Any:
    """What this script prints as JSON, where only the package can be imported."""
    script = f"import sys; sys.path.insert(0, {str(package)!r})\n{script}"
    shown = subprocess.run([*ALONE, "-c", script], env=dict(environment or {}), capture_output=True, check=True)
    return json.loads(shown.stdout.splitlines()[-1])


@pytest.mark.proof
def test_the_same_input_gives_the_same_bytes(package: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.zip"
    assert build(Target(HERE, make_variable("LAMBDA_ARCHITECTURE")), again)
    assert again.read_bytes() == package.read_bytes()


def test_modules_load_from_byte_code_without_checking_sources(folder: Path) -> None:
    script = f"import sys; sys.path.insert(0, {str(folder)!r}); import handler"
    told = subprocess.run([*ALONE, "-v", "-c", script], capture_output=True, text=True, check=True).stderr
    loaded = re.findall(rf"^# code object from '?{re.escape(str(folder))}/(.*?)'?$", told, re.MULTILINE)
    assert len(loaded) > 200
    assert [path for path in loaded if not path.endswith(".pyc")] == []
    # PEP 552: the second word says that the file is known by a hash (1), and that nobody is to check it (not 2).
    flags = {file.read_bytes()[4:8] for file in folder.rglob("*.pyc")}
    assert flags == {(0b01).to_bytes(4, "little")}


def test_byte_code_tells_lambdas_folder_and_not_the_builders(package: Path) -> None:
    with ZipFile(package) as archive:
        for file in archive.namelist():
            if file.endswith(".pyc"):
                assert b"/var/task/" in archive.read(file), file


def test_pass_imports_all_packed_modules_and_these_libraries(function: Deployed) -> None:
    function.clouds.launch()
    packed = [path.relative_to(function.folder) for path in function.folder.glob("controller/**/*.py")]
    wanted = {".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in packed}
    modules = {
        probes: set(alone(function.folder, _A_PASS, {**function.clouds.environment(), "PROBE_LINKS": probes}))
        for probes in ("true", "false")
    }
    ours = {
        probes: {name for name in loaded if name.split(".")[0] == "controller"} for probes, loaded in modules.items()
    }
    wanted -= {"controller.aws.cells", "controller.rules.cells"}  # for several accounts and regions alone
    assert ours["true"] == wanted
    more = {"controller.rules.joining", *(name for name in wanted if name.startswith("controller.probe"))}
    assert ours["false"] == wanted - more, "without the probe nothing of it is imported"
    for loaded in modules.values():
        others = {module.split(".")[0] for module in loaded} - sys.stdlib_module_names
        assert {module for module in others if not module.startswith("__")} - {"controller", "handler"} == THIRD_PARTY


@pytest.mark.parametrize("extra", ["click", "flask", "moto", "rich"])
def test_the_extras_cannot_be_imported(folder: Path, extra: str) -> None:
    assert (
        alone(folder, f"import importlib.util; print('true' if importlib.util.find_spec({extra!r}) else 'false')")
        is False
    )


def test_a_state_change_brings_record_and_link(function: Deployed) -> None:
    machine = function.clouds.launch()
    answer = function.invoke(state_change(machine))
    assert (answer.kind, answer.content["scope"], answer.content["converged"]) == ("response", [machine], True)
    assert function.clouds.records() == {name(machine): [function.clouds.address(machine)]}
    assert function.clouds.aws.rows.get("m1")["teacher_ec2_link"] == link(machine)


def test_function_trusts_authorities_of_its_package_alone(function: Deployed, tmp_path: Path) -> None:
    ways = Encrypted(function.clouds.aws, function.clouds.cloudflare)
    trusting = replace(function, folder=tmp_path / "task")
    shutil.copytree(function.folder, trusting.folder)
    add_to_package(trusting.folder)
    try:
        machine = function.clouds.launch()
        refused = function.invoke(state_change(machine), **ways.environment())
        answer = trusting.invoke(state_change(machine), **ways.environment())
    finally:
        ways.close()
    assert refused.kind == "error"
    assert "cannot trust the certificate that the endpoint shows. If a proxy" in refused.content["errorMessage"]
    assert (answer.kind, answer.content["converged"]) == ("response", True)


def test_log_holds_only_our_lines_and_no_secret(function: Deployed) -> None:
    function.clouds.launch()
    assert function.invoke(SCHEDULED).kind == "response"
    lines = [json.loads(line) for line in function.log.read_text().splitlines()]
    assert ["metrics" if "_aws" in line else line["message"] for line in lines] == [
        "change",
        "change",
        "pass",
        "metrics",
    ]
    assert function.clouds.cloudflare.token not in function.log.read_text()


def test_a_batch_is_one_pass(function: Deployed) -> None:
    machines = [function.clouds.launch(f"m{number}") for number in range(3)]
    answer = function.invoke(batch(*(state_change(machine) for machine in machines)))
    assert (answer.kind, answer.content) == ("response", {"batchItemFailures": []})
    assert sorted(function.clouds.records()) == sorted(map(name, machines))


def test_schedule_fixes_everything_and_warm_function_finds_nothing(function: Deployed) -> None:
    gone = function.clouds.launch("m1")
    function.clouds.seed(gone, "192.0.2.1")
    function.clouds.aws.machines.terminate(gone)
    new = function.clouds.launch("m2", "student")
    with function.running() as running:
        first, second = running.invoke(SCHEDULED), running.invoke(SCHEDULED)
    assert (first.kind, first.content["scope"], len(first.content["changes"])) == ("response", "all", 4)
    assert (second.kind, second.content["changes"], second.content["converged"]) == ("response", [], True)
    assert function.clouds.records() == {name(new): [function.clouds.address(new)]}
    assert function.clouds.aws.rows.get("m1")["status"] == "TERMINATED"


def test_a_plan_writes_nothing(function: Deployed) -> None:
    machine = function.clouds.launch()
    answer = function.invoke({"action": "plan", "instance": machine})
    assert answer.kind == "response"
    assert [change["outcome"] for change in answer.content["changes"]] == ["planned", "planned"]
    assert function.clouds.records() == {}
    assert "UpdateItem" not in function.clouds.aws.operations()


def test_an_event_that_nobody_knows_is_an_error_that_lambda_sees(function: Deployed) -> None:
    answer = function.invoke({"detail-type": "Something Else"})
    assert (answer.kind, answer.content["errorType"]) == ("error", "RequestError")
    assert "Expected" in answer.content["errorMessage"]
    assert [line["message"] for line in function.lines()] == ["pass failed"]


def test_incomplete_pass_is_an_error_after_its_report_is_logged(function: Deployed) -> None:
    function.clouds.reset(quota=0)
    function.clouds.launch()
    answer = function.invoke(SCHEDULED)
    assert (answer.kind, answer.content["errorType"]) == ("error", "IncompleteError")
    assert [line["outcome"] for line in function.lines() if line.get("message") == "change"] == [
        "failed",
        "not-reached",
    ]


# Every operation through the cut models


def refused(operation: str, status: int, content: str) -> Any:
    """AWS refuses this operation, with an error in its service's form."""

    def intercept(request: Request, proceed: Any) -> Reply:
        asked = operation_of(Exchange(request)) == operation
        return Reply.text(status, content) if asked else proceed()

    return intercept


@pytest.mark.parametrize(
    ("index", "read"), [("", {"Scan"}), ("by-status", {"Query"})], ids=["by a scan", "by an index"]
)
def test_every_operation_is_called_through_the_cut_models(function: Deployed, index: str, read: set[str]) -> None:
    function.clouds.aws.make_table("meetings", index=index or None)
    function.clouds.aws.requests.clear()
    machine = function.clouds.launch()
    cells = f"{ACCOUNT}/{REGION},210987654321/eu-west-1"
    answer = function.invoke(
        SCHEDULED, TABLE_NAME="meetings", STATUS_INDEX=index, CELLS=cells, CELL_ROLE="ElephantDNSCell"
    )
    assert (answer.kind, answer.content["converged"]) == ("response", True)
    assert function.clouds.aws.rows.get("m1")["teacher_ec2_link"] == link(machine)
    every = {operation for operations in OPERATIONS.values() for operation in operations}
    assert set(function.clouds.aws.operations()) == every - {"Scan", "Query"} | read


def test_a_condition_that_fails_is_understood(function: Deployed) -> None:
    machine = function.clouds.launch()

    def moved_on(request: Request, proceed: Proceed) -> Reply:
        if operation_of(Exchange(request)) == "UpdateItem":
            function.clouds.aws.intercept = None
            function.clouds.aws.rows.edit("m1", status="HEALTHY")
        return proceed()

    function.clouds.aws.intercept = moved_on
    answer = function.invoke(state_change(machine))
    assert answer.content["summary"]["superseded"] == 0
    row: Mapping[str, Any] = function.clouds.aws.rows.get("m1")
    assert (row["status"], row["teacher_ec2_link"]) == ("HEALTHY", link(machine))
    assert function.clouds.aws.operations().count("UpdateItem") == 2


@pytest.mark.parametrize(
    ("operation", "status", "content", "sentence"),
    [
        (
            "DescribeInstances",
            403,
            "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>No.</Message></Error></Errors></Response>",
            "Allow the action ec2:DescribeInstances",
        ),
        ("Scan", 400, '{"__type": "x#AccessDeniedException", "Message": "No."}', "Allow the action dynamodb:Scan"),
        (
            "GetSecretValue",
            400,
            '{"__type": "ResourceNotFoundException", "Message": "No."}',
            "secret prod/elephant/cloudflare does not exist",
        ),
    ],
)
def test_a_refusal_is_understood(function: Deployed, operation: str, status: int, content: str, sentence: str) -> None:
    function.clouds.aws.intercept = refused(operation, status, content)
    answer = function.invoke(SCHEDULED)
    assert (answer.kind, answer.content["errorType"]) == ("error", "ObservationError")
    assert sentence in answer.content["errorMessage"] + json.dumps(function.lines())
