"""Read a third party's answer to a request: certificates in PEM or PKCS#7, in any order."""

import base64
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import AuthorityInformationAccessOID

from pki.extensions import extension_of, is_authority, is_self_issued, name_in_words
from pki.keys import PublicKey
from pki.verification import chain_pem, is_issued_by, load_chain, order_chain
from postseal_core.bounds import LARGEST_CHAIN_BYTES, MOST_CERTIFICATES
from postseal_core.errors import CertificateError, Problem

__all__ = ["fault_of_binary", "pem_of_binary", "problems_of_missing_issuer", "read_answer"]

_PKCS7: Final = "-----BEGIN PKCS7-----"
_UNPARSABLE: Final = (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion)
_SEQUENCE: Final = b"\x30"  # how every DER of a certificate or a set of them begins (X.690)
_LABEL: Final = re.compile(r"-----(BEGIN|END) CERTIFICATE-----")


def read_answer(
    text: str, *, what: str, roots: Sequence[x509.Certificate] = (), public_key: PublicKey | None = None
) -> list[x509.Certificate]:
    """Return the certificates of an answer, leaf first, without the root; `what` names it in messages.

    They are put in order where they are one chain in another order (in PKCS#7 they are a set, RFC 2315 section 9.1).
    Among more than one chain, the authority's that leads to one of `roots` is taken if there is only one, or only one
    for `public_key`; each link is then the certificate that lasts longest. What is not clear is returned as it stands,
    for `problems_of_imported_chain` or `pki.authority_answer` to say what is wrong.

    Raises:
        CertificateError: no certificate, something else among them, or one that cannot be parsed.
    """
    certificates = load_chain(_as_pem(text, what), what=what)
    try:
        ordered = order_chain(certificates)
    except CertificateError:
        return _only_chain_to(roots, certificates, public_key) or certificates
    has_root = len(ordered) > 1 and is_self_issued(ordered[-1])
    return ordered[:-1] if has_root else ordered


def _only_chain_to(
    roots: Sequence[x509.Certificate], certificates: Sequence[x509.Certificate], public_key: PublicKey | None
) -> list[x509.Certificate]:
    """Return the chain of the one authority in a set that leads to a root and has signed no other; else nothing."""
    if len(certificates) > MOST_CERTIFICATES:
        return []
    links = [each for each in dict.fromkeys(certificates) if is_authority(each) and not is_self_issued(each)]
    links.sort(key=lambda each: each.not_valid_after_utc, reverse=True)
    chains = [chain for each in links if (chain := _chain_from(each, links, roots))]
    above = [each for chain in chains for each in chain[1:]]
    # Another certificate of an authority above, as a renewal or a cross certificate, is no beginning either.
    first = [chain for chain in chains if not any(_has_key(other, _key_of(chain[0])) for other in above)]
    own = [chain for chain in first if public_key is None or _has_key(chain[0], public_key)]
    return own[0] if len(own) == 1 else []


def _key_of(certificate: x509.Certificate) -> object:
    with suppress(ValueError, UnsupportedAlgorithm):
        return certificate.public_key()
    return certificate


def _has_key(certificate: x509.Certificate, key: object) -> bool:
    return _key_of(certificate) == key


def _chain_from(
    first: x509.Certificate, links: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]
) -> list[x509.Certificate]:
    """Return the first chain from a certificate up to one that a root has signed; nothing where none leads there."""
    if any(is_issued_by(first, root) for root in roots):
        return [first]
    others = [each for each in links if each != first]
    chains = (_chain_from(each, others, roots) for each in others if is_issued_by(first, each))
    return next(([first, *chain] for chain in chains if chain), [])


def problems_of_missing_issuer(chain: Sequence[x509.Certificate]) -> Iterator[Problem]:
    """Report a missing intermediate if the leaf names an address to fetch it from.

    A leaf that a root signs itself names no such place; a public authority's always does (RFC 5280 section 4.2.2.1).
    """
    if len(chain) != 1 or is_self_issued(chain[0]):
        return
    access = extension_of(chain[0], x509.AuthorityInformationAccess)
    if access and any(each.access_method == AuthorityInformationAccessOID.CA_ISSUERS for each in access):
        yield Problem(
            "chain",
            f"the certificate of {name_in_words(chain[0].issuer)}, which signed the first one, is missing: put it "
            "behind it; who knows only the root refuses the chain as it is",
        )


def pem_of_binary(content: bytes) -> str:
    """Return certificates or a request in a binary file (DER: `.cer`, `.p7b`, `.csr`) as PEM; else nothing."""
    if not content.startswith(_SEQUENCE) or len(content) > LARGEST_CHAIN_BYTES:
        return ""
    for load in (_pem_of_pkcs7, _pem_of_certificate, _pem_of_request):
        with suppress(*_UNPARSABLE):
            return load(content)
    return ""


def fault_of_binary(content: bytes) -> str:
    """Return why a file that is no text, and of which `pem_of_binary` made nothing, cannot be used."""
    if not content.startswith(_SEQUENCE):
        return "is no UTF-8 text; save it as UTF-8"
    return (
        "is a binary file, and neither certificates (DER, PKCS#7) nor a request; of an archive (PKCS#12, .p12 or .pfx) "
        "hand in what `openssl pkcs12 -in FILE -nokeys` writes, and keep its key with `pulumi config set --secret`"
    )


def _pem_of_pkcs7(der: bytes) -> str:
    return chain_pem(_certificates_of_pkcs7(der))


def _pem_of_certificate(der: bytes) -> str:
    return chain_pem([x509.load_der_x509_certificate(der)])


def _pem_of_request(der: bytes) -> str:
    return x509.load_der_x509_csr(der).public_bytes(Encoding.PEM).decode("ascii")


def _certificates_of_pkcs7(der: bytes) -> list[x509.Certificate]:
    with warnings.catch_warnings():
        # openssl and others write the set unsorted, which is no DER; the library says so and reads it all the same.
        warnings.simplefilter("ignore", UserWarning)
        return pkcs7.load_der_pkcs7_certificates(der)


def _relabelled(text: str) -> str:
    """Give PKCS#7 its own label where it has that of a certificate, as Windows (AD CS) saves it."""
    blocks = text.split("-----BEGIN CERTIFICATE-----")
    if len(blocks) != 2:  # noqa: PLR2004 - a single block: a set has all certificates in one
        return text
    body = "".join(blocks[1].partition("-----END")[0].split())
    with suppress(*_UNPARSABLE):
        _certificates_of_pkcs7(base64.b64decode(body, validate=True))
        return _LABEL.sub(r"-----\1 PKCS7-----", text)
    return text


def _as_pem(text: str, what: str) -> str:
    if len(text) <= LARGEST_CHAIN_BYTES:
        text = _relabelled(text)
    if _PKCS7 not in text:
        return text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return chain_pem(pkcs7.load_pem_pkcs7_certificates(text.encode()))
    except _UNPARSABLE as error:
        raise CertificateError(
            f"{what}: the PKCS#7 block cannot be parsed (truncated or altered?): copy it again, or convert it with "
            "`openssl pkcs7 -print_certs -in FILE`"
        ) from error
