"""The components of a package as a CycloneDX list, and the checksums of a release's files.

From the package itself and not from the lock, which also names what the package leaves out.
"""

import hashlib
import json
import re
import sys
from email.parser import BytesParser
from pathlib import Path
from typing import Any
from zipfile import ZipFile


def main(arguments: list[str] | None = None) -> None:
    """Write the list beside the package, and SHA256SUMS over both."""
    package = Path((arguments or sys.argv[1:])[0])
    bom = package.with_suffix(".cdx.json")
    bom.write_text(json.dumps(components(package), indent=2) + "\n", encoding="utf-8")
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in (bom, package)]
    (package.parent / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")


def components(package: Path) -> dict[str, Any]:
    """Return the package and its libraries in CycloneDX 1.6 (JSON)."""
    found = []
    with ZipFile(package) as archive:
        for entry in sorted(name for name in archive.namelist() if name.endswith(".dist-info/METADATA")):
            metadata = BytesParser().parsebytes(archive.read(entry), headersonly=True)
            name, version = re.sub(r"[-_.]+", "-", metadata["Name"]).lower(), metadata["Version"]
            found.append(
                {
                    "type": "library",
                    "bom-ref": f"pkg:pypi/{name}@{version}",
                    "name": name,
                    "version": version,
                    "purl": f"pkg:pypi/{name}@{version}",
                }
            )
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    subject = {
        "type": "application",
        "bom-ref": package.name,
        "name": package.stem,
        "hashes": [{"alg": "SHA-256", "content": digest}],
    }
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": subject},
        "components": found,
        "dependencies": [{"ref": package.name, "dependsOn": [str(one["bom-ref"]) for one in found]}],
    }


if __name__ == "__main__":
    main()
