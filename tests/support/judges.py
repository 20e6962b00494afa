"""Independent judges of certificates, archives and CRLs, which know nothing of us: openssl, pkilint and zlint."""

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pkilint import loader, pkix  # type: ignore[import-untyped]
from pkilint.pkix import certificate, crl, extension, name  # type: ignore[import-untyped]
from pkilint.validation import ValidationFindingSeverity  # type: ignore[import-untyped]

from toolchain.go_tools import ZLINT, built_tool

__all__ = [
    "Finding",
    "LintRole",
    "Purpose",
    "Verdict",
    "openssl_crl_text",
    "openssl_crl_verify",
    "openssl_fingerprint",
    "openssl_pkcs12_info",
    "openssl_public_key_fingerprint",
    "openssl_verify_path",
    "openssl_verify_strict",
    "pkilint_findings",
    "zlint_findings",
]

_REPOSITORY = Path(__file__).parents[2]

_ZLINT_SOURCES = ("RFC3279", "RFC5280", "RFC5480", "RFC5891", "RFC8813", "Community")
"""What zlint judges by: the RFCs on certificates, their keys and their names, and faults that break programs.

Left out are rules of others for authorities that browsers, mail programs or signature laws trust: CABF_* (lifetimes of
weeks, certificates in public logs, policy identifiers), Mozilla, Apple, Chrome, ETSI_ESI. A private authority is none
of those. Left out, too, are RFC6960 and RFC6962: OCSP and public logs, which are not used.
"""

_TIMEOUT_SECONDS = 60


class Purpose(StrEnum):
    """Purposes as `openssl verify -purpose` names them."""

    SERVER = "sslserver"
    CLIENT = "sslclient"


class LintRole(StrEnum):
    """What pkilint is to take a PEM block for."""

    CERTIFICATE = "certificate"
    CRL = "crl"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a program decided, and all that it printed."""

    is_accepted: bool
    report: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of pkilint (FATAL, ERROR, WARNING, NOTICE or INFO) or zlint (FATAL, ERROR, WARN or INFO)."""

    severity: str
    code: str
    message: str


def openssl_verify_strict(
    leaf: x509.Certificate,
    *,
    roots: Sequence[x509.Certificate],
    purpose: Purpose,
    at: datetime,
    intermediates: Sequence[x509.Certificate] = (),
    crl: x509.CertificateRevocationList | None = None,
) -> Verdict:
    """Let `openssl verify -x509_strict` judge a chain for one purpose at one instant, trusting `roots` only."""
    # An empty CRL is falsy, so it is compared with None.
    trusted = _pem(*roots) + (_pem(crl) if crl is not None else "")
    arguments = ["-x509_strict", "-purpose", purpose, "-attime", str(int(at.timestamp()))]
    arguments += ["-no-CApath", "-no-CAstore", *(["-crl_check"] if crl is not None else [])]
    with _files(roots=trusted, untrusted=_pem(*intermediates), leaf=_pem(leaf)) as paths:
        untrusted = ["-untrusted", paths["untrusted"]] if intermediates else []
        return _judge("verify", *arguments, "-CAfile", paths["roots"], *untrusted, paths["leaf"])


def openssl_verify_path(leaf_pem: str, *, untrusted: str, root: str, at: datetime) -> Verdict:
    """Let `openssl verify -policy_check` judge a path of PEM certificates, for any policy, without purpose and CRLs."""
    with _files(root=root, untrusted=untrusted, leaf=leaf_pem) as paths:
        arguments = [
            "-policy_check",
            "-policy",
            "anyPolicy",
            "-attime",
            str(int(at.timestamp())),
            "-no-CApath",
            "-no-CAstore",
        ]
        between = ["-untrusted", paths["untrusted"]] if untrusted else []
        return _judge("verify", *arguments, "-CAfile", paths["root"], *between, paths["leaf"])


def openssl_fingerprint(judged: x509.Certificate) -> str:
    """Return what `openssl x509 -noout -fingerprint -sha256` prints after the equals sign."""
    printed = _output(["openssl", "x509", "-noout", "-fingerprint", "-sha256"], _pem(judged).encode())
    return printed.decode().partition("=")[2].strip()


def openssl_public_key_fingerprint(judged: x509.Certificate) -> str:
    """Return the SHA-256 of the public key's DER form, in colon form, as computed by openssl alone."""
    public_key_pem = _output(["openssl", "x509", "-noout", "-pubkey"], _pem(judged).encode())
    der = _output(["openssl", "pkey", "-pubin", "-outform", "DER"], public_key_pem)
    digest = _output(["openssl", "dgst", "-sha256", "-c"], der)
    return digest.decode().rpartition("= ")[2].strip().upper()


