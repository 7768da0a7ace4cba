"""`make package`: what is in the zip, what is not, and what is said about it."""

import ast
import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import botocore.session
import pytest
from botocore import xform_name
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

import infra.package
from infra.package import LOCK, Target, described, install
from infra.package_bytecode import interpreter
from infra.package_models import OPERATIONS, cut, reduced
from tests.infra.package.conftest import Product, make_variable
from tests.infra.test_template import FUNCTION

# Building takes long, so that both files share what one worker has built.
pytestmark = pytest.mark.xdist_group("package")

PYTHON = make_variable("LAMBDA_PYTHON")
OURS = {"LICENSE", "controller", "handler.py"}
LIBRARIES = {
    "anyio",
    "botocore",
    "certifi",
    "dateutil",
    "h11",
    "httpcore",
    "httpx",
    "idna",
    "jmespath",
    "six.py",
    "tenacity",
    "typing_extensions.py",
    "urllib3",
}


def content(product: Product, name: str) -> bytes:
    with ZipFile(product.zip) as archive:
        return archive.read(name)


def test_make_builds_for_the_runtime_that_the_template_deploys() -> None:
    assert FUNCTION["Runtime"] == f"python{PYTHON}"
    assert FUNCTION["Architectures"] == [{"aarch64": "arm64", "x86_64": "x86_64"}[make_variable("LAMBDA_ARCHITECTURE")]]


def test_the_zip_holds_our_code_and_the_libraries_and_nothing_else(product: Product) -> None:
    parts = {name.split("/")[0] for name in product.names()} - {"__pycache__"}
    assert {part for part in parts if not part.endswith(".dist-info")} == OURS | LIBRARIES
    assert len([part for part in parts if part.endswith(".dist-info")]) == len(LIBRARIES)


def test_package_leaves_out_what_the_handler_does_not_import(product: Product) -> None:
    ours = {name for name in product.names() if name.startswith("controller/") and name.endswith(".py")}
    assert {"controller/bootstrap.py", "controller/reconcile.py", "controller/rules/records.py"} <= ours
    unwanted = ("controller/cli/", "controller/sandbox", "controller/__main")
    assert not [name for name in ours if name.startswith(unwanted)]


def test_time_zones_that_nobody_asks_for_stay_out(product: Product) -> None:
    assert [name for name in product.names() if name.startswith("dateutil/zoneinfo")] == []


def test_scripts_tests_and_installers_notes_stay_out(product: Product) -> None:
    unwanted = ("bin", "test", "tests", "RECORD", "INSTALLER", "WHEEL")
    assert [name for name in product.names() if set(name.split("/")) & set(unwanted)] == []


def test_each_library_has_its_licence_and_tells_its_version(product: Product) -> None:
    names = product.names()
    for description in {name.split("/")[0] for name in names if ".dist-info/" in name}:
        assert [name for name in names if name.startswith(description) and "LICENSE" in name], description
        assert f"{description}/METADATA" in names


def test_nothing_in_the_zip_is_made_for_one_processor(product: Product) -> None:
    # So what the tests run here is what runs there.
    assert [name for name in product.names() if name.endswith((".so", ".pyd", ".dylib"))] == []


def test_a_files_place_date_and_mode_in_the_zip_never_vary(product: Product) -> None:
    with ZipFile(product.zip) as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {(entry.date_time, entry.external_attr >> 16, entry.create_system) for entry in entries} == {
        ((1980, 1, 1, 0, 0, 0), 0o100644, 3)
    }


def test_size_and_digest_are_said(product: Product) -> None:
    assert f"{product.zip.stat().st_size / 1e6:.2f} MB, for Python {PYTHON} on aarch64" in product.said
    assert hashlib.sha256(product.zip.read_bytes()).hexdigest() in product.said


def test_byte_code_is_packed_only_with_the_runtimes_python_and_said(product: Product) -> None:
    at_hand = interpreter(PYTHON) is not None
    sources = {name for name in product.names() if name.endswith(".py")}
    compiled = {name.replace("__pycache__/", "").split(".")[0] + ".py" for name in product.names() if ".pyc" in name}
    assert compiled == (sources if at_hand else set())
    assert ("With byte-code of Python" in product.said, "NO BYTE-CODE" in product.said) == (at_hand, not at_hand)


def test_a_missing_interpreter_is_said_with_the_remedy(product: Product) -> None:
    assert interpreter("3.99") is None
    assert "Put python3.99 on the PATH" in described(product.zip, Target("3.99", "aarch64"), None)


def test_a_name_on_the_path_that_leads_to_no_interpreter_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = tmp_path / "python3.99"
    stand_in.write_text("#!/bin/sh\nexit 127\n", encoding="utf-8")
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert interpreter("3.99") is None


def test_lock_file_has_no_conditions_on_the_python_version() -> None:
    assert " ; " not in LOCK.read_text(encoding="utf-8")


