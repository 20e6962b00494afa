"""Judge what somebody else has signed for an authority of ours, before anything is issued with it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final, cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from pki.authority_links import problems_of_links, problems_of_numbers, problems_of_way_up
from pki.authority_request import PurposeWord
from pki.authority_scope import faults_of_scope
from pki.extensions import extension_of, is_authority, is_self_issued, name_in_words, serial_number_of
from pki.keys import PublicKey
from pki.model import CertificateDeclaration
from pki.verification import is_issued_by
from postseal_core.errors import Problem
from postseal_core.instants import format_instant
from postseal_core.wording import shown

__all__ = ["AskedFor", "IssuerName", "issuer_name", "problems_of_answer", "problems_of_roots"]

_CHAIN: Final = "signed_chain"
_ROOTS: Final = "roots"
_WEAK: Final = (hashes.MD5, hashes.SHA1)


@dataclass(frozen=True, slots=True)
class IssuerName:
    """By what verifiers find an issuer: digest of the subject's bytes, and its key identifier, both hexadecimal."""

    subject_sha256: str
    subject_key_identifier: str


@dataclass(frozen=True, slots=True)
class AskedFor:
    """What an authority's request asks for, and how the certificate that is in use until now is found.

    `purposes`: extended key usages; none is no limit. `before`: None for the first certificate of this key. `subject`:
    the name to be called by, where another certificate is carried on. `number_before`: its serial number in
    hexadecimal, empty where another authority has signed that.
    """

    declaration: CertificateDeclaration
    public_key: PublicKey
    purposes: tuple[PurposeWord, ...] = ()
    before: IssuerName | None = None
    subject: x509.Name | None = None
    number_before: str = ""


def issuer_name(certificate: x509.Certificate) -> IssuerName:
    """Return by what verifiers find this certificate as the issuer of others."""
    # Where it has no identifier, what it signs names the one that its key would have (RFC 5280 section 4.2.1.2).
    identifier = extension_of(certificate, x509.SubjectKeyIdentifier) or x509.SubjectKeyIdentifier.from_public_key(
        cast("PublicKey", certificate.public_key())
    )
    return IssuerName(sha256(certificate.subject.public_bytes()).hexdigest(), identifier.digest.hex())


def problems_of_roots(roots: Sequence[x509.Certificate], now: datetime) -> Iterator[Problem]:
    """Report what cannot be trusted as a root: no authority, not signed by itself, expired."""
    for each in roots:
        name = name_in_words(each.subject)
        if not (is_self_issued(each) and is_issued_by(each, each)):
            yield Problem(
                _ROOTS,
                f"{name} was signed by {name_in_words(each.issuer)}: expected the root alone; what stands between "
                "belongs behind the signed certificate",
            )
        elif not is_authority(each):
            yield Problem(_ROOTS, f"{name} is no authority's certificate: hand in the root that signed the chain")
        if now > each.not_valid_after_utc:
            yield Problem(
                _ROOTS, f"{name} expired at {format_instant(each.not_valid_after_utc)}: hand in its successor"
            )


def problems_of_answer(
    chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate], asked: AskedFor, now: datetime
) -> list[Problem]:
    """Report everything for which a signed chain cannot be used; empty where the authority can work with it.

    `chain`: the authority's certificate and those above it, without the root, as `read_answer` returns it. `roots`:
    trusted, and so not judged here. Judged are key, subject, path length, name constraints and extended key usages
    (wider than declared is refused, and narrower what nothing could be issued under), dates, signatures up to a root,
    and at a renewal that what was signed before still finds its issuer. Not judged: revocation, certificate policies
    beyond those that would make verifiers refuse.
    """
    own = _problems_of_key(chain, asked) or [*_problems_of_authority(chain[0])]
    if own:
        return own
    signing = [root for root in roots if is_issued_by(chain[-1], root)]
    # A signature that nobody verifies says nothing of who has made it.
    links = [problem for each in chain for problem in _problems_of_signature(each)] or [
        *problems_of_links(chain, roots)
    ]
    return [
        *_problems_of_subject(chain[0], asked),
        # Where the way up is not clear, nothing can be said of what it leaves room for.
        *map(
            _problem,
            faults_of_scope(chain[: 1 if links else None], signing * (not links), asked.declaration, asked.purposes),
        ),
        *(problem for each in chain for problem in _problems_of_dates(each, now)),
        *(links or problems_of_way_up(chain, signing, now)),
        *problems_of_numbers(chain, roots, asked.number_before),
        *_problems_of_renewal(chain[0], asked.before),
    ]


def _problem(message: str) -> Problem:
    return Problem(_CHAIN, message)


