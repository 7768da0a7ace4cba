"""The components of a release as CycloneDX lists, and the checksums of its files.

The package's list is from the package itself and not from the lock, which also names what the package leaves out. A
wheel holds no library: its list is from the lock that is released beside it.
"""

import hashlib
import json
import re
import sys
from collections.abc import Iterable
from email.parser import BytesParser
from pathlib import Path
from typing import Any
from zipfile import ZipFile

REQUIREMENTS = Path(__file__).parents[1] / "requirements"
#: What the lock of the command line is called in a release.
RELEASED_LOCK = "requirements-cli.txt"


def main(arguments: list[str] | None = None) -> None:
    """Write the list beside package and wheel, the wheel's lock, and SHA256SUMS over all of them."""
    package, wheel = map(Path, arguments or sys.argv[1:])
    lock = package.with_name(RELEASED_LOCK)
    lock.write_bytes((REQUIREMENTS / "cli.txt").read_bytes())
    files = [lock, package, wheel]
    for file, found in ((package, in_package(package)), (wheel, in_lock("cli") - in_lock("build"))):
        bom = file.with_suffix(".cdx.json")
        bom.write_text(json.dumps(components(file, found), indent=2) + "\n", encoding="utf-8")
        files.append(bom)
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(files)]
    (package.parent / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")


def in_package(package: Path) -> set[tuple[str, str]]:
    """Return name and version of each library in the package."""
    with ZipFile(package) as archive:
        described = [archive.read(name) for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    all_metadata = [BytesParser().parsebytes(each, headersonly=True) for each in described]
    return {(re.sub(r"[-_.]+", "-", one["Name"]).lower(), str(one["Version"])) for one in all_metadata}


def in_lock(name: str) -> set[tuple[str, str]]:
    """Return name and version of each package in a lock."""
    text = (REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))


def components(file: Path, found: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the file and its libraries in CycloneDX 1.6 (JSON)."""
    libraries = [
        {
            "type": "library",
            "bom-ref": f"pkg:pypi/{name}@{version}",
            "name": name,
            "version": version,
            "purl": f"pkg:pypi/{name}@{version}",
        }
        for name, version in sorted(found)
    ]
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    subject = {
        "type": "application",
        "bom-ref": file.name,
        "name": file.stem,
        "hashes": [{"alg": "SHA-256", "content": digest}],
    }
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": subject},
        "components": libraries,
        "dependencies": [{"ref": file.name, "dependsOn": [one["bom-ref"] for one in libraries]}],
    }


if __name__ == "__main__":
    main()
