"""Whom connections trust: as the environment says, else authorities of certifi's bundle.

Python reads all of a bundle for each connection that botocore opens, and once for httpx: 20 to 40 ms of a whole
processor each time, and the function has a part of one. ``make package`` sorts certifi's authorities into the folder
below, so that few are read (``infra/package_certificates.py``). Only the package has it.
"""

import os
import ssl
from pathlib import Path

import httpx
from botocore.exceptions import UnknownRegionError
from botocore.session import Session

_PACKAGED = Path(__file__).with_name("certificates")
#: The partitions with endpoints behind Amazon Trust Services. China and the isolated ones may have other authorities.
_PARTITIONS = ("aws", "aws-us-gov")


def for_http(folder: Path = _PACKAGED) -> ssl.SSLContext:
    """Return whom the HTTP client trusts: SSL_CERT_FILE or SSL_CERT_DIR, else every authority of certifi's."""
    if os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR") or not (folder / "all").is_dir():
        return httpx.create_ssl_context()
    return ssl.create_default_context(capath=folder / "all")


def for_aws(session: Session, region: str, folder: Path = _PACKAGED) -> str | None:
    """Return the file with the authorities behind AWS's endpoints (Amazon Trust Services: root certificates).

    None leaves the choice to botocore: where AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE or the profile names a bundle, in
    partitions where AWS may use other authorities, and outside the package.
    """
    file = folder / "aws.pem"
    is_named = session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
    return str(file) if not is_named and file.is_file() and _partition(session, region) in _PARTITIONS else None


def _partition(session: Session, region: str) -> str:
    try:
        return session.get_partition_for_region(region)
    except UnknownRegionError:
        return ""


def nobody() -> ssl.SSLContext:
    """Return a context for a client without encryption: it reads no authority, and would refuse any server."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
