"""Authorities as others make them: by openssl in each string type, easy-rsa, Go and GnuTLS, each with a leaf."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

__all__ = ["EASY_RSA", "MAKERS", "Foreign", "made_by", "openssl"]

EASY_RSA = Path("/usr/share/easy-rsa/easyrsa")
"""Where Debian's package easy-rsa has its script."""

_GO_AUTHORITY = Path(__file__).parent / "go_authority"
_TIMEOUT_SECONDS = 120

_OPENSSL = """
[req]
distinguished_name = nothing
string_mask = {mask}
utf8 = yes
x509_extensions = authority
[nothing]
[authority]
{extensions}
subjectKeyIdentifier = hash
authorityKeyIdentifier = {identifier}
[leaf]
basicConstraints = CA:FALSE
keyUsage = digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = {identifier}
subjectAltName = DNS:before.example.org
"""

_AUTHORITY_TEMPLATE = """
cn = "GnuTLS CA"
organization = "Example"
unit = "Mail"
expiration_days = 100
ca
cert_signing_key
crl_signing_key
"""

_LEAF_TEMPLATE = """
cn = "before.example.org"
dns_name = "before.example.org"
expiration_days = 60
signing_key
tls_www_server
tls_www_client
"""


@dataclass(frozen=True, slots=True)
class Foreign:
    """An authority that was made elsewhere: certificate, key, and a certificate that it signed, each PEM."""

    certificate_pem: str
    private_key_pem: str = field(repr=False)
    leaf_pem: str


def made_by(maker: str | Callable[[Path], None], directory: Path) -> Foreign:
    """Let a maker, or one of `MAKERS` by name, make an authority in an empty directory."""
    (MAKERS[maker] if isinstance(maker, str) else maker)(directory)
    names = ("ca.pem", "ca.key", "leaf.pem")
    return Foreign(*((directory / name).read_text() for name in names))


def _run(directory: Path, *command: str, **environment: str) -> None:
    subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
        timeout=_TIMEOUT_SECONDS,
    )


def openssl(
    *,
    mask: str = "utf8only",
    identifier: str = "keyid:always",
    subject: str = "/C=DE/O=Example/CN=OpenSSL CA",
    extensions: Mapping[str, str] = MappingProxyType({}),
) -> Callable[[Path], None]:
    """Return a maker: `mask` is the string_mask of openssl.cnf, `identifier` its authorityKeyIdentifier.

    `extensions`: of the authority, in the words of openssl.cnf, instead of or beside the usual ones.
    """

    def make(directory: Path) -> None:
        usual = {"basicConstraints": "critical, CA:TRUE", "keyUsage": "critical, keyCertSign, cRLSign"}
        lines = "\n".join(f"{name} = {value}" for name, value in (usual | dict(extensions)).items())
        config = _OPENSSL.format(mask=mask, identifier=identifier, extensions=lines)
        (directory / "openssl.cnf").write_text(config)
        new = ("-newkey", "rsa:2048", "-nodes", "-config", "openssl.cnf")
        _run(
            directory,
            *("openssl", "req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.pem"),
            *("-days", "100", "-subj", subject),
        )
        _run(
            directory,
            *("openssl", "req", "-new", *new, "-keyout", "leaf.key", "-out", "leaf.csr"),
            *("-subj", "/CN=before.example.org"),
        )
        _run(
            directory,
            *("openssl", "x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"),
            *("-days", "60", "-out", "leaf.pem", "-extfile", "openssl.cnf", "-extensions", "leaf"),
        )

    return make


def _easy_rsa(directory: Path) -> None:
    """Run easy-rsa in its mode `org`, in which the subject ends with an e-mail address."""
    shutil.copytree(EASY_RSA.parent, directory / "easy-rsa", symlinks=False)
    settings = {
        "EASYRSA_BATCH": "1",
        "EASYRSA_DN": "org",
        "EASYRSA_REQ_COUNTRY": "DE",
        "EASYRSA_REQ_PROVINCE": "Bavaria",
        "EASYRSA_REQ_CITY": "Munich",
        "EASYRSA_REQ_ORG": "Example",
        "EASYRSA_REQ_OU": "IT",
        "EASYRSA_REQ_EMAIL": "ca@example.org",
        "EASYRSA_REQ_CN": "Easy-RSA CA",
        "EASYRSA_CA_EXPIRE": "100",
        "EASYRSA_CERT_EXPIRE": "60",
    }
    for command in (["init-pki"], ["build-ca", "nopass"]):
        _run(directory / "easy-rsa", "./easyrsa", *command, **settings)
    leaf = {name: value for name, value in settings.items() if name != "EASYRSA_REQ_CN"}
    names = "--subject-alt-name=DNS:before.example.org"
    _run(directory / "easy-rsa", "./easyrsa", names, "build-serverClient-full", "before.example.org", "nopass", **leaf)
    made = directory / "easy-rsa/pki"
    leaf_file = "issued/before.example.org.crt"
    for source, name in (("ca.crt", "ca.pem"), ("private/ca.key", "ca.key"), (leaf_file, "leaf.pem")):
        shutil.copy(made / source, directory / name)


def _go(directory: Path) -> None:
    environment = {"GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    _run(_GO_AUTHORITY, "go", "run", ".", str(directory), **environment)


def _gnutls(directory: Path) -> None:
    (directory / "ca.template").write_text(_AUTHORITY_TEMPLATE)
    (directory / "leaf.template").write_text(_LEAF_TEMPLATE)
    for key in ("ca.key", "leaf.key"):
        _run(directory, "certtool", "--generate-privkey", "--key-type", "ecdsa", "--outfile", key)
    signed = ("--load-privkey", "ca.key", "--template", "ca.template", "--outfile", "ca.pem")
    _run(directory, "certtool", "--generate-self-signed", *signed)
    issuer = ("--load-ca-certificate", "ca.pem", "--load-ca-privkey", "ca.key")
    leaf = ("--load-privkey", "leaf.key", "--template", "leaf.template", "--outfile", "leaf.pem")
    _run(directory, "certtool", "--generate-certificate", *issuer, *leaf)


MAKERS: Mapping[str, Callable[[Path], None]] = {
    "openssl UTF8String": openssl(),
    "openssl PrintableString": openssl(mask="nombstr", identifier="keyid:always,issuer:always"),
    "openssl BMPString": openssl(mask="MASK:0x0800"),
    "openssl T61String": openssl(mask="MASK:0x0004"),
    "openssl e-mail, two OUs, no order": openssl(
        subject="/CN=Example CA/OU=IT/OU=Mail/emailAddress=ca@example.org/DC=example/DC=org/C=de"
    ),
    "openssl multi-valued": openssl(subject="/C=DE/O=Example+OU=Mail/CN=Example CA+serialNumber=7"),
    "openssl no common name": openssl(subject="/O=Example Mail/OU=Certificate Authority"),
    "easy-rsa": _easy_rsa,
    "Go": _go,
    "GnuTLS": _gnutls,
}
"""By name, what makes an authority and a leaf in a directory: ca.pem, ca.key, leaf.pem."""
