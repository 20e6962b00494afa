"""Issue certificates: the same declaration, key, dates, serial number and issuer always give the same bytes.

ECDSA signatures are made without random numbers (RFC 6979), so that nothing here needs entropy or a clock.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from ipaddress import ip_address
from typing import Any, cast

from cryptography import x509

from pki.carried import Carried, carried_extensions
from pki.constrained_names import name_constraints
from pki.extensions import extension_of, is_authority, is_same_name, long_names, name_in_words, parse_whole
from pki.keys import PrivateKey, PublicKey, SignatureHash, algorithm_of, is_deterministic, signature_hash
from pki.model import (
    SUBJECT_PARTS,
    CertificateDeclaration,
    Profile,
    Subject,
    SubjectAltNames,
    Validity,
)
from pki.profile_extensions import CRITICAL, extended_key_usage, key_usage
from pki.profiles import PROFILES
from postseal_core.errors import CertificateError
from postseal_core.instants import format_instant

__all__ = ["Issuer", "issue", "serial_number_from", "subject_name"]

# A server without an authority has nobody else; its clients know it by its fingerprint.
_SELF_SIGNED = frozenset({Profile.ROOT, Profile.SERVER, Profile.SERVER_AND_CLIENT})
_MIN_ENTROPY_BYTES = 9
_MAX_SERIAL_BYTES = 20

_ATTRIBUTES = tuple((name, x509.ObjectIdentifier(part.oid)) for name, part in SUBJECT_PARTS.items())


@dataclass(frozen=True, slots=True)
class Issuer:
    """An authority's certificate together with its private key, checked to belong together and to be able to sign.

    Make it once and use it for many certificates: the checks are done here. Whether the certificate itself is valid
    today or trusted by anybody is not checked.

    Raises:
        CertificateError: the certificate is no authority's, or the key is another one or of no accepted algorithm.
    """

    certificate: x509.Certificate
    private_key: PrivateKey = field(repr=False)
    signature_hash: SignatureHash | None = field(init=False, repr=False, compare=False)
    authority_key_identifier: x509.AuthorityKeyIdentifier = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        name = name_in_words(self.certificate.subject)
        algorithm_of(self.private_key, what=f"key of issuer {name}")
        if not is_authority(self.certificate):
            raise CertificateError(
                f"{name} is no authority: an issuer needs CA:TRUE in basicConstraints and keyCertSign in keyUsage"
                " (RFC 5280 sections 4.2.1.3 and 4.2.1.9); sign with an intermediate or root certificate"
            )
        if not _is_key_of(self.private_key, self.certificate.public_key()):
            raise CertificateError(f"the private key does not belong to issuer {name}: hand in the key it was made for")
        object.__setattr__(self, "signature_hash", signature_hash(self.private_key))
        object.__setattr__(self, "authority_key_identifier", _authority_key_identifier(self.certificate))


def issue(
    declaration: CertificateDeclaration,
    *,
    public_key: PublicKey,
    validity: Validity,
    serial_number: int,
    issuer: Issuer | None,
    signing_key: PrivateKey | None = None,
    carried: Carried | None = None,
) -> x509.Certificate:
    """Return the certificate for `public_key`, signed by `issuer`, or by its own `signing_key`.

    `issuer` is None for the profile root, and for servers without an authority; then `signing_key` is the private half
    of `public_key`. `carried`: a certificate whose name and extensions the new one takes over, see `pki.carried`; the
    declaration then says only what changes.
    Not checked: the declared names and path length; see `problems_of_declaration` and `problems_under_limits`.

    Raises:
        CertificateError: the dates are outside of the issuer's or the profile's limits, issuer and profile do not go
            together, or a key is of no accepted algorithm. The message has one line for each.
    """
    subject = carried.subject if carried else subject_name(declaration.subject)
    refusals = [
        *_key_refusals(declaration, public_key, issuer, signing_key),
        *_subject_refusals(declaration, subject, issuer),
        *_date_refusals(declaration, validity, issuer),
    ]
    if refusals:
        raise CertificateError("\n".join(refusals))
    extensions = _all_extensions(declaration, public_key, issuer, carried)
    builder = (
        # The extensions are handed over as a whole: adding them one by one copies the builder each time.
        x509.CertificateBuilder(extensions=extensions)
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(public_key)
        .serial_number(serial_number)
        .not_valid_before(validity.not_before)
        .not_valid_after(validity.not_after)
    )
    key = issuer.private_key if issuer else cast("PrivateKey", signing_key)  # _key_refusals saw that one is there
    algorithm = issuer.signature_hash if issuer else signature_hash(key)
    certificate = builder.sign(key, algorithm, ecdsa_deterministic=is_deterministic(key))
    # Whoever reads a long name first is warned; nobody needs to be.
    has_long_name = _has_long_name(subject) or (issuer is not None and _has_long_name(issuer.certificate.subject))
    return parse_whole(certificate) if has_long_name else certificate


def serial_number_from(entropy: bytes) -> int:
    """Return a positive serial number of at most 20 octets (RFC 5280 section 4.1.2.2) from random bytes.

    At least 9 bytes are needed, for 64 bits that cannot be guessed; more than 20 are not used.

    Raises:
        ValueError: fewer bytes, or all of them zero.
    """
    serial_number = int.from_bytes(entropy[:_MAX_SERIAL_BYTES]) >> 1  # the first bit of a positive number is zero
    if len(entropy) < _MIN_ENTROPY_BYTES or not serial_number:
        raise ValueError(f"got {len(entropy)} bytes, expected at least {_MIN_ENTROPY_BYTES} random ones")
    return serial_number


@lru_cache(maxsize=1024)
def subject_name(subject: Subject) -> x509.Name:
    """Return the distinguished name of a subject: from the country down to the common name, empty fields left out."""
    values = ((oid, getattr(subject, attribute)) for attribute, oid in _ATTRIBUTES)
    return x509.Name([_attribute(oid, value) for oid, value in values if value])


def _has_long_name(name: x509.Name) -> bool:
    return any(len(str(each.value).encode()) > SUBJECT_PARTS["common_name"].most for each in name)


def _attribute(oid: x509.ObjectIdentifier, value: str) -> x509.NameAttribute[str]:
    """Build one attribute of a name.

    The library bounds octets of a common name, and writes 64 characters only without its own check; `pki.names` has
    judged how many those are.
    """
    with long_names():
        return x509.NameAttribute(oid, value, _validate=False)


def _is_key_of(private_key: PrivateKey, public_key: object) -> bool:
    return private_key.public_key() == public_key


def _authority_key_identifier(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """Build the extension from the key identifier alone (RFC 5280 section 4.2.1.1); it outlives an issuer's renewal."""
    identifier = extension_of(issuer, x509.SubjectKeyIdentifier)
    if identifier is not None:
        return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(cast("PublicKey", issuer.public_key()))


