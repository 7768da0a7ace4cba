"""Write a zip with bytes that depend only on the names and contents of its files."""

from collections import Counter
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

#: The earliest date that a zip can hold.
_DATE = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
#: A plain file that every user may read, because Lambda runs the function as its own user.
_MODE = 0o100644


def write(folder: Path, path: Path) -> None:
    """Zip the folder's files. The old zip stays until the new one is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with ZipFile(part, "w") as archive:
        for name, file in sorted((file.relative_to(folder).as_posix(), file) for file in folder.rglob("*")):
            if file.is_file():
                archive.writestr(_entry(name), file.read_bytes(), compresslevel=9)
    part.replace(path)


def sizes(path: Path) -> Counter[str]:
    """Return the bytes of each top-level part in the zip."""
    found = Counter[str]()
    with ZipFile(path) as archive:
        for entry in archive.infolist():
            found[entry.filename.split("/")[0]] += entry.compress_size
    return found


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name, _DATE)
    entry.create_system, entry.external_attr, entry.compress_type = _UNIX, _MODE << 16, ZIP_DEFLATED
    return entry
