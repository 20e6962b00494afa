"""Check a chain against the constraints that its own authorities carry (RFC 5280 section 6.1).

Signatures, dates and key usage are judged in `verification.py`, one certificate or one link at a time.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from pki.extensions import extension_of, is_self_issued, name_in_words, serial_number_of
from pki.name_constraints import faults_of_names
from postseal_core.errors import Problem

__all__ = ["critical_extensions_unknown", "faults_of_key_identifiers", "problems_of_path"]

_POLICY_MAPPINGS = x509.ObjectIdentifier("2.5.29.33")
_ANY_POLICY_DER = bytes.fromhex("0604551d2000")

_PROCESSED = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.NAME_CONSTRAINTS,
        # Policies decide nothing unless one is asked for, and then the chain is refused.
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.POLICY_CONSTRAINTS,
        ExtensionOID.INHIBIT_ANY_POLICY,
        _POLICY_MAPPINGS,
    }
)
"""Extensions that may be critical, because what they say is heeded here or in `verification.py`."""


def problems_of_path(chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate] = ()) -> list[Problem]:
    """Report where a chain breaks a constraint of one of its own authorities.

    `chain` is leaf first, each signed by the next; all of `roots` have signed the last, and it is enough if one of
    them lets the chain through. Judged are path lengths, name constraints (the root's, too), critical extensions that
    nobody here understands, by what each names its issuer, and policies: a chain in which an authority asks for an
    explicit policy is refused, since policies are not followed.
    """
    return min((_problems(chain, [root]) for root in roots), key=len, default=_problems(chain, []))


def _problems(chain: Sequence[x509.Certificate], root: Sequence[x509.Certificate]) -> list[Problem]:
    path = [*chain, *root]
    places = [*(f"chain[{index}]" for index in range(len(chain))), "roots"]
    return [
        *(problem for place, each in zip(places, path, strict=False) for problem in _extension_problems(place, each)),
        *(
            Problem(place, f"{fault}: have it issued anew by that authority")
            for place, (each, issuer) in zip(places, pairwise(path), strict=False)
            for fault in faults_of_key_identifiers(each, issuer)
        ),
        *(
            problem
            for index in range(1, len(path))
            for problem in (
                *_path_length_problems(places[index], path[index], path[1:index]),
                *_name_problems(path[: index + 1], places),
            )
        ),
        *_policy_problems(chain),
    ]


def critical_extensions_unknown(certificate: x509.Certificate) -> list[str]:
    """Return the identifiers of critical extensions that verifiers do not process, and so refuse."""
    return [each.oid.dotted_string for each in certificate.extensions if each.critical and each.oid not in _PROCESSED]


def faults_of_key_identifiers(certificate: x509.Certificate, issuer: x509.Certificate) -> Iterator[str]:
    """Yield how a certificate names another issuer than the one that has signed it; OpenSSL then looks for that one.

    Compared is what both have (RFC 5280 section 4.2.1.1): key identifier, serial number, and the issuer's own issuer.
    """
    named, has = extension_of(certificate, x509.AuthorityKeyIdentifier), extension_of(issuer, x509.SubjectKeyIdentifier)
    if named is None:
        return
    name, above = name_in_words(certificate.subject), name_in_words(issuer.subject)
    if named.key_identifier and has and named.key_identifier != has.digest:
        yield (
            f"the authorityKeyIdentifier of {name} is {named.key_identifier.hex()}, and {above} has the "
            f"subjectKeyIdentifier {has.digest.hex()}, so OpenSSL would look for another issuer"
        )
    serial = named.authority_cert_serial_number
    directories = [each.value for each in named.authority_cert_issuer or () if isinstance(each, x509.DirectoryName)]
    is_other_number = serial is not None and serial != serial_number_of(issuer)
    if is_other_number or (directories and directories[0] != issuer.issuer):
        yield (
            f"the authorityKeyIdentifier of {name} names another certificate of its issuer (by issuer and serial "
            f"number) than the one of {above} that is here, so OpenSSL would look for that one"
        )


def _extension_problems(place: str, certificate: x509.Certificate) -> Iterator[Problem]:
    for oid in critical_extensions_unknown(certificate):
        yield Problem(
            place,
            f"has the critical extension {oid}, which verifiers must refuse unless they understand it: have the"
            " certificate issued without it",
        )
    for extension in certificate.extensions:
        if extension.oid == _POLICY_MAPPINGS and _ANY_POLICY_DER in extension.value.public_bytes():
            yield Problem(place, "maps the policy anyPolicy, which RFC 5280 section 4.2.1.5 forbids: have it re-issued")


def _path_length_problems(
    place: str, issuer: x509.Certificate, between: Sequence[x509.Certificate]
) -> Iterator[Problem]:
    basic = extension_of(issuer, x509.BasicConstraints)
    limit = basic.path_length if basic else None
    authorities = sum(not is_self_issued(each) for each in between)
    if limit is not None and authorities > limit:
        yield Problem(
            place,
            f"{name_in_words(issuer.subject)} may stand above {limit} authorities, and there are {authorities}: have"
            " the certificate issued by a higher authority",
        )


def _name_problems(path: Sequence[x509.Certificate], places: Sequence[str]) -> Iterator[Problem]:
    """Check names against the last one's constraints; self-issued authorities are exempt (RFC 5280 section 6.1.3)."""
    *below, issuer = path
    for index, certificate in enumerate(below):
        if index == 0 or not is_self_issued(certificate):
            for fault in faults_of_names(certificate, issuer):
                yield Problem(places[index], f"{fault}: have it issued for other names, or by another authority")


def _policy_problems(chain: Sequence[x509.Certificate]) -> Iterator[Problem]:
    """Refuse a chain in which `explicit_policy` comes to 0 (RFC 5280 sections 6.1.4 h, i and 6.1.5 a, b)."""
    left = len(chain) + 1
    for index in reversed(range(len(chain))):
        certificate = chain[index]
        left -= index == 0 or not is_self_issued(certificate)
        constraints = extension_of(certificate, x509.PolicyConstraints)
        required = constraints.require_explicit_policy if constraints else None
        if required is not None and (index > 0 or required == 0):
            left = min(left, required)
        if left == 0:
            yield Problem(
                f"chain[{index}]",
                "an authority of the chain asks for certificate policies (policyConstraints), which are not followed"
                " here: use a chain without requireExplicitPolicy",
            )
            return