def _key_refusals(
    declaration: CertificateDeclaration, public_key: PublicKey, issuer: Issuer | None, signing_key: PrivateKey | None
) -> Iterator[str]:
    name, profile = declaration.subject.common_name, declaration.profile
    algorithm_of(public_key, what=f"key of {name}")
    if issuer is None and profile not in _SELF_SIGNED:
        yield f"{name}: got profile {profile} and no issuer; only roots and servers may sign themselves"
    if issuer is not None and profile is Profile.ROOT:
        yield f"{name}: got profile root and an issuer; a root has none"
    if issuer is None and (signing_key is None or not _is_key_of(signing_key, public_key)):
        yield f"{name}: expected the private half of its own key as signing_key, because it signs itself"
    if issuer is not None and signing_key is not None:
        yield f"{name}: got an issuer and a signing_key; leave signing_key out, the issuer signs"


def _subject_refusals(declaration: CertificateDeclaration, subject: x509.Name, issuer: Issuer | None) -> Iterator[str]:
    if issuer is not None and is_same_name(issuer.certificate.subject, subject):
        name = declaration.subject.common_name
        yield f"{name}: got the subject of its issuer, which makes it look self-signed; choose another common_name"


def _date_refusals(declaration: CertificateDeclaration, validity: Validity, issuer: Issuer | None) -> Iterator[str]:
    name, profile = declaration.subject.common_name, declaration.profile
    lifetime, limit_hours = validity.not_after - validity.not_before, PROFILES[profile].max_validity_hours
    if lifetime <= timedelta(0):
        yield (
            f"{name}: got not_after {format_instant(validity.not_after)}, expected an instant after not_before"
            f" {format_instant(validity.not_before)}"
        )
    if lifetime > timedelta(hours=limit_hours):
        hours = f"{lifetime / timedelta(hours=1):.10g}"
        yield f"{name}: got a validity of {hours} hours, expected at most {limit_hours} for profile {profile}"
    if issuer is not None and validity.not_after > issuer.certificate.not_valid_after_utc:
        yield (
            f"{name}: got not_after {format_instant(validity.not_after)}, expected no later than its issuer's"
            f" {format_instant(issuer.certificate.not_valid_after_utc)}; shorten it or renew the issuer first"
        )


