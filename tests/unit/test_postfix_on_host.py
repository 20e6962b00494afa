"""What is made of a host's own certificate files: where Postfix reads them, what is in them, and what is wrong."""

import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from hypothesis import given
from hypothesis import strategies as st

from postfix.deploy.sessions.local import LocalSession
from postfix.host import HostDeclaration, OnHost, ServerSide
from postfix.on_host import (
    CertificateOnHost,
    Sighting,
    Source,
    certificate_on_host,
    fault_of_other_files,
    faults_at,
    files_of,
    sentences_of,
    sources_of,
)
from postfix.public_file import PUBLIC_KEY, PublicFile, pem_blocks, public_file
from postfix.settings import ServerSettings
from postfix.sighting import sight
from tests.support.test_authority import Credential, ThrowAwayAuthority

NAME = "mx1.example.org"
AUTHORITY = ThrowAwayAuthority("A public authority")
SERVER = AUTHORITY.issue_server(NAME)
RSA = AUTHORITY.issue_server(NAME, has_rsa_key=True)
NOW = datetime.now(UTC)
WANTED = CertificateOnHost(public_names=(NAME,))


def seen(source: Source, texts: Mapping[str, str], declared: CertificateOnHost = WANTED) -> Sighting:
    """Return what is made of files with these texts."""
    return sight(declared, [source], {path: public_file(path, text) for path, text in texts.items()})


def chain(*texts: str) -> Sighting:
    """Return what is made of chain files with these texts, in this order."""
    files = {f"/etc/ssl/{index}.pem": text for index, text in enumerate(texts)}
    return seen(Source(tuple(files)), files)


def pair(key: str, certificate: str) -> Sighting:
    """Return what is made of a key file and a certificate file."""
    return seen(Source(("/key.pem", "/cert.pem"), is_pair=True), {"/key.pem": key, "/cert.pem": certificate})


@pytest.mark.parametrize(
    ("parameters", "sources"),
    [
        ({}, ()),
        ({"smtpd_tls_chain_files": "/a, /b /c"}, (Source(("/a", "/b", "/c")),)),
        ({"smtpd_tls_chain_files": "/a", "smtpd_tls_cert_file": "/b"}, (Source(("/a",)),)),
        ({"smtpd_tls_cert_file": "/b", "smtpd_tls_key_file": "/k"}, (Source(("/k", "/b"), is_pair=True),)),
        ({"smtpd_tls_cert_file": "/b"}, (Source(("/b", "/b"), is_pair=True),)),
        ({"smtpd_tls_cert_file": "none", "smtpd_tls_key_file": "none"}, ()),
        (
            {
                "smtpd_tls_cert_file": "/rsa",
                "smtpd_tls_key_file": "/rsa",
                "smtpd_tls_eccert_file": "/ec",
                "smtpd_tls_eckey_file": "/eckey",
            },
            (Source(("/rsa", "/rsa"), is_pair=True), Source(("/eckey", "/ec"), is_pair=True)),
        ),
    ],
)
def test_certificates_are_looked_for_where_postfix_reads_them(
    parameters: dict[str, str], sources: tuple[Source, ...]
) -> None:
    """Chain files win over pairs; a pair without a key file has its key in the certificate's; `none` is none."""
    assert sources_of(parameters) == sources


def test_of_a_pair_key_and_certificate_may_stand_in_any_order() -> None:
    """Postfix looks for each in its own file, and passes over the rest."""
    both = SERVER.certificate_pem + SERVER.private_key_pem
    for sighting in (pair(both, both), pair(SERVER.private_key_pem, SERVER.certificate_pem)):
        assert [each.fingerprint_sha256 for each in sighting.certificates] == [SERVER.fingerprint_sha256]
        assert [*faults_at(sighting, NOW)] == []


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ([SERVER.certificate_pem, SERVER.private_key_pem], "the private key must stand first"),
        ([SERVER.private_key_pem], "no certificate behind the private key"),
        ([SERVER.private_key_pem, RSA.private_key_pem + RSA.certificate_pem], "no certificate behind"),
        ([RSA.private_key_pem, SERVER.certificate_pem], "does not belong to the private key"),
        ([""], "holds neither a key nor a certificate"),
        (["-----BEGIN CERTIFICATE-----\nMIIB"], "a block of PEM without its end"),
        ([SERVER.private_key_pem[:60]], "a block of PEM without its end"),
        (["-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"], "a private key that cannot be read"),
        ([SERVER.private_key_pem + SERVER.certificate_pem * 40], "more than 32 certificates"),
        (
            [SERVER.chain_pem, AUTHORITY.issue_server(NAME).chain_pem],
            "two certificates with ECDSA keys; Postfix serves the last",
        ),
    ],
)
def test_what_postfix_would_turn_tls_off_over_is_a_fault(texts: list[str], words: str) -> None:
    """It only writes a line to its log; the two good chains below are the positive control."""
    faults = chain(*texts).faults
    assert any(words in fault for fault in faults)
    assert [fault for fault in faults if "PRIVATE" in fault] == []


