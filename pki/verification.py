"""Read certificates that came from elsewhere and report everything wrong with them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from pki.certification_path import problems_of_path
from pki.extensions import extension_of, is_authority, is_self_issued, lenient_reading, name_in_words, parse_whole
from pki.keys import PublicKey
from pki.model import Profile
from pki.name_syntax import is_host_covered
from pki.profiles import PROFILES, Purpose
from pki.unreadable import cause_of_unreadable
from postseal_core.bounds import LARGEST_CHAIN_BYTES, MOST_CERTIFICATES
from postseal_core.errors import CertificateError, Problem
from postseal_core.instants import format_instant

__all__ = [
    "chain_pem",
    "common_instant",
    "is_issued_by",
    "load_certificate",
    "load_chain",
    "order_chain",
    "problems_of_ca_file",
    "problems_of_imported_chain",
]

# A name with a bit string in it is a TypeError.
_UNPARSABLE = (ValueError, TypeError, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
_MOST_SHOWN = 200  # characters of a text from elsewhere
_BEGIN = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----")
_LACKING: Mapping[Purpose, str] = {
    Purpose.SERVER_AUTH: "extendedKeyUsage lacks serverAuth: request a certificate for a TLS server",
    Purpose.CLIENT_AUTH: (
        "extendedKeyUsage lacks clientAuth, so no server needs to take it from a client. Public authorities left that "
        "out in 2026, since browsers trust only those that certify servers alone (Let's Encrypt by default since 11 "
        "February): ask the other side for a certificate of its own authority, or whether it takes one of yours"
    ),
}
_CERTIFICATE_LABELS = frozenset({"CERTIFICATE", "X509 CERTIFICATE"})
_LINE_BREAKS = r"its line breaks are written as \n: hand it in with real ones"
_NO_ANSWER = "hand in what the authority answered, not the request"
_CURES: Mapping[str, str] = {
    "CERTIFICATE REQUEST": _NO_ANSWER,
    "NEW CERTIFICATE REQUEST": _NO_ANSWER,
    "PKCS7": "take them out with `openssl pkcs7 -print_certs -in FILE -out FILE.pem`",
    "X509 CRL": "leave the revocation list out",
}
_CONVERT = "convert with `openssl x509 -in FILE -out FILE.pem`, with `-inform DER` if the file is binary"


def _cure(labels: Sequence[str]) -> str:
    """Say what to do about blocks that are no certificates."""
    return "; ".join(dict.fromkeys(_CURES.get(label, _CONVERT) for label in labels or [""]))


def load_certificate(pem: str, *, what: str) -> x509.Certificate:
    """Read exactly one PEM certificate; `what` names it in messages (`certificate of mx1.example.org`).

    Raises:
        CertificateError: no certificate, several, something else beside it, or one that cannot be parsed.
    """
    certificates = load_chain(pem, what=what)
    if len(certificates) > 1:
        raise CertificateError(f"{what}: got {len(certificates)} certificates, expected one: hand in only this one")
    return certificates[0]


def load_chain(pem: str, *, what: str) -> list[x509.Certificate]:
    """Read all certificates of a PEM text, in the order they stand in; text between the blocks is skipped.

    Not checked: order, signatures, dates; see `order_chain` and `problems_of_imported_chain`.

    Raises:
        CertificateError: no certificate, a private key or another block among them, one that cannot be parsed, or more
            than 2 MiB.
    """
    if len(pem) > LARGEST_CHAIN_BYTES:
        raise CertificateError(f"{what}: got more than {LARGEST_CHAIN_BYTES // 2**20} MiB: hand in fewer certificates")
    labels = _BEGIN.findall(pem)
    if any(label.endswith("PRIVATE KEY") for label in labels):
        raise CertificateError(f"{what}: a private key stands among the certificates: remove it and keep it secret")
    strange = sorted({label for label in labels if label not in _CERTIFICATE_LABELS})
    if strange or not labels:
        found = f"PEM blocks {', '.join(strange)[:_MOST_SHOWN]}" if strange else "no PEM block"
        raise CertificateError(
            f"{what}: got {found}, expected only `-----BEGIN CERTIFICATE-----` blocks; {_cure(strange)}"
        )
    certificates: list[x509.Certificate] = []
    try:
        with lenient_reading():
            certificates += x509.load_pem_x509_certificates(pem.encode())
        for certificate in certificates:
            parse_whole(certificate)
    except _UNPARSABLE as error:
        cause = _LINE_BREAKS if r"\n" in pem else cause_of_unreadable(error, certificates)
        raise CertificateError(f"{what}: {cause}") from error
    return certificates


def chain_pem(certificates: Sequence[x509.Certificate]) -> str:
    """Return certificates as PEM text, in the order they are given; Postfix wants the leaf first, then its issuers."""
    return "".join(certificate.public_bytes(Encoding.PEM).decode("ascii") for certificate in certificates)


def order_chain(certificates: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """Return the certificates of one chain leaf first, each followed by the one that signed it, repetitions removed.

    Signatures are verified. Not checked: dates, usages, whether the last one is trusted.

    Raises:
        CertificateError: they do not form one chain; the message names those that do not fit.
    """
    if len(certificates) > MOST_CERTIFICATES:
        raise CertificateError(
            f"expected one chain of at most {MOST_CERTIFICATES} certificates, got {len(certificates)}: leave out others"
        )
    rest = list(dict.fromkeys(certificates))
    starts = [leaf for leaf in rest if not any(is_issued_by(other, leaf) for other in rest if other != leaf)]
    ordered: list[x509.Certificate] = []
    following = starts[:1]
    while following:
        ordered.append(following[0])
        rest.remove(following[0])
        following = [issuer for issuer in rest if is_issued_by(ordered[-1], issuer)][:1]
    if rest or not ordered:
        strays = "; ".join(name_in_words(certificate.subject) for certificate in rest) or "nothing"
        raise CertificateError(f"expected certificates of one chain, not connected to it: {strays}; remove or complete")
    return ordered


def common_instant(chain: Sequence[x509.Certificate]) -> datetime:
    """Return an instant at which all of a chain are valid, where there is one: dates are judged elsewhere."""
    begin = max(each.not_valid_before_utc for each in chain)
    return begin if begin <= min(each.not_valid_after_utc for each in chain) else chain[0].not_valid_before_utc


def problems_of_imported_chain(
    chain: Sequence[x509.Certificate],
    *,
    public_key: PublicKey,
    dns_names: Sequence[str],
    now: datetime,
    roots: Sequence[x509.Certificate] = (),
    may_sign_itself: bool = False,
    profile: Profile = Profile.SERVER,
) -> list[Problem]:
    """Report problems of a certificate that was signed elsewhere, and of its intermediates.

    `chain` is leaf first, without the root. Checked: key, `dns_names` (each is covered by the subject alternative
    names), key usages that `profile` needs, dates, order and signatures, path lengths, name constraints, critical
    extensions, and, if `roots` are given, that one of them signed the last. `may_sign_itself`: a server's own,
    self-signed certificate will do, as an interim one does. Not checked: revocation, strength of the signatures; names
    are compared byte by byte, and a chain that needs certificate policies is refused. NIST's path validation suite
    (PKITS) judges all this.
    """
    if not chain:
        return [Problem("chain", "is empty, expected the certificate and its intermediates")]
    problems = _leaf_problems(chain, public_key)
    if problems and any(_is_for(certificate, public_key) for certificate in chain):
        return problems  # everything else would be said of a certificate that is not meant
    return [
        *problems,
        *_usage_problems(chain[0], PROFILES[profile].extended_key_usages),
        *_coverage_problems(chain[0], dns_names),
        *(problem for index, certificate in enumerate(chain) for problem in _member_problems(index, certificate, now)),
        *(() if may_sign_itself else _own_signature_problems(chain[0])),
        *(_link_problems(chain) or problems_of_path(chain, [root for root in roots if is_issued_by(chain[-1], root)])),
        *_trust_problems(chain, roots),
    ]


def problems_of_ca_file(pem: str, *, now: datetime) -> list[Problem]:
    """Report problems of each certificate in a file of trusted authorities (`smtpd_tls_CAfile`).

    A certificate that is not valid yet is no problem: a new root is handed out early. Signatures are not checked.
    """
    try:
        certificates = load_chain(pem, what="CA file")
    except CertificateError as error:
        return [Problem("", str(error))]
    problems = _repetition_problems("certificates", certificates)
    for index, certificate in enumerate(certificates):
        path, name = f"certificates[{index}]", name_in_words(certificate.subject)
        if not is_authority(certificate):
            problems.append(Problem(path, f"{name} is no authority: trust its issuer instead, or list its fingerprint"))
        problems += _expiry_problems(path, certificate, now)
    return problems


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Return whether the issuer's name and key signed the certificate; dates and constraints are not checked."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _is_for(certificate: x509.Certificate, public_key: PublicKey) -> bool:
    try:
        return certificate.public_key() == public_key
    except (ValueError, UnsupportedAlgorithm):
        return False


def _leaf_problems(chain: Sequence[x509.Certificate], public_key: PublicKey) -> list[Problem]:
    if _is_for(chain[0], public_key):
        return []
    places = [f"certificate {index}" for index, certificate in enumerate(chain, 1) if _is_for(certificate, public_key)]
    fix = f"{places[0]} does: put it first" if places else "request a certificate for this key, or hand in its key"
    return [Problem("chain[0]", f"{name_in_words(chain[0].subject)} does not belong to the private key; {fix}")]


def _usage_problems(leaf: x509.Certificate, purposes: Sequence[Purpose]) -> Iterator[Problem]:
    """Report purposes that verifiers will miss; a certificate without the extension has none excluded."""
    usage = extension_of(leaf, x509.ExtendedKeyUsage)
    for purpose in purposes:
        if usage is not None and x509.ObjectIdentifier(purpose.value) not in usage:
            yield Problem("chain[0]", _LACKING[purpose])
    bits = extension_of(leaf, x509.KeyUsage)
    if Purpose.CLIENT_AUTH in purposes and bits is not None and not bits.digital_signature:
        message = "keyUsage lacks digitalSignature, with which a client proves to have the key: request another one"
        yield Problem("chain[0]", message)


def _coverage_problems(leaf: x509.Certificate, dns_names: Sequence[str]) -> Iterator[Problem]:
    alt_names = extension_of(leaf, x509.SubjectAlternativeName)
    covered = [name.lower() for name in alt_names.get_values_for_type(x509.DNSName)] if alt_names else []
    for index, name in enumerate(dns_names):
        if not is_host_covered(name, covered):
            has = ", ".join(covered) or "no DNS names"
            yield Problem(f"dns_names[{index}]", f"{name} is not covered, the certificate has {has}: request it anew")


def _member_problems(index: int, certificate: x509.Certificate, now: datetime) -> Iterator[Problem]:
    path = f"chain[{index}]"
    yield from _expiry_problems(path, certificate, now)
    if now < certificate.not_valid_before_utc:
        yield Problem(
            path,
            f"is not valid before {format_instant(certificate.not_valid_before_utc)}, and the clock says "
            f"{format_instant(now)}: correct the clock, or use it from then on",
        )
    if index and _signs_itself(certificate):
        name = name_in_words(certificate.subject)
        yield Problem(path, f"{name} is signed by itself: leave it out, whoever trusts it has it")
    elif index and not is_authority(certificate):
        yield Problem(path, f"{name_in_words(certificate.subject)} is no authority: remove it")


def _own_signature_problems(leaf: x509.Certificate) -> Iterator[Problem]:
    if _signs_itself(leaf):
        yield Problem("chain[0]", f"{name_in_words(leaf.subject)} is signed by itself: have it signed by an authority")


def _signs_itself(certificate: x509.Certificate) -> bool:
    return is_self_issued(certificate) and is_issued_by(certificate, certificate)


def _expiry_problems(path: str, certificate: x509.Certificate, now: datetime) -> Iterator[Problem]:
    if now > certificate.not_valid_after_utc:
        name, instant = name_in_words(certificate.subject), format_instant(certificate.not_valid_after_utc)
        yield Problem(path, f"{name} expired at {instant}: replace it")


def _link_problems(chain: Sequence[x509.Certificate]) -> list[Problem]:
    return [*_repetition_problems("chain", chain), *_order_problems(chain)]


def _order_problems(chain: Sequence[x509.Certificate]) -> Iterator[Problem]:
    for index, (certificate, issuer) in enumerate(pairwise(chain)):
        if certificate != issuer and not is_issued_by(certificate, issuer):
            wanted, got = name_in_words(certificate.issuer), name_in_words(issuer.subject)
            yield Problem(
                f"chain[{index + 1}]",
                f"got {got}, expected the certificate of {wanted} that signed certificate {index + 1}: leaf first, "
                "then issuers",
            )


def _repetition_problems(field: str, certificates: Sequence[x509.Certificate]) -> list[Problem]:
    return [
        Problem(f"{field}[{index}]", f"is certificate {certificates.index(certificate) + 1} once more: remove it")
        for index, certificate in enumerate(certificates)
        if certificate in certificates[:index]
    ]


def _trust_problems(chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]) -> Iterator[Problem]:
    last = chain[-1]
    if roots and last not in roots and not any(is_issued_by(last, root) for root in roots):
        yield Problem(
            f"chain[{len(chain) - 1}]",
            f"was signed by {name_in_words(last.issuer)}, which is none of the given roots: add what is missing",
        )
