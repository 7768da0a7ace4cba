"""The servers behind TLS, and functions that trust them as they trust AWS and Cloudflare in the real world."""

import ssl
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from controller.sandbox.aws import AwsServer
from controller.sandbox.cloudflare import CloudflareServer
from controller.sandbox.cloudflare.exchange import PREFIX
from controller.sandbox.cloudflare.transport import LOOPBACK, Transport
from controller.sandbox.edge.tls import Authority
from infra.package_certificates import subject_hash


@cache
def authority() -> Authority:
    """The one behind the servers' certificates."""
    return Authority()


class Encrypted:
    """A second way to both servers, with TLS; the first stays as it is."""

    def __init__(self, aws: AwsServer, cloudflare: CloudflareServer) -> None:
        context = authority().context(LOOPBACK)
        self._transports = [Transport(server._respond, context) for server in (aws, cloudflare)]

    def close(self) -> None:
        """End it."""
        for transport in self._transports:
            transport.close()

    def environment(self) -> dict[str, str]:
        """Return the variables that lead to these."""
        aws, cloudflare = (f"https://{LOOPBACK}:{transport.port}" for transport in self._transports)
        return {"AWS_ENDPOINT_URL": aws, "CLOUDFLARE_BASE_URL": cloudflare + PREFIX}


def add_to_package(folder: Path) -> None:
    """Let our package trust the servers, beside all others."""
    pem, certificates = authority().certificate, folder / "controller" / "certificates"
    with (certificates / "aws.pem").open("ab") as file:
        file.write(pem)
    (certificates / "all" / f"{subject_hash(ssl.PEM_cert_to_DER_cert(pem.decode()))}.0").write_bytes(pem)


def add_to_certifi(folder: Path) -> Mapping[str, str]:
    """Let the naive function trust the servers. Returns its environment.

    botocore reads certifi's bundle. urllib3 by itself reads the system's, which is about as large.
    """
    bundle = folder / "certifi" / "cacert.pem"
    with bundle.open("ab") as file:
        file.write(authority().certificate)
    return {"SSL_CERT_FILE": str(bundle)}


def for_anyone() -> Mapping[str, str]:
    """Return an environment that makes any function trust these servers alone."""
    return {"AWS_CA_BUNDLE": _file().name, "SSL_CERT_FILE": _file().name}


@cache
def _file() -> IO[bytes]:
    """The authority's certificate as a file, which is there as long as this process."""
    file: IO[bytes] = NamedTemporaryFile(suffix=".pem")  # noqa: SIM115  # open for as long as the docstring says
    file.write(authority().certificate)
    file.flush()
    return file
