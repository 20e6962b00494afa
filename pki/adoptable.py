"""Can an authority that was made elsewhere work? Everything that would make verifiers refuse what it signs.

A leaf is issued on trial, in memory, and judged as a TLS client and a TLS server judge it; it never leaves this module.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from pki.certification_path import critical_extensions_unknown, faults_of_key_identifiers, problems_of_path
from pki.extensions import extension_of, is_self_issued, name_in_words
from pki.issuing import Issuer, issue
from pki.keys import PrivateKey, algorithm_of, choices_of_algorithm, key_in_words
from pki.model import CertificateDeclaration, Profile, Subject, SubjectAltNames, Validity
from pki.name_kinds import NAME_KINDS
from pki.string_types import has_explicit_curve, is_key_for_pss_only, string_types_of_names
from pki.verification import is_issued_by
from postseal_core.errors import CertificateError
from postseal_core.instants import format_instant

__all__ = ["faults_of_authority", "faults_of_dates", "faults_of_trial"]

_WEAK_HASHES: Final = frozenset({"md5", "sha1"})
_PURPOSES: Final = {
    ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth",
    ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth",
}
_HOSTS: Final = next(each for each in NAME_KINDS if each.general_name is x509.DNSName)
_BESIDE: Final = (
    "declare a new authority without adopt, and give its root to everybody beside the old one before anything of it is "
    "served (docs/recovery.md, the authority's key is lost as well)"
)
_TRIAL_LABEL: Final = "trial"
_TRIAL_HOST: Final = f"{_TRIAL_LABEL}.invalid"
_TRIAL_SERIAL: Final = 1
_TRIAL_HOURS: Final = 1


def faults_of_authority(certificate: x509.Certificate, *, signs_lists: bool = False) -> Iterator[str]:
    """Yield why nothing below this certificate would be accepted, whoever asks and whenever.

    `signs_lists`: whether it is to sign revocation lists as well. Not looked at: dates, and of an intermediate what
    stands above it.
    """
    name = name_in_words(certificate.subject)
    if certificate.version is x509.Version.v1:
        yield (
            f"{name} is a certificate of version 1, which cannot say that it is an authority (basicConstraints is "
            "missing): have it issued anew as version 3 with CA:TRUE"
        )
        return
    yield from _faults_of_usage(certificate, name, signs_lists=signs_lists)
    for oid in critical_extensions_unknown(certificate):
        yield f"{name} has the critical extension {oid}, which OpenSSL or Go does not understand and so refuses"
    yield from _faults_of_name(certificate)
    yield from _faults_of_key(certificate, name)
    if is_self_issued(certificate):
        yield from _faults_of_root(certificate, name)
        return
    algorithm = certificate.signature_hash_algorithm
    if algorithm and algorithm.name in _WEAK_HASHES:
        yield f"{name} is signed with {algorithm.name}, which OpenSSL refuses: have it signed anew with sha256"


def _faults_of_usage(certificate: x509.Certificate, name: str, *, signs_lists: bool) -> Iterator[str]:
    basic = extension_of(certificate, x509.BasicConstraints)
    usage = extension_of(certificate, x509.KeyUsage)
    purposes = extension_of(certificate, x509.ExtendedKeyUsage)
    if basic is None or not basic.ca:
        got = "CA:FALSE" if basic else "no basicConstraints"
        yield f"{name} is no authority's certificate ({got}): it may sign nothing; adopt the one that may"
        return
    if usage and not usage.key_cert_sign:
        yield f"{name} may sign no certificates: its keyUsage lacks keyCertSign"
    if signs_lists and usage and not usage.crl_sign:
        yield f"{name} may sign no revocation lists: its keyUsage lacks cRLSign; leave crl out"
    if purposes is not None and not any(each in purposes for each in _PURPOSES):
        has = ", ".join(each.dotted_string for each in purposes)
        yield (
            f"{name} may certify neither servers nor clients of TLS: its extendedKeyUsage has {has} only, and lacks "
            "serverAuth and clientAuth"
        )


def _faults_of_name(certificate: x509.Certificate) -> Iterator[str]:
    """Report names that are none to a verifier; whatever else is in a name is taken as it is."""
    parts = [*certificate.subject]
    if not parts or not all(each.value for each in parts):
        what = "an empty part in its name" if parts else "no name (its subject is empty)"
        yield f"the certificate has {what}, and GnuTLS refuses what it signs (RFC 5280 section 4.1.2.6)"
    if "VisibleString" in string_types_of_names(certificate.public_bytes(Encoding.DER)):
        name = name_in_words(certificate.subject)
        yield f"the name {name} has a VisibleString in it, so OpenSSL, and with it Postfix, cannot read the certificate"


def _faults_of_root(certificate: x509.Certificate, name: str) -> Iterator[str]:
    """Report a root that was not signed by its own key, and one that names another issuer than itself."""
    try:
        certificate.verify_directly_issued_by(certificate)
    except InvalidSignature:
        yield (
            f"{name} has itself as issuer, and its own key has not signed it: it was altered, or another authority of "
            "the same name has signed it; adopt the certificate that this authority has of itself"
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        pass  # a signature that is not known here; nobody verifies that of a root
    yield from faults_of_key_identifiers(certificate, certificate)


def _faults_of_key(certificate: x509.Certificate, name: str) -> Iterator[str]:
    der = certificate.public_bytes(Encoding.DER)
    if is_key_for_pss_only(der):
        yield f"{name} has a key for RSASSA-PSS signatures alone, which are not made here; {_BESIDE}"
        return
    if has_explicit_curve(der):
        yield (
            f"{name} has a key on a curve that is spelt out (explicit EC parameters) instead of named, which OpenSSL "
            "and Go refuse (RFC 5480 section 2.1.1)"
        )
        return
    try:
        key = certificate.public_key()
        algorithm_of(key)
    except CertificateError:
        yield f"{name} has {key_in_words(key)}, and keys that sign here are {choices_of_algorithm()}; {_BESIDE}"
    except (ValueError, UnsupportedAlgorithm):
        yield f"{name} has a key of an algorithm that is not known here"


def faults_of_dates(certificate: x509.Certificate, now: datetime) -> Iterator[str]:
    """Yield why a certificate is good for nothing at this instant."""
    name, end = name_in_words(certificate.subject), certificate.not_valid_after_utc
    if now > end:
        yield f"{name} expired on {format_instant(end)}: have it renewed where it was made"
    if now < certificate.not_valid_before_utc:
        yield f"{name} is not valid before {format_instant(certificate.not_valid_before_utc)}: adopt it from then on"


def faults_of_trial(
    certificate: x509.Certificate, private_key: PrivateKey, above: Sequence[x509.Certificate], now: datetime
) -> Iterator[str]:
    """Issue a leaf for a server and one for a client, and yield why verifiers would refuse them.

    `above`: the authorities over this one, its issuer first, a root last; empty for a root. Call it for a certificate
    without the faults of `faults_of_authority` and `faults_of_dates`.
    """
    try:
        issuer = Issuer(certificate, private_key)
        leaf = _trial_leaf(issuer, _permitted_host([certificate, *above]), now)
    except (CertificateError, ValueError) as error:
        yield f"a certificate issued on trial cannot be made: {error}"
        return
    if leaf.issuer.public_bytes() not in certificate.tbs_certificate_bytes:
        yield (
            f"a certificate issued on trial has not the bytes of the name {name_in_words(certificate.subject)}: "
            "GnuTLS, NSS and Go would refuse it"
        )
    if not is_issued_by(leaf, certificate):
        yield "a certificate issued on trial does not verify with the authority's own key"
    if any(map(_limits_directories, [certificate, *above])):
        return  # whether a subject lies within is told where it is declared
    chain = [leaf, *([certificate, *above[:-1]] if above else [])]
    root = above[-1] if above else certificate
    for problem in problems_of_path(chain, [root]):
        yield f"a certificate issued on trial is refused: {problem.message}"


def _trial_leaf(issuer: Issuer, host: str, now: datetime) -> x509.Certificate:
    declaration = CertificateDeclaration(
        Profile.SERVER_AND_CLIENT, Subject(_TRIAL_LABEL), SubjectAltNames(dns_names=(host,) if host else ())
    )
    start = max(now.replace(microsecond=0), issuer.certificate.not_valid_before_utc)
    end = min(start + timedelta(hours=_TRIAL_HOURS), issuer.certificate.not_valid_after_utc)
    public_key = issuer.private_key.public_key()
    return issue(
        declaration,
        public_key=public_key,
        validity=Validity(start, end),
        serial_number=_TRIAL_SERIAL,
        issuer=issuer,
    )


def _limits_directories(certificate: x509.Certificate) -> bool:
    names = extension_of(certificate, x509.NameConstraints)
    subtrees = (*((names and names.permitted_subtrees) or ()), *((names and names.excluded_subtrees) or ()))
    return any(isinstance(each, x509.DirectoryName) for each in subtrees)


def _permitted_host(authorities: Sequence[x509.Certificate]) -> str:
    """Return a host that all of these authorities may certify, as far as one is easy to find; empty: none is tried."""
    limits = [names for each in authorities if (names := extension_of(each, x509.NameConstraints))]
    permitted = [_hosts(each.permitted_subtrees) for each in limits]
    excluded = [base for each in limits for base in _hosts(each.excluded_subtrees)]
    # A base with a leading dot stands for the hosts below it, and not for itself.
    own = (f"{_TRIAL_LABEL}{base}" if base.startswith(".") else base for bases in permitted for base in bases)
    for host in (_TRIAL_HOST, *own):
        is_permitted = all(not bases or any(_HOSTS.is_within(host, base) for base in bases) for bases in permitted)
        if is_permitted and not any(_HOSTS.is_within(host, base) for base in excluded):
            return host
    return ""


def _hosts(subtrees: Sequence[x509.GeneralName] | None) -> list[str]:
    return [each.value.lower() for each in subtrees or () if isinstance(each, x509.DNSName)]
