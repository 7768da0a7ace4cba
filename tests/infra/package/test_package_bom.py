"""A release lists the components of its package, and its checksums are right."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from infra.package_bom import RELEASED_LOCK, components, in_package, main
from tests.infra.package.conftest import Product
from tests.project.test_project import lock, pins

pytestmark = pytest.mark.xdist_group("package")

#: Of CycloneDX 1.6's schema what the list uses.
SCHEMA = {
    "type": "object",
    "required": ["bomFormat", "specVersion"],
    "properties": {
        "bomFormat": {"const": "CycloneDX"},
        "specVersion": {"const": "1.6"},
        "version": {"type": "integer", "minimum": 1},
        "components": {
            "items": {
                "required": ["type", "name"],
                "properties": {"type": {"const": "library"}, "purl": {"pattern": "^pkg:pypi/[a-z0-9-]+@[0-9a-z.]+$"}},
            }
        },
        "dependencies": {"items": {"required": ["ref"]}},
    },
}


def test_list_names_what_is_in_the_package_at_its_locked_version(product: Product) -> None:
    found = components(product.zip, in_package(product.zip))
    Draft7Validator(SCHEMA).validate(found)
    listed = {one["name"]: {one["version"]} for one in found["components"]}
    left_out = {"boto3", "s3transfer"}
    assert listed == {name: versions for name, versions in pins(lock("runtime")).items() if name not in left_out}
    assert found["dependencies"][0]["dependsOn"] == [one["bom-ref"] for one in found["components"]]


def test_release_has_package_wheel_lock_lists_and_checksums(product: Product, tmp_path: Path) -> None:
    package, wheel = tmp_path / "package.zip", tmp_path / "a_b-1.0.0-py3-none-any.whl"
    shutil.copyfile(product.zip, package)
    wheel.write_bytes(b"a wheel")
    main([str(package), str(wheel)])
    lines = (tmp_path / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert sums == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in tmp_path.iterdir()
        if path.name != "SHA256SUMS"
    }
    assert len(sums) == 5
    assert (tmp_path / RELEASED_LOCK).read_bytes() == lock("cli").read_bytes()
    for file in (package, wheel):
        bom = json.loads(file.with_suffix(".cdx.json").read_text(encoding="utf-8"))
        Draft7Validator(SCHEMA).validate(bom)
        assert bom["metadata"]["component"]["hashes"][0]["content"] == sums[file.name]
    names = {one["name"] for one in bom["components"]}
    assert ({"boto3", "click", "httpx"} <= names, "hatchling" in names) == (True, False)
