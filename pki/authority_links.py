"""Follow a signed chain from certificate to certificate up to a declared root, and say where it breaks and why."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from pki.certification_path import problems_of_path
from pki.extensions import is_authority, is_same_name, name_in_words, serial_number_of
from pki.model import SerialNumber
from pki.verification import is_issued_by
from postseal_core.errors import Problem
from postseal_core.instants import format_instant

__all__ = ["problems_of_links", "problems_of_numbers", "problems_of_way_up"]

_CHAIN: Final = "signed_chain"
_ROOTS: Final = "roots"


def problems_of_links(chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]) -> Iterator[Problem]:
    """Report each certificate that the next one has not signed, and a last one that no root has signed."""
    for certificate, above in pairwise(chain):
        if not is_issued_by(certificate, above):
            yield Problem(
                _CHAIN,
                _cause(certificate, [above])
                or f"{name_in_words(certificate.subject)} was signed by {name_in_words(certificate.issuer)}, and "
                f"behind it stands {name_in_words(above.subject)}: the chain has others in it, or lacks one",
            )
        elif not is_authority(above):
            yield Problem(_CHAIN, f"{name_in_words(above.subject)} is no authority: remove it")
    if not any(is_issued_by(chain[-1], root) for root in roots):
        yield Problem(
            _CHAIN,
            _cause(chain[-1], roots)
            or f"{name_in_words(chain[-1].subject)} was signed by {name_in_words(chain[-1].issuer)}, which is none of "
            "the declared roots: declare that root, or what stands between as well, behind the certificate "
            "(third_party.signed_chain_file)",
        )


def problems_of_way_up(
    chain: Sequence[x509.Certificate], signing: Sequence[x509.Certificate], now: datetime
) -> Iterator[Problem]:
    """Report what verifiers would find wrong with the way up; each sentence names the certificate that it is about."""
    names = {f"chain[{index}]": name_in_words(each.subject) for index, each in enumerate(chain)}
    for problem in problems_of_path(chain, signing):
        name = names.get(problem.path) or ", ".join(dict.fromkeys(name_in_words(each.subject) for each in signing))
        yield Problem(_CHAIN, f"{name}: {problem.message}")
    if all(now < root.not_valid_before_utc for root in signing):
        begin = min(root.not_valid_before_utc for root in signing)
        yield Problem(
            _ROOTS,
            f"{name_in_words(signing[0].subject)} is not valid before {format_instant(begin)}, so verifiers would "
            "refuse everything below it until then: hand in the root that is valid now as well",
        )


def problems_of_numbers(
    chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate], number_before: str
) -> Iterator[Problem]:
    """Report serial numbers for which a verifier refuses a certificate (RFC 5280 section 4.1.2.2).

    `number_before`: of the certificate that this one renews, in hexadecimal; empty for none by the same signer.
    """
    own = chain[0]
    name, number = name_in_words(own.subject), serial_number_of(own)
    if number < 0:
        yield Problem(
            _CHAIN, f"{name} has a negative serial number, and Go refuses it: have it signed with another one"
        )
    others = [each for each in (*chain[1:], *roots) if each.issuer == own.issuer and serial_number_of(each) == number]
    if others or number_before == str(SerialNumber(number)):
        other = name_in_words(others[0].subject) if others else "the certificate in use"
        yield Problem(
            _CHAIN,
            f"{name} has the serial number {number:x}, which its signer has given to {other}, too: NSS takes only one "
            "of the two; have it signed with a number of its own",
        )


def _cause(certificate: x509.Certificate, issuers: Sequence[x509.Certificate]) -> str:
    """Return why a certificate was not signed by any of those that have its issuer's name; empty where none has."""
    name = name_in_words(certificate.subject)
    for issuer in issuers:
        if certificate.issuer.public_bytes() == issuer.subject.public_bytes():
            try:
                _ = certificate.signature_hash_algorithm
            except UnsupportedAlgorithm:
                return f"{name} is signed with an algorithm that is not known here: have it signed with another one"
            return (
                f"{name} names {name_in_words(issuer.subject)} as its issuer, and its signature does not verify with "
                "the key of that one: hand in the certificate of that name whose key has signed it; if there is no "
                "other, the answer was altered on its way"
            )
        if is_same_name(certificate.issuer, issuer.subject):
            return (
                f"{name} names {name_in_words(certificate.issuer)} as its issuer, and the certificate that is here, "
                f"{name_in_words(issuer.subject)}, spells that name otherwise (its string types, or capital letters), "
                "which GnuTLS, NSS and Go do not accept: have it signed anew with the issuer's name byte for byte"
            )
    return ""