def test_a_wheel_that_is_not_the_locked_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "lock.txt"
    six = next(line.split()[0] for line in LOCK.read_text(encoding="utf-8").splitlines() if line.startswith("six"))
    lock.write_text(f"{six} --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    monkeypatch.setattr(infra.package, "LOCK", lock)
    with pytest.raises(SystemExit, match=r"Cannot download the wheels in lock\.txt"):
        install(Target(PYTHON, "aarch64"), tmp_path / "package")
    assert not (tmp_path / "package" / "six.py").exists()


# botocore's models


def model_in(product: Product, service: str) -> dict[str, Any]:
    (name,) = (
        name for name in product.names() if name.startswith(f"botocore/data/{service}/") and "/service-2.json" in name
    )
    model: dict[str, Any] = json.loads(content(product, name))
    return model


@cache
def whole_model(service: str) -> dict[str, Any]:
    model: dict[str, Any] = (
        botocore.session.get_session().get_component("data_loader").load_service_model(service, "service-2")
    )
    return model


def named_in(product: Product) -> set[str]:
    """Every attribute that our code in the zip names, methods of clients among them."""
    modules = [name for name in product.names() if name.startswith("controller/") and name.endswith(".py")]
    nodes = (node for name in modules for node in ast.walk(ast.parse(content(product, name))))
    return {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def test_packed_operations_are_exactly_those_that_the_code_calls(product: Product) -> None:
    named = named_in(product)
    for service, operations in OPERATIONS.items():
        assert set(model_in(product, service)["operations"]) == set(operations)
        if service == "sts":
            continue  # botocore itself assumes the role of a cell; tests of the running package see it do so
        known = whole_model(service)["operations"]
        assert {operation for operation in known if xform_name(operation) in named} == set(operations)


def test_code_asks_for_no_paginator_or_waiter_that_is_left_out(product: Product) -> None:
    assert not named_in(product) & {"get_paginator", "get_waiter"}


def shapes(shape: Shape | None, seen: set[str]) -> Iterator[tuple[str, str, object]]:
    """All that botocore serialises and parses by, from this shape on."""
    if shape is None or shape.name in seen:
        return
    seen.add(shape.name)
    yield shape.name, shape.type_name, {**shape.metadata, **shape.serialization}
    match shape:
        case StructureShape():
            inner = list(shape.members.values())
            yield shape.name, "members", [(name, member.serialization) for name, member in shape.members.items()]
        case ListShape():
            inner = [shape.member]
        case MapShape():
            inner = [shape.key, shape.value]
        case _:
            inner = []
    for part in inner:
        yield from shapes(part, seen)


def everything(model: dict[str, Any], service: str, operation: str) -> list[tuple[str, str, object]]:
    known = ServiceModel(model, service).operation_model(operation)
    seen: set[str] = set()
    roots = (known.input_shape, known.output_shape, *known.error_shapes)
    return [("operation", operation, known.http), *(part for root in roots for part in shapes(root, seen))]


@pytest.mark.parametrize(
    ("service", "operation"), [(service, name) for service, names in sorted(OPERATIONS.items()) for name in names]
)
def test_a_cut_model_says_of_an_operation_what_the_whole_one_says(
    product: Product, service: str, operation: str
) -> None:
    cut_down = everything(model_in(product, service), service, operation)
    assert cut_down == everything(whole_model(service), service, operation)
    assert len(cut_down) > 5


def test_the_models_of_all_other_services_and_years_are_gone(product: Product) -> None:
    data = [name.split("/") for name in product.names() if name.startswith("botocore/data/")]
    versions = {tuple(parts[2:4]) for parts in data if len(parts) > 4}
    assert sorted(service for service, _ in versions) == sorted(OPERATIONS)
    assert sum(len(content(product, "/".join(parts))) for parts in data) < 200_000  # of more than twenty million


def test_an_operation_that_botocore_does_not_know_ends_the_build() -> None:
    with pytest.raises(SystemExit, match=r"botocore's model of ec2 has no operation DescribeElephants: correct OPERA"):
        reduced(whole_model("ec2"), "ec2", ("DescribeInstances", "DescribeElephants"))


def test_a_service_that_botocore_does_not_know_ends_the_build(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="botocore has no service dynamodb"):
        cut(tmp_path)


def test_members_may_bear_the_names_of_a_models_own_words() -> None:
    word = {"shape": "Text", "documentation": "…"}
    model = {
        "operations": {"Ask": {"input": {"shape": "Question"}, "documentation": "…"}, "Else": {}},
        "shapes": {
            "Question": {"type": "structure", "members": {"shape": word, "documentation": word}, "documentation": "…"},
            "Text": {"type": "string"},
            "Unused": {"type": "string"},
        },
    }
    assert reduced(model, "invented", ("Ask",)) == {
        "operations": {"Ask": {"input": {"shape": "Question"}}},
        "shapes": {
            "Text": {"type": "string"},
            "Question": {
                "type": "structure",
                "members": {"shape": {"shape": "Text"}, "documentation": {"shape": "Text"}},
            },
        },
    }
