"""Few authorities are read at a start, and whom the function trusts stays the same."""

import shutil
import ssl
import subprocess
from pathlib import Path

import certifi
import pytest
import trustme
from botocore.session import Session

from controller import trust
from infra.package_certificates import AWS_ROOTS, sort, subject_hash
from tests.infra.package.conftest import Product
from tests.support.certificates import self_signed

BUNDLE = Path(certifi.where())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    sort(BUNDLE, folder)
    return folder


def der(file: Path) -> list[bytes]:
    """The certificates in a file, in binary form, in their order."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(file)
    return context.get_ca_certs(binary_form=True)


def test_every_authority_of_the_bundle_is_there_and_no_other(folder: Path) -> None:
    assert sorted(one for file in (folder / "all").iterdir() for one in der(file)) == sorted(der(BUNDLE))


def test_names_of_the_files_are_those_that_openssl_computes(folder: Path) -> None:
    if not (openssl := shutil.which("openssl")):
        pytest.skip("openssl is not installed")
    for file in (folder / "all").iterdir():
        shown = subprocess.run([openssl, "x509", "-hash", "-noout", "-in", file], capture_output=True, check=True)
        assert file.name == f"{shown.stdout.decode().strip()}.0"


def test_file_for_aws_has_amazons_authorities_alone(folder: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(folder / "aws.pem")
    names = {dict(part[0] for part in one["subject"])["commonName"] for one in context.get_ca_certs()}  # type: ignore[misc]  # the stubs leave the shape open
    assert names == set(AWS_ROOTS)


def test_bundle_without_one_of_amazons_ends_the_build(tmp_path: Path) -> None:
    bundle = tmp_path / "cacert.pem"
    bundle.write_text(BUNDLE.read_text("utf-8").replace("Amazon Root CA 3", "Another Root"))
    with pytest.raises(SystemExit, match=r"cacert.pem lacks Amazon Root CA 3: lock another certifi"):
        sort(bundle, tmp_path / "certificates")


@pytest.mark.parametrize("name", ["Plain", "  Two  SPACES\tand a tab ", "Ünïcode Ä", "x" * 60])
def test_authority_of_any_name_is_found_by_its_hash(tmp_path: Path, name: str) -> None:
    authority = trustme.CA(organization_name=name, organization_unit_name=name)
    pem = authority.cert_pem.bytes().decode()
    (tmp_path / f"{subject_hash(ssl.PEM_cert_to_DER_cert(pem))}.0").write_text(pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("a.test").configure_cert(server)
    shake_hands(ssl.create_default_context(capath=tmp_path), server)


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> None:
    """Complete a handshake in memory. Raises SSLError where the client does not trust the server."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [client.wrap_bio(back, there, server_hostname="a.test"), server.wrap_bio(there, back, server_side=True)]
    for _ in range(3):
        for side in list(sides):
            try:
                side.do_handshake()
                sides.remove(side)
            except ssl.SSLWantReadError:
                continue
    assert not sides


def test_authority_in_the_environment_counts_alone(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, mine = self_signed(tmp_path)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    assert trust.for_http(folder).get_ca_certs() == [], "the folder is read when a server answers"
    assert len(trust.for_http(tmp_path).get_ca_certs()) == len(der(BUNDLE))
    monkeypatch.setenv("SSL_CERT_FILE", str(mine))
    assert trust.for_http(folder).get_ca_certs(binary_form=True) == der(mine)


@pytest.mark.parametrize(
    ("region", "named", "is_used"),
    [
        ("us-west-2", "", True),
        ("us-gov-west-1", "", True),
        ("cn-north-1", "", False),
        ("us-iso-east-1", "", False),
        ("eusc-de-east-1", "", False),
        ("nowhere", "", False),
        ("us-west-2", "AWS_CA_BUNDLE", False),
        ("us-west-2", "REQUESTS_CA_BUNDLE", False),
    ],
)
def test_amazons_authorities_count_where_aws_uses_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch, region: str, named: str, is_used: bool
) -> None:
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    if named:
        monkeypatch.setenv(named, "mine.pem")
    assert trust.for_aws(Session(), region, folder) == (str(folder / "aws.pem") if is_used else None)
    assert trust.for_aws(Session(), region, folder / "all") is None, "outside the package botocore chooses"


def test_package_has_both(product: Product) -> None:
    names = product.names()
    assert "controller/certificates/aws.pem" in names
    assert sum(name.startswith("controller/certificates/all/") for name in names) == len(der(BUNDLE))


def test_client_without_encryption_trusts_nobody(tmp_path: Path) -> None:
    context = trust.nobody()
    assert (context.verify_mode, context.check_hostname, context.get_ca_certs()) == (ssl.CERT_REQUIRED, True, [])
    server, _ = self_signed(tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(context, server)