@pytest.mark.parametrize(
    "texts", [[SERVER.chain_pem], [SERVER.private_key_pem, SERVER.certificate_pem + RSA.chain_pem]]
)
def test_good_chains_are_none(texts: list[str]) -> None:
    """Key and certificate may be two files, and one file may have several chains."""
    sighting = chain(*texts)
    assert (sighting.faults, sighting.warnings) == ((), ())
    assert [*faults_at(sighting, NOW)] == []


@pytest.mark.parametrize("curve", [ec.SECP521R1(), ec.SECP256K1()], ids=["P-521", "secp256k1"])
def test_keys_that_we_never_make_are_read_all_the_same(curve: ec.EllipticCurve) -> None:
    """They are the host's own affair."""
    key = ec.generate_private_key(curve)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    assert (
        public_file("/key.pem", f"-----BEGIN EC PARAMETERS-----\nBggq\n-----END EC PARAMETERS-----\n{pem}").fault == ""
    )


def test_a_key_with_a_passphrase_is_a_fault() -> None:
    """Postfix starts without anybody who could type it."""
    key = load_pem_private_key(SERVER.private_key_pem.encode(), None)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"hush")).decode()
    assert "with a passphrase" in public_file("/key.pem", pem).fault


@given(before=st.text(max_size=50), after=st.text(max_size=50))
def test_no_private_key_passes(before: str, after: str) -> None:
    """Whatever stands around it: of each key there is the public half, or a fault."""
    file = public_file("/key.pem", f"{before}\n{SERVER.chain_pem}\n{after}")
    assert "PRIVATE KEY" not in file.pem
    assert SERVER.private_key_pem.splitlines()[1] not in file.pem + file.fault
    assert file.fault or [label for label, _ in pem_blocks(file.pem)] == [PUBLIC_KEY, "CERTIFICATE"]


@given(st.text(alphabet="-BEGIND KY\n", max_size=400))
def test_any_text_is_read(text: str) -> None:
    """Nothing that stands in a file ends in a traceback."""
    assert public_file("/key.pem", text).fault


@pytest.mark.parametrize(
    ("name", "words"),
    [("mx1.example.org", ""), ("smtp.example.org", "is not covered"), ("MX1.Example.org", "")],
)
def test_the_certificate_is_for_the_public_names(name: str, words: str) -> None:
    """Each of them, in any case."""
    sighting = seen(Source(("/a",)), {"/a": SERVER.chain_pem}, CertificateOnHost(public_names=(name,)))
    assert words in "".join(sighting.faults)
    assert bool(sighting.faults) is bool(words)


def test_dates_are_judged_when_somebody_asks() -> None:
    """To the second: what was seen is the same before and after."""
    sighting = chain(SERVER.chain_pem)
    (certificate,) = sighting.certificates
    end, begin = certificate.validity.not_after, certificate.validity.not_before
    assert [*faults_at(sighting, end)] == [*faults_at(sighting, begin)] == []
    assert "expired at" in next(faults_at(sighting, end + timedelta(seconds=1)))
    assert "is not valid before" in next(faults_at(sighting, begin - timedelta(seconds=1)))


def test_a_root_at_the_end_of_the_chain_is_nothing_to_say() -> None:
    """Many have it there, and no client minds; what does not fit is told, and refuses nothing."""
    assert chain(SERVER.chain_pem + AUTHORITY.certificate_pem).warnings == ()
    stray = chain(SERVER.chain_pem + ThrowAwayAuthority("Nobody").issue_client("stray").certificate_pem)
    assert stray.faults == ()
    assert stray.warnings


@pytest.mark.parametrize("found", [(), (Source(("/a", "/b")),), (Source(("/b", "/a"), is_pair=True),)])
def test_what_main_cf_serves_is_compared_with_what_is_declared(found: tuple[Source, ...]) -> None:
    """In any order, by any parameter; nothing at all would be no TLS."""
    assert bool(fault_of_other_files(CertificateOnHost(chain_files=("/a", "/b")), found)) is not bool(found)
    assert fault_of_other_files(CertificateOnHost(chain_files=("/c",)), found)
    assert bool(fault_of_other_files(CertificateOnHost(), found)) is not bool(found)
    assert files_of(found) == tuple(dict.fromkeys(path for each in found for path in each.files))


