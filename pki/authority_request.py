"""Make certificate requests (PKCS#10, RFC 2986) for an authority that somebody else signs.

A request asks for what the authority is declared to be: subject, path length, name constraints, usages. Where a
certificate is in use, or an adopted one is carried on, it asks for the bytes by which that is found, and for the limits
that it has and nobody repeats. What the signer makes of it is compared in `pki.authority_answer`.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pki.carried import Carried
from pki.constrained_names import name_constraints
from pki.extensions import extension_of
from pki.issuing import subject_name
from pki.keys import PrivateKey, algorithm_of, is_deterministic, signature_hash
from pki.model import CertificateDeclaration, Profile
from pki.profile_extensions import CRITICAL, key_usage
from pki.profiles import Purpose

__all__ = ["PURPOSES", "PurposeWord", "authority_request_pem"]


class PurposeWord(StrEnum):
    """An extended key usage that an authority may be limited to, as RFC 5280 section 4.2.1.12 spells it.

    Attributes:
        SERVER_AUTH: Certificates of servers.
        CLIENT_AUTH: Certificates of clients.
    """

    SERVER_AUTH = "serverAuth"
    CLIENT_AUTH = "clientAuth"


PURPOSES: Final = {
    PurposeWord.SERVER_AUTH: x509.ObjectIdentifier(Purpose.SERVER_AUTH),
    PurposeWord.CLIENT_AUTH: x509.ObjectIdentifier(Purpose.CLIENT_AUTH),
}
"""The object identifier of each purpose."""


def authority_request_pem(
    declaration: CertificateDeclaration,
    private_key: PrivateKey,
    purposes: tuple[PurposeWord, ...] = (),
    carried: Carried | None = None,
) -> str:
    """Return the request for an authority in PEM; the same declaration and key give the same bytes.

    It has no date, so that a renewal with the same key may send it again. `purposes`: the extended key usages that are
    asked for; none is no limit. `carried`: the certificate that it is to be as, with the subject to ask for. Not
    checked: the declaration, see `problems_of_declared`.
    """
    subject = carried.subject if carried else subject_name(declaration.subject)
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    for extension in _extensions(declaration, private_key, purposes, carried.certificate if carried else None):
        builder = builder.add_extension(extension, critical=CRITICAL[type(extension)])
    request = builder.sign(private_key, signature_hash(private_key), ecdsa_deterministic=is_deterministic(private_key))
    return request.public_bytes(Encoding.PEM).decode("ascii")


def _extensions(
    declaration: CertificateDeclaration,
    private_key: PrivateKey,
    purposes: tuple[PurposeWord, ...],
    model: x509.Certificate | None,
) -> Iterator[x509.ExtensionType]:
    yield x509.BasicConstraints(ca=True, path_length=declaration.path_length)
    yield key_usage(Profile.INTERMEDIATE, algorithm_of(private_key))
    usages = x509.ExtendedKeyUsage([PURPOSES[each] for each in purposes]) if purposes else None
    limits = name_constraints(declaration.name_constraints) if declaration.name_constraints else None
    identifier: x509.SubjectKeyIdentifier | None = None
    if model is not None:
        usages = usages or extension_of(model, x509.ExtendedKeyUsage)
        limits = limits or extension_of(model, x509.NameConstraints)
        is_same_key = model.public_key() == private_key.public_key()
        identifier = extension_of(model, x509.SubjectKeyIdentifier) if is_same_key else None
    yield from (each for each in (usages, limits) if each is not None)
    yield identifier or x509.SubjectKeyIdentifier.from_public_key(private_key.public_key())
