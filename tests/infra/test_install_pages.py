"""The parameters and queries that the pages on installing and operating show exist."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from controller.model import Outcome
from controller.report.as_json import as_dict
from controller.telemetry.metrics import METRICS
from tests.infra.cloudformation import read, stack
from tests.support.servers import Clouds

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("install", "migrate", "operate", "uninstall", "terraform")
PAGE = "\n".join((DOCS / f"{page}.md").read_text(encoding="utf-8") for page in PAGES)
QUERIES = [block for block in re.findall(r"```\n(.*?)```", PAGE, re.DOTALL) if block.startswith("fields ")]
TEMPLATES = ("template.yaml", "policies.yaml", "notifications/chat.yaml")
PARAMETERS = {name: one for template in TEMPLATES for name, one in read(template)["Parameters"].items()}
#: The words of the query language that stand where a field could.
WORDS = {"fields", "filter", "sort", "stats", "by", "as", "and", "in", "desc", "asc", "count", "latest"}


def test_parameters_and_the_values_shown_are_the_templates() -> None:
    parameters = PARAMETERS
    shown = re.findall(r"[` ]([A-Z][a-z]+[A-Z]?[A-Za-z]*)=\"?([\w.-]*)", PAGE)
    ours = [(name, value) for name, value in shown if not name.startswith("Attribute") and name != "Project"]
    assert len(ours) > 12
    assert [name for name, _ in ours if name not in parameters] == []
    limited = [(name, value) for name, value in ours if "AllowedValues" in parameters[name]]
    assert [one for one in limited if one[1] not in parameters[one[0]]["AllowedValues"]] == []


def test_table_of_parameters_is_the_templates() -> None:
    table = PAGE.partition("## Parameters\n")[2].partition("\n## ")[0]
    rows = [
        [cell.strip(" `\N{EN DASH}") for cell in line.split("|")[1:4]] for line in table.splitlines() if "`" in line[:4]
    ]
    variables = {reference["Ref"]: variable for variable, reference in variables_of_the_function().items()}
    declared = read()["Parameters"].items()
    expected = [[name, variables.get(name, ""), str(one.get("Default", ""))] for name, one in declared]
    assert sorted(rows) == sorted(expected)


def variables_of_the_function() -> dict[str, dict[str, str]]:
    function: dict[str, Any] = read()["Resources"]["ElephantDNSWatchdog"]["Properties"]
    variables: dict[str, dict[str, str]] = function["Environment"]["Variables"]
    return variables


def overrides() -> list[str]:
    """What follows each --parameter-overrides, as the shell hands it on."""
    found = [re.match(r"(\s+'?[A-Z]\w+=(\"\"'?|[\w./-]*))+", rest) for rest in PAGE.split("--parameter-overrides")[1:]]
    return [word for match in found for word in shlex.split(match[0] if match else "=")]


@pytest.mark.parametrize("word", overrides())
def test_sam_takes_the_value_as_the_shell_hands_it_on(word: str) -> None:
    # SAM wants quotes around an empty value, and the shell takes them away unless they are quoted themselves.
    parameter, _, value = word.partition("=")
    assert parameter in PARAMETERS
    assert value


def test_an_empty_value_is_shown_twice() -> None:
    assert [word for word in overrides() if word.endswith('=""')] == ['NameSuffix=""', 'StatusIndex=""']


def test_names_on_the_page_are_those_that_are_deployed() -> None:
    deployed = stack()
    for name in (deployed.output("FunctionName"), deployed.output("LogGroup"), "ElephantReconcile"):
        assert name in PAGE
    assert deployed.output("RollBack").removesuffix("N") in PAGE
    assert deployed.output("ListVersions").split(" --query")[0] in PAGE
    assert "SecondsToRecord" in METRICS


def test_runbook_purges_all_dead_letter_queues_and_no_other() -> None:
    deployed = {queue["QueueName"] for queue in stack().resources("AWS::SQS::Queue").values()}
    purged = set(re.findall(r"\bElephant\w+DeadLetters", (DOCS / "runbook.md").read_text(encoding="utf-8")))
    assert purged == {name for name in deployed if "DeadLetters" in name}


def fields(query: str) -> set[str]:
    """The fields that a query of Logs Insights names, without the strings and the names that it makes itself."""
    bare = re.sub(r'"[^"]*"', "", query)
    own = set(re.findall(r" as (\w+)", bare))
    return {word.split(".")[0] for word in re.findall(r"(?<![@\w.])[a-z][\w.]*", bare)} - WORDS - own


def test_queries_name_fields_that_the_log_has(clouds: Clouds) -> None:
    clouds.launch()
    report = as_dict(clouds.plan())
    logged = {"message", "request_id", "release", "text", "hint", "id", "key", *report, *report["changes"][0]}
    assert len(QUERIES) == 5
    assert [fields(query) - logged for query in QUERIES if fields(query) - logged] == []


def test_outcomes_in_queries_are_outcomes() -> None:
    named = {word for query in QUERIES for word in re.findall(r"outcome in \[(.*)\]", query)}
    assert set(re.findall(r'"([\w-]+)"', " ".join(named))) <= set(Outcome)