def openssl_pkcs12_info(archive: bytes, passphrase: str, *, legacy: bool = False) -> Verdict:
    """Open an archive with `openssl pkcs12 -info`, keys left out of the report.

    The passphrase goes through the environment, where other users cannot see it.
    """
    with _files(archive=archive) as paths:
        options = ["-legacy"] if legacy else []
        arguments = [*options, "-info", "-nokeys", "-passin", "env:PASSPHRASE", "-in", paths["archive"]]
        return _judge("pkcs12", *arguments, environment={"PASSPHRASE": passphrase})


def openssl_crl_verify(judged: x509.CertificateRevocationList, issuer: x509.Certificate) -> Verdict:
    """Let `openssl crl -verify` judge whether an issuer has signed a CRL; the exit code alone does not tell."""
    with _files(crl=_pem(judged), issuer=_pem(issuer)) as paths:
        options = ["-noout", "-verify", "-CAfile", paths["issuer"], "-no-CApath", "-no-CAstore"]
        verdict = _judge("crl", *options, "-in", paths["crl"])
    return Verdict(verdict.is_accepted and "verify OK" in verdict.report, verdict.report)


def openssl_crl_text(judged: x509.CertificateRevocationList) -> str:
    """Return what `openssl crl -text` prints."""
    return _output(["openssl", "crl", "-noout", "-text"], _pem(judged).encode()).decode()


def pkilint_findings(pem: str, role: LintRole = LintRole.CERTIFICATE) -> list[Finding]:
    """Return what pkilint's RFC 5280 linter finds, worst first; findings that only inform are left out."""
    load, validator = _linters()[role]
    results = validator.validate(load(pem, "judged").root)
    found = [described for result in results for described in result.finding_descriptions]
    worse = [each for each in found if each.finding.severity < ValidationFindingSeverity.INFO]
    worse.sort(key=lambda each: each.finding.severity)
    return [Finding(each.finding.severity.name, each.finding.code, each.message or "") for each in worse]


def zlint_findings(pem: str) -> list[Finding]:
    """Return what zlint finds in a certificate or a CRL by the rules of `_ZLINT_SOURCES`, in the order of their names.

    A block that zlint cannot read is an error: it would judge nothing and find nothing.
    """
    program = str(built_tool(ZLINT, _REPOSITORY, os.environ))
    with _files(judged=pem) as paths:
        printed = _output([program, "-includeSources", ",".join(_ZLINT_SOURCES), paths["judged"]], b"")
    results = json.loads(printed)
    return [
        Finding(result["result"].upper(), code, result.get("details", ""))
        for code, result in sorted(results.items())
        if result["result"] not in {"pass", "NA", "NE"}
    ]


@lru_cache(maxsize=1)
def _linters() -> Mapping[LintRole, tuple[Callable[[str, str], Any], Any]]:
    """The linters of the programs `lint_pkix_cert` and `lint_crl`, in this process: a start takes them a second."""
    return {
        LintRole.CERTIFICATE: (
            loader.RFC5280CertificateDocumentLoader().load_pem_document,
            certificate.create_pkix_certificate_validator_container(
                certificate.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
                [
                    certificate.create_issuer_validator_container([]),
                    certificate.create_validity_validator_container(),
                    certificate.create_subject_validator_container([]),
                    certificate.create_extensions_validator_container([]),
                    certificate.create_spki_validator_container([]),
                ],
            ),
        ),
        LintRole.CRL: (
            loader.RFC5280CertificateListDocumentLoader().load_pem_document,
            crl.create_pkix_crl_validator_container(
                [
                    pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
                    pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
                ],
                [
                    crl.create_issuer_validator_container([]),
                    crl.create_validity_validator_container([]),
                    crl.create_extensions_validator_container([]),
                ],
            ),
        ),
    }


def _pem(*judged: x509.Certificate | x509.CertificateRevocationList) -> str:
    return "".join(each.public_bytes(Encoding.PEM).decode("ascii") for each in judged)


@contextmanager
def _files(**contents: str | bytes) -> Iterator[dict[str, str]]:
    """Write files with these contents for the time of a `with` block, which gets their paths by name."""
    with tempfile.TemporaryDirectory() as directory:
        paths = {file_name: Path(directory) / file_name for file_name in contents}
        for file_name, content in contents.items():
            paths[file_name].write_bytes(content.encode() if isinstance(content, str) else content)
        yield {file_name: str(path) for file_name, path in paths.items()}


def _judge(*arguments: str, environment: Mapping[str, str] | None = None) -> Verdict:
    done = subprocess.run(
        ["openssl", *arguments],
        capture_output=True,
        check=False,
        timeout=_TIMEOUT_SECONDS,
        env={**os.environ, **(environment or {})},
    )
    return Verdict(done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace"))


def _output(command: Sequence[str], given: bytes) -> bytes:
    return subprocess.run(command, input=given, capture_output=True, check=True, timeout=_TIMEOUT_SECONDS).stdout