def _is_for(certificate: x509.Certificate, public_key: PublicKey) -> bool:
    try:
        return certificate.public_key() == public_key
    except (ValueError, UnsupportedAlgorithm):
        return False


def _problems_of_key(chain: Sequence[x509.Certificate], asked: AskedFor) -> list[Problem]:
    """Find an answer to another request, or to more than one: nothing else about it matters then."""
    own = [each for each in chain if _is_for(each, asked.public_key)]
    if len(own) > 1:
        each_of_them = "; ".join(
            f"{name_in_words(each.subject)}, serial number {serial_number_of(each):x}, until "
            f"{format_instant(each.not_valid_after_utc)}"
            for each in own
        )
        return [_problem(f"has {len(own)} certificates for this key: leave one of them, the newest ({each_of_them})")]
    if own and own[0] != chain[0]:
        strange = ", ".join(name_in_words(each.subject) for each in chain if each != own[0])
        return [
            _problem(
                f"beside the certificate for this key it has others ({strange}), and which of them lead from it to a "
                "declared root is not clear: leave in only those, or declare that root"
            )
        ]
    name = name_in_words(chain[0].subject)
    if not own:
        return [
            _problem(
                f"{name} was signed for another key: have the request signed that is handed out for this slot, and "
                "declare the answer to it"
            )
        ]
    if is_self_issued(chain[0]):
        return [_problem(f"{name} is signed by itself: have the request signed by the authority above")]
    return []


def _problems_of_authority(certificate: x509.Certificate) -> Iterator[Problem]:
    name = name_in_words(certificate.subject)
    basic, usage = extension_of(certificate, x509.BasicConstraints), extension_of(certificate, x509.KeyUsage)
    if basic is None or not basic.ca:
        yield _problem(
            f"{name} is no authority's certificate, it lacks CA:TRUE in basicConstraints: have the request signed as a "
            "subordinate authority (with openssl: an -extfile that has basicConstraints, or -copy_extensions copy)"
        )
    if usage is not None and not usage.key_cert_sign:
        yield _problem(f"{name} may not sign certificates: have it signed with keyCertSign in keyUsage")


def _problems_of_subject(certificate: x509.Certificate, asked: AskedFor) -> Iterator[Problem]:
    """Report another common name; other parts are the signer's to write, and are taken as they are."""
    got, declared = _common_names(certificate.subject), asked.declaration.subject.common_name
    wanted = _common_names(asked.subject) if asked.subject is not None else [declared] if declared else []
    if asked.before is None and wanted and not {*wanted} & {*got}:
        yield _problem(
            f"is called {name_in_words(certificate.subject)}, and declared is the common name {shown(wanted[0])}: have "
            "it signed for the subject of the request, or declare the common name that was signed"
        )


def _common_names(name: x509.Name) -> list[str]:
    return [str(each.value) for each in name.get_attributes_for_oid(NameOID.COMMON_NAME)]


def _problems_of_dates(certificate: x509.Certificate, now: datetime) -> Iterator[Problem]:
    name, begin, end = (
        name_in_words(certificate.subject),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )
    if now > end:
        yield _problem(f"{name} expired at {format_instant(end)}: declare the newest answer of the signer")
    if now < begin:
        yield _problem(
            f"{name} is not valid before {format_instant(begin)}, and the clock says {format_instant(now)}: correct "
            "the clock, or declare it from then on"
        )


def _problems_of_signature(certificate: x509.Certificate) -> Iterator[Problem]:
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        algorithm = None  # nobody can verify it, as `_problems_of_links` says
    if isinstance(algorithm, _WEAK):
        yield _problem(
            f"{name_in_words(certificate.subject)} is signed with {algorithm.name}, which verifiers refuse: have it "
            "signed with SHA-256 or better"
        )


def _problems_of_renewal(certificate: x509.Certificate, before: IssuerName | None) -> Iterator[Problem]:
    """Report what would cut off certificates from before: verifiers look for their issuer by name and identifier."""
    if before is None:
        return
    now = issuer_name(certificate)
    if now.subject_sha256 != before.subject_sha256:
        yield _problem(
            f"its subject is {name_in_words(certificate.subject)}, not byte for byte that of the certificate in use: "
            "GnuTLS, NSS and Go would refuse what was issued before (RFC 5280 section 4.1.2.4); have it renewed with "
            "the same subject, or take a new key in another slot"
        )
    if now.subject_key_identifier != before.subject_key_identifier:
        yield _problem(
            "its subjectKeyIdentifier is another one than that of the certificate in use, so what was issued before "
            "would not find it: have it renewed with the identifier of the request"
        )
