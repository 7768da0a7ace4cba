"""What CloudFormation makes of our templates: SAM expanded, conditions decided, references replaced by names and ARNs.

Only as much of CloudFormation as the templates use; what is not known here fails, so that nothing passes unseen.
"""

import json
import re
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from samtranslator.translator.transform import transform  # type: ignore[import-untyped]  # it brings no types

from controller.sandbox.aws import exported

INFRA = Path(__file__).parents[2] / "infra"
REGION, ACCOUNT = "us-west-2", "123456789012"
PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "elephant-dns",
}
# What only the user knows.
GIVEN = {"DomainRoot": "meet.example.com", "ZoneId": "0123456789abcdef" * 2}
NO_VALUE = object()

#: What `Ref` and `Arn` are, by the property that names the resource.
_NAMES = {
    "AWS::DynamoDB::Table": ("TableName", "dynamodb:{region}:{account}:table/{name}"),
    "AWS::Events::Rule": ("Name", "events:{region}:{account}:rule/{name}"),
    "AWS::Lambda::Function": ("FunctionName", "lambda:{region}:{account}:function:{name}"),
    "AWS::Logs::LogGroup": ("LogGroupName", "logs:{region}:{account}:log-group:{name}:*"),
    "AWS::SQS::Queue": ("QueueName", "sqs:{region}:{account}:{name}"),
    "AWS::SecretsManager::Secret": ("Name", "secretsmanager:{region}:{account}:secret:{name}-AbCdEf"),
}


class Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms, such as !Ref, as their long ones (cfn-lint can too, but takes seconds)."""


def _long_form(loader: Loader, name: str, node: yaml.Node) -> dict[str, Any]:
    value: Any = node.value
    if isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    if name == "GetAtt":
        value = node.value.split(".", 1)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


Loader.add_multi_constructor("!", _long_form)


def read(template: str = "template.yaml") -> dict[str, Any]:
    """The template as it is written."""
    content = json.loads(_as_json(template))
    assert isinstance(content, dict)
    return content


@cache
def _as_json(template: str) -> str:
    """The template as JSON, which is read many times faster than YAML."""
    return json.dumps(yaml.load((INFRA / template).read_bytes(), Loader))


@dataclass(frozen=True)
class Stack:
    """A template with parameters: what would be deployed."""

    template: dict[str, Any]
    parameters: dict[str, Any]

    def resources(self, kind: str = "") -> dict[str, dict[str, Any]]:
        """Logical name → properties of the resources of this type that the conditions let in."""
        return {
            name: self.resolve(resource.get("Properties", {}))
            for name, resource in self.template["Resources"].items()
            if kind in ("", resource["Type"]) and self._is_in(resource)
        }

    def only(self, kind: str) -> dict[str, Any]:
        """The properties of the one resource of this type."""
        (properties,) = self.resources(kind).values()
        return properties

    def output(self, name: str) -> Any:
        """An output's value."""
        return self.resolve(self.template["Outputs"][name]["Value"])

    def refusals(self) -> list[str]:
        """What CloudFormation says of these parameters before it does anything; nothing where it takes them."""
        rules = [r for r in self.template.get("Rules", {}).values() if self.holds(r["RuleCondition"])]
        asserted = [one for rule in rules for one in rule["Assertions"]]
        return [one["AssertDescription"] for one in asserted if not self.holds(one["Assert"])]

    def resolve(self, value: Any) -> Any:
        """The value with every function of CloudFormation carried out."""
        match value:
            case dict() if any(key == "Ref" or key.startswith("Fn::") for key in value):
                return self._carried_out(value)
            case dict():
                return {key: done for key, item in value.items() if (done := self.resolve(item)) is not NO_VALUE}
            case list():
                return [done for item in value if (done := self.resolve(item)) is not NO_VALUE]
        return value

    def _carried_out(self, function: dict[str, Any]) -> Any:
        match function:
            case {"Ref": name}:
                return self._referred(name)
            case {"Fn::GetAtt": [name, attribute]}:
                return self._attribute(name, attribute)
            case {"Fn::Sub": [text, values]}:
                return self._substituted(text, self.resolve(values))
            case {"Fn::Sub": str() as text}:
                return self._substituted(text, {})
            case {"Fn::Select": [index, values]}:
                return self.resolve(values)[int(index)]
            case {"Fn::Split": [separator, text]}:
                return str(self.resolve(text)).split(separator)
            case {"Fn::If": [condition, yes, no]}:
                return self.resolve(yes if self.holds({"Condition": condition}) else no)
            case {"Fn::FindInMap": [table, row, column]}:
                return self.template["Mappings"][table][str(self.resolve(row))][column]
        raise NotImplementedError(function)

    def holds(self, condition: Any) -> bool:
        """Whether a condition is met."""
        match condition:
            case {"Condition": name}:
                return self.holds(self.template["Conditions"][name])
            case {"Fn::Equals": [left, right]}:
                return str(self.resolve(left)) == str(self.resolve(right))
            case {"Fn::Not": [other]}:
                return not self.holds(other)
            case {"Fn::And": others}:
                return all(map(self.holds, others))
            case {"Fn::Or": others}:
                return any(map(self.holds, others))
        raise NotImplementedError(condition)

    def _is_in(self, resource: dict[str, Any]) -> bool:
        return "Condition" not in resource or self.holds({"Condition": resource["Condition"]})

    def _referred(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        for known in (PSEUDO, self.parameters):
            if name in known:
                return known[name]
        resource = self.template["Resources"][name]
        if resource["Type"] == "AWS::AppConfig::HostedConfigurationVersion":  # the number that this content gets
            return str(zlib.crc32(self.resolve(resource["Properties"]["Content"]).encode()))
        if resource["Type"] == "AWS::SQS::Queue":
            return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{self._attribute(name, 'QueueName')}"
        key, _ = _NAMES.get(resource["Type"], ("", ""))
        return self.resolve(resource["Properties"].get(key, name))

    def _attribute(self, name: str, attribute: str) -> str:
        resource = self.template["Resources"][name]
        key, arn = _NAMES.get(resource["Type"], ("", "named-by-cloudformation:{name}"))
        physical = self.resolve(resource["Properties"].get(key, name))
        match attribute:
            case "Arn":
                return "arn:aws:" + arn.format(region=REGION, account=ACCOUNT, name=physical)
            case "QueueName":
                return str(physical)
            case "Version":
                return name
        raise NotImplementedError(attribute)

    def _substituted(self, text: str, values: dict[str, Any]) -> str:
        def found(match: re.Match[str]) -> str:
            name, _, attribute = match[1].partition(".")
            return str(values[name] if name in values else self.resolve(_short(name, attribute)))

        return re.sub(r"\$\{([^}]+)\}", found, text)


def _short(name: str, attribute: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [name, attribute]} if attribute else {"Ref": name}


def stack(template: str = "template.yaml", **parameters: str) -> Stack:
    """What would be deployed with these parameters; GIVEN and the defaults for the others."""
    declared = read(template)["Parameters"]
    values = {name: GIVEN.get(name, one.get("Default")) for name, one in declared.items()} | parameters
    return Stack(json.loads(_expanded(template, json.dumps(values))), values)


@cache
def _expanded(template: str, parameters: str) -> str:
    source = read(template)
    if "Transform" not in source:
        return json.dumps(source)
    function = source["Resources"]["ElephantDNSWatchdog"]["Properties"]
    function["CodeUri"] = "s3://packages/elephant-dns-watchdog.zip"  # where `sam deploy` has put it by then
    with exported({"AWS_DEFAULT_REGION": REGION}):
        return json.dumps(transform(source, json.loads(parameters), _NoManagedPolicies()))


class _NoManagedPolicies:
    """The names of AWS's managed policies, which our template does not use; asking AWS for them needs an account."""

    @staticmethod
    def load() -> dict[str, str]:
        raise AssertionError("The template names a managed policy.")
