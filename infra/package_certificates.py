"""Sort the certificate authorities of the package so that a start reads few of them.

``controller/trust.py`` says why, and chooses. All are authorities of certifi's bundle.

* ``aws.pem``: those behind AWS's endpoints (Amazon Trust Services: the roots to trust).
* ``all/``: every one, in the form in which OpenSSL finds the one that it needs (OpenSSL: X509_LOOKUP_hash_dir).
"""

import hashlib
import re
import ssl
from collections.abc import Iterator
from pathlib import Path

#: As certifi labels them: https://www.amazontrust.com/repository/ lists these five.
AWS_ROOTS = (
    "Amazon Root CA 1",
    "Amazon Root CA 2",
    "Amazon Root CA 3",
    "Amazon Root CA 4",
    "Starfield Services Root Certificate Authority - G2",
)
_ENTRY = re.compile(
    r'^# Label: "(?P<label>[^"]*)"$.*?(?P<pem>^-----BEGIN CERTIFICATE-----$.*?^-----END CERTIFICATE-----$)', re.M | re.S
)
#: DER: a sequence, a set, a version's tag, and the kinds of text that OpenSSL compares without regard to case.
_SEQUENCE, _SET, _VERSION, _UTF8 = 0x30, 0x31, 0xA0, 0x0C
_TEXTS = {
    0x0C: "utf-8",
    0x13: "latin-1",
    0x14: "latin-1",
    0x16: "latin-1",
    0x1A: "latin-1",
    0x1C: "utf-32-be",
    0x1E: "utf-16-be",
}


def sort(bundle: Path, folder: Path) -> None:
    """Write both forms into the folder. Raises SystemExit if the bundle lacks one of AWS's authorities."""
    found = {match["label"]: match["pem"] for match in _ENTRY.finditer(bundle.read_text("utf-8"))}
    if missing := sorted(set(AWS_ROOTS) - found.keys()):
        raise SystemExit(
            f"{bundle.name} lacks {', '.join(missing)}: lock another certifi, or correct AWS_ROOTS in {__name__}."
        )
    everything = folder / "all"
    everything.mkdir(parents=True)
    (folder / "aws.pem").write_text("".join(f"{found[label]}\n" for label in AWS_ROOTS))
    for pem in found.values():
        name = subject_hash(ssl.PEM_cert_to_DER_cert(pem))
        number = sum(1 for _ in everything.glob(f"{name}.*"))
        (everything / f"{name}.{number}").write_text(f"{pem}\n")


def subject_hash(certificate: bytes) -> str:
    """Return the name under which OpenSSL looks for this certificate, as ``openssl x509 -hash`` prints it."""
    digest = hashlib.sha1(_canonical(_subject(certificate)), usedforsecurity=False).digest()
    return f"{int.from_bytes(digest[:4], 'little'):08x}"


def _subject(certificate: bytes) -> bytes:
    """Return the content of the subject's name (RFC 5280, 4.1: the sixth field; without a version the fifth)."""
    ((_, whole),) = _parts(certificate)
    fields = list(_parts(next(_parts(whole))[1]))
    return fields[5 if fields[0][0] == _VERSION else 4][1]


def _canonical(name: bytes) -> bytes:
    """Return the name as OpenSSL compares it: text in lower case with single spaces (OpenSSL: x509_name_canon)."""
    return b"".join(_encoded(_SET, b"".join(_attribute(pair) for _, pair in _parts(part))) for _, part in _parts(name))


def _attribute(pair: bytes) -> bytes:
    (oid_tag, oid), (tag, value) = _parts(pair)
    if tag in _TEXTS:
        text = " ".join(re.split(r"[ \t\n\v\f\r]+", value.decode(_TEXTS[tag]).strip(" \t\n\v\f\r")))
        tag, value = _UTF8, re.sub("[A-Z]", lambda letter: letter[0].lower(), text).encode()
    return _encoded(_SEQUENCE, _encoded(oid_tag, oid) + _encoded(tag, value))


def _parts(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and content of each part, one after the other."""
    while content:
        tag, size, start = content[0], content[1], 2
        if size & 0x80:
            start += size & 0x7F
            size = int.from_bytes(content[2:start], "big")
        yield tag, content[start : start + size]
        content = content[start + size :]


def _encoded(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content