def test_who_may_not_read_cannot_tell() -> None:
    """That is no fault, and nothing is said of what could be read."""
    hidden = PublicFile("/key.pem", is_hidden=True)
    files = {"/key.pem": hidden, "/cert.pem": public_file("/cert.pem", SERVER.certificate_pem)}
    sighting = sight(WANTED, [Source(("/key.pem", "/cert.pem"), is_pair=True)], files)
    assert sighting == Sighting(declared=WANTED, cannot_tell="only root may read /key.pem")
    assert [*sentences_of(sighting)] == ["cannot tell what certificate the host serves: only root may read /key.pem"]


def test_two_looks_are_alike_whenever_they_were() -> None:
    """What was seen is compared, and not when."""
    sighting = chain(SERVER.chain_pem)
    assert replace(sighting, seen_at=NOW).is_like(sighting)
    assert not chain(RSA.chain_pem).is_like(sighting)


def write(path: Path, credential: Credential, mode: int) -> str:
    """Write a chain with a mode and return its path."""
    credential.write_chain(path).chmod(mode)
    return str(path)


def test_a_key_that_everybody_may_read_is_told(tmp_path: Path) -> None:
    """Postfix says nothing about it; a certificate may be read by all."""
    session = LocalSession(tmp_path)
    closed, opened = write(tmp_path / "a", SERVER, 0o600), write(tmp_path / "b", SERVER, 0o644)
    (tmp_path / "c").write_text(SERVER.certificate_pem)
    files = {path: session.read_public(path) for path in (closed, opened, str(tmp_path / "c"))}
    assert [path for path, file in files.items() if file.is_open] == [opened]
    assert "every user of the host may read" in sight(WANTED, [Source((opened,))], {opened: files[opened]}).warnings[0]


@pytest.mark.parametrize("kind", ["missing", "below a file", "directory", "pipe", "device", "large", "loop"])
def test_a_file_that_is_none_is_a_fault_and_nothing_waits(kind: str, tmp_path: Path) -> None:
    """Whatever lies there in place of it."""
    path = tmp_path / "chain.pem"
    if kind == "below a file":
        path.touch()
        path /= "x"
    elif kind == "directory":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = Path("/dev/zero")
    elif kind == "large":
        path.write_bytes(b"-" * (2 * 1024 * 1024 + 1))
    elif kind == "loop":
        path.symlink_to(path)
    file = LocalSession(tmp_path).read_public(str(path))
    assert file.fault
    assert not file.is_hidden


# Everything is loaded first: the interpreter may lie where the other user may not read.
READ_AS_ANOTHER = """
import os, sys
from pathlib import Path
from postfix.deploy.sessions.local import LocalSession
session, uid = LocalSession(Path("/")), int(sys.argv[1])
os.setgroups([]); os.setgid(uid); os.setuid(uid)
for path in sys.argv[2:]:
    file = session.read_public(path)
    print(file.is_hidden, bool(file.fault))
"""


@pytest.mark.needs_root
def test_a_preview_without_roots_rights_cannot_tell() -> None:
    """A key that it may not read is hidden, not broken; a certificate it reads, and what is missing is missing."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        key = write(directory / "key.pem", SERVER, 0o600)
        (directory / "cert.pem").write_text(SERVER.certificate_pem)
        nobody = str(pwd.getpwnam("nobody").pw_uid)
        paths = [key, str(directory / "cert.pem"), str(directory / "missing.pem")]
        done = subprocess.run([sys.executable, "-c", READ_AS_ANOTHER, nobody, *paths], capture_output=True, check=False)
    assert done.stderr == b""
    assert done.stdout.decode().splitlines() == ["True False", "False False", "False True"]


def test_what_is_looked_for_are_the_files_that_a_host_declares() -> None:
    """And nothing where it serves ours."""
    files = ("/etc/ssl/mx1/privkey.pem", "/etc/ssl/mx1/fullchain.pem")
    host = HostDeclaration("mx1", NAME, server=ServerSide(ServerSettings(), on_host=OnHost(files)))
    wanted = certificate_on_host(host)
    assert wanted is not None
    assert wanted.chain_files == files
    assert certificate_on_host(replace(host, server=ServerSide(ServerSettings(), ("mx1",)))) is None
