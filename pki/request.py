"""Read certificate requests (PKCS#10, RFC 2986): a certificate for a key that never leaves the place it was made at.

A request proves that its sender has the key. Names are never taken from it, they are only compared.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from pki.extensions import long_names
from pki.fields import DeclaredCertificate
from pki.fingerprint import key_reference, public_key_fingerprint_sha256
from pki.keys import PSS_ONLY, PublicKey, algorithm_of, restricted_to_pss
from pki.model import KeyAlgorithm
from pki.name_syntax import fault_of_email, fault_of_host
from postseal_core.errors import CertificateError, Problem

__all__ = ["CertificateRequest", "load_request", "problems_of_requested_names", "sentence_of_shared_key"]

_LABEL: Final = re.compile(r"-----BEGIN ([^\n]{1,60}?)-----")
_LABELS: Final = frozenset({"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"})
_PLAIN_LABEL: Final = re.compile(r"[A-Z0-9 ]{1,40}", re.ASCII)
_MAKE: Final = "make it with `openssl req -new -key KEY -subj /CN=NAME`"
_WEAK_HASHES: Final = (hashes.MD5,)
_KINDS: Final = (
    (x509.RFC822Name, "email"),
    (x509.DNSName, "dns_names"),
    (x509.IPAddress, "ip_addresses"),
)
# A name with a bit string in it is a TypeError.
_UNPARSABLE: Final = (
    *(ValueError, TypeError, UnsupportedAlgorithm),
    *(x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType),
)


@dataclass(frozen=True, slots=True)
class CertificateRequest:
    """A request whose sender has proven to have the key.

    Attributes:
        content: The request itself.
        public_key: The key that is to be certified.
        key_algorithm: Its algorithm.
    """

    content: x509.CertificateSigningRequest
    public_key: PublicKey
    key_algorithm: KeyAlgorithm

    @property
    def key_reference(self) -> str:
        """The SHA-256 of the public key, in the form in which inputs keep it."""
        return key_reference(public_key_fingerprint_sha256(self.public_key))


def load_request(pem: str, *, what: str) -> CertificateRequest:
    """Read exactly one request in PEM and check that its sender has the key; `what` names it in messages.

    Not checked: the names in it, see `problems_of_requested_names`.

    Raises:
        CertificateError: no request or several, a signature that is not by its own key, or a key of no accepted
            algorithm.
    """
    _refuse_other_blocks(pem, what)
    try:
        request = x509.load_pem_x509_csr(pem.encode())
        signature_hash = request.signature_hash_algorithm
        is_proven = _is_proven(request)
        public_key = request.public_key()
        _parse_names(request)
    except _UNPARSABLE as error:
        raise CertificateError(
            f"{what}: cannot be read as a certificate request (PKCS#10), expected PEM text that has a line "
            f"`-----BEGIN CERTIFICATE REQUEST-----`; {_MAKE}"
        ) from error
    if _is_restricted_to_pss(request):
        raise restricted_to_pss(what)
    algorithm = algorithm_of(public_key, what=what)
    if not is_proven and isinstance(signature_hash, _WEAK_HASHES):
        raise CertificateError(
            f"{what}: is signed with {signature_hash.name.upper()}, which proves nothing any more; make the request "
            "again where the key is, with SHA-256 (openssl req -new -sha256)"
        )
    if not is_proven:
        raise CertificateError(
            f"{what}: was not signed by its own key, so nobody has proven to have that (RFC 2986 section 3); make the "
            "request again where the key is"
        )
    return CertificateRequest(request, cast("PublicKey", public_key), algorithm)


def _refuse_other_blocks(pem: str, what: str) -> None:
    """Refuse what is not one request, by the labels of the PEM blocks that are there."""
    labels = _LABEL.findall(pem)
    if len(labels) == 1 and labels[0] in _LABELS:
        return
    expected = f"expected one `-----BEGIN CERTIFICATE REQUEST-----`; {_MAKE}, and hand in no key"
    if not labels:
        raise CertificateError(f"{what}: got no PEM block, {expected}")
    if "CERTIFICATE" in labels and not _LABELS & {*labels}:
        expected = f"{expected}, or list a certificate that exists under extra_relay_clients of the host"
    raise CertificateError(f"{what}: got {_counted(labels)}, {expected}")


def _is_restricted_to_pss(request: x509.CertificateSigningRequest) -> bool:
    """Return whether the key is for PSS alone: it stands in the request otherwise than a certificate would have it."""
    written = request.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    content = request.tbs_certrequest_bytes
    return PSS_ONLY in content and written not in content


def _counted(labels: Sequence[str]) -> str:
    """Return labels with how often each is there; what is no label that others use is not repeated."""
    known = [label if _PLAIN_LABEL.fullmatch(label) else "another block" for label in labels]
    return ", ".join(f"{known.count(label)} {label}" for label in dict.fromkeys(known))


def _is_proven(request: x509.CertificateSigningRequest) -> bool:
    """Return whether the request is signed by its own key.

    Many devices sign requests with SHA-1 still. The library refuses that hash as too weak for certificates; as a proof
    that somebody has the key it will do, since only who has the key could make use of a collision.
    """
    if request.is_signature_valid:
        return True
    if not isinstance(request.signature_hash_algorithm, hashes.SHA1):
        return False
    key, signature, signed = request.public_key(), request.signature, request.tbs_certrequest_bytes
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, PKCS1v15(), hashes.SHA1())  # noqa: S303 - see above
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, signed, ec.ECDSA(hashes.SHA1()))  # noqa: S303 - see above
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _parse_names(request: x509.CertificateSigningRequest) -> None:
    """Parse all lazily parsed fields that hold names: broken ones are reported while reading."""
    with long_names():
        for name in ("subject", "extensions"):
            getattr(request, name)


def problems_of_requested_names(request: CertificateRequest, declared: DeclaredCertificate) -> Iterator[Problem]:
    """Report names in a request that are not declared; the certificate would lack them.

    Names in its subject that are no host name and no mailbox, as a device's serial number, are passed over.
    """
    names = {
        "email": {declared.email.lower()},
        "dns_names": {name.lower() for name in declared.dns_names},
        "ip_addresses": set(declared.ip_addresses),
    }
    known = {declared.common_name.lower(), *names["email"], *names["dns_names"]}
    with long_names():
        subject = request.content.subject
    unknown = [name for name in _identities_in(subject) if name.lower() not in known]
    unknown += _undeclared(request.content.extensions, names)
    for name in dict.fromkeys(unknown):
        yield Problem(
            "request_pem",
            f"asks for {name!r}, which is not declared for this client: declare it, or make a request without it; a "
            "certificate has only the names that are declared",
        )


def sentence_of_shared_key(other: str) -> str:
    """Return why a request for the key of another client is refused."""
    return (
        f"is for the key of {other}: who has that key would be both, and revoking one would leave the other; make a "
        "key and a request on each device"
    )


def _identities_in(subject: x509.Name) -> Iterator[str]:
    """Yield host names and mailboxes of a subject."""
    for attribute in subject:
        value = str(attribute.value)
        is_host = "." in value and fault_of_host(value) is None
        is_mailbox = "@" in value and fault_of_email(value) is None
        if attribute.oid in (NameOID.COMMON_NAME, NameOID.EMAIL_ADDRESS) and (is_host or is_mailbox):
            yield value


def _undeclared(extensions: Iterable[x509.Extension[x509.ExtensionType]], names: dict[str, set[str]]) -> list[str]:
    found = []
    for extension in extensions:
        for name in extension.value if isinstance(extension.value, x509.SubjectAlternativeName) else ():
            field = next((field for kind, field in _KINDS if isinstance(name, kind)), "")
            text = str(name.value)
            if text.lower() not in names.get(field, set()):
                found.append(text if field else f"a {type(name).__name__}")
    return found