def _all_extensions(
    declaration: CertificateDeclaration, public_key: PublicKey, issuer: Issuer | None, carried: Carried | None
) -> list[x509.Extension[Any]]:
    declared = [
        x509.Extension(each.oid, CRITICAL[type(each)], each) for each in _extensions(declaration, public_key, issuer)
    ]
    if carried is None:
        return declared
    is_same_key = carried.certificate.public_key() == public_key
    return carried_extensions(carried, declared, is_same_key=is_same_key, has_issuer=issuer is not None)


def _extensions(
    declaration: CertificateDeclaration, public_key: PublicKey, issuer: Issuer | None
) -> Iterator[x509.ExtensionType]:
    purposes = extended_key_usage(declaration.profile)
    yield x509.BasicConstraints(ca=declaration.profile.is_authority, path_length=declaration.path_length)
    yield key_usage(declaration.profile, algorithm_of(public_key))
    if purposes is not None:
        yield purposes
    if declaration.alt_names:
        yield _subject_alternative_name(declaration.alt_names)
    if declaration.name_constraints:
        yield name_constraints(declaration.name_constraints)
    if declaration.crl_urls:
        yield _distribution_points(declaration.crl_urls)
    yield x509.SubjectKeyIdentifier.from_public_key(public_key)  # method 1 of RFC 5280 section 4.2.1.2, as others do
    if issuer is not None:
        yield issuer.authority_key_identifier
    elif not declaration.profile.is_authority:  # only an authority may leave it out (RFC 5280 section 4.2.1.1)
        yield x509.AuthorityKeyIdentifier.from_issuer_public_key(public_key)


def _subject_alternative_name(alt_names: SubjectAltNames) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName(
        [
            *map(x509.DNSName, alt_names.dns_names),
            *map(x509.RFC822Name, alt_names.email_addresses),
            *(x509.IPAddress(ip_address(address)) for address in alt_names.ip_addresses),
            *map(x509.UniformResourceIdentifier, alt_names.uris),
        ]
    )


@lru_cache
def _distribution_points(crl_urls: tuple[str, ...]) -> x509.CRLDistributionPoints:
    """Build one distribution point with all addresses of the same CRL (RFC 5280 section 4.2.1.13)."""
    addresses = [x509.UniformResourceIdentifier(url) for url in crl_urls]
    return x509.CRLDistributionPoints(
        [x509.DistributionPoint(full_name=addresses, relative_name=None, reasons=None, crl_issuer=None)]
    )
