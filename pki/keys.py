"""Make, read and name private keys; the only module of the certificate core that draws entropy.

Accepted are the algorithms of `KeyAlgorithm`: what OpenSSL 1.1.1 and later, and so Postfix, can serve and verify.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, cast

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

from pki.ec_private_keys import IS_OTHERWISE_LONG, ec_private_key_of_other_length
from pki.key_forms import form_in_words
from pki.model import KeyAlgorithm
from postseal_core.bounds import LARGEST_KEY_BYTES
from postseal_core.errors import CertificateError

__all__ = [
    "PSS_ONLY",
    "PrivateKey",
    "PublicKey",
    "SignatureHash",
    "algorithm_of",
    "choices_of_algorithm",
    "generate_private_key",
    "is_deterministic",
    "key_in_words",
    "kind_of_key",
    "load_private_key",
    "private_key_pem",
    "restricted_to_pss",
    "signature_hash",
    "unknown_algorithm",
]

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
SignatureHash = hashes.SHA256 | hashes.SHA384 | hashes.SHA512
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class _AlgorithmRow:
    """How a key of one algorithm is generated, and the hash that its signatures use."""

    generate: Callable[[], PrivateKey]
    signature_hash: SignatureHash | None


def _ecdsa(curve: ec.EllipticCurve, signature_hash: SignatureHash) -> _AlgorithmRow:
    return _AlgorithmRow(lambda: ec.generate_private_key(curve), signature_hash)


def _rsa(bits: int) -> _AlgorithmRow:
    return _AlgorithmRow(lambda: rsa.generate_private_key(65537, bits), hashes.SHA256())


# The hash follows the strength of the curve (RFC 5480 section 4); Ed25519 hashes by itself (RFC 8410 section 6).
_ALGORITHMS: Mapping[KeyAlgorithm, _AlgorithmRow] = {
    KeyAlgorithm.ECDSA_P256: _ecdsa(ec.SECP256R1(), hashes.SHA256()),
    KeyAlgorithm.ECDSA_P384: _ecdsa(ec.SECP384R1(), hashes.SHA384()),
    KeyAlgorithm.ECDSA_P521: _ecdsa(ec.SECP521R1(), hashes.SHA512()),
    KeyAlgorithm.RSA_2048: _rsa(2048),
    KeyAlgorithm.RSA_3072: _rsa(3072),
    KeyAlgorithm.RSA_4096: _rsa(4096),
    KeyAlgorithm.RSA_8192: _rsa(8192),
    KeyAlgorithm.ED25519: _AlgorithmRow(ed25519.Ed25519PrivateKey.generate, signature_hash=None),
}

_BY_CURVE = {
    "secp256r1": KeyAlgorithm.ECDSA_P256,
    "secp384r1": KeyAlgorithm.ECDSA_P384,
    "secp521r1": KeyAlgorithm.ECDSA_P521,
}
_BY_RSA_BITS = {
    2048: KeyAlgorithm.RSA_2048,
    3072: KeyAlgorithm.RSA_3072,
    4096: KeyAlgorithm.RSA_4096,
    8192: KeyAlgorithm.RSA_8192,
}
_PKCS8: Final = "-----BEGIN PRIVATE KEY-----"
PSS_ONLY: Final = bytes.fromhex("06092a864886f70d01010a")
"""id-RSASSA-PSS in DER: the algorithm of an RSA key that makes PSS signatures only (RFC 4055 section 1.2)."""
_CHOICES = ", ".join(KeyAlgorithm)


def generate_private_key(algorithm: KeyAlgorithm) -> PrivateKey:
    """Return a new private key from the operating system's random numbers."""
    return _ALGORITHMS[algorithm].generate()


def signature_hash(signing_key: PrivateKey) -> SignatureHash | None:
    """Return the hash that signatures by this key use; None for Ed25519, which has its own.

    Raises:
        CertificateError: the key is of no accepted algorithm.
    """
    return _ALGORITHMS[algorithm_of(signing_key)].signature_hash


def private_key_pem(private_key: PrivateKey) -> str:
    """Return the key as unencrypted PKCS#8 PEM (RFC 5958), the form Postfix reads; the result is a secret."""
    encoded = private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return encoded.decode("ascii")


def load_private_key(pem: str, *, what: str) -> PrivateKey:
    """Read an unencrypted PEM private key (PKCS#8, `EC PRIVATE KEY` or `RSA PRIVATE KEY`) of an accepted algorithm.

    `what` names the key in messages (`key of mx1.example.org`). The first key in `pem` is read; other blocks are
    ignored. Whether a certificate belongs to the key is not checked.

    Raises:
        CertificateError: no PEM key, an encrypted key, an algorithm or size that is not accepted, or more than 64 KiB.
    """
    if len(pem) > LARGEST_KEY_BYTES:
        raise CertificateError(f"{what}: got more than {LARGEST_KEY_BYTES // 2**10} KiB: hand in only the key")
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except TypeError as error:
        raise CertificateError(
            f"{what}: the key is encrypted with a passphrase, expected an unencrypted one. Postfix must start"
            " unattended: remove the passphrase with `openssl pkey -in KEY -out KEY.plain`"
        ) from error
    except UnsupportedAlgorithm as error:
        raise unknown_algorithm(what) from error
    except (ValueError, InternalError) as error:
        if IS_OTHERWISE_LONG in str(error) and (other := ec_private_key_of_other_length(pem)):
            return other
        form = form_in_words(pem)
        raise CertificateError(
            f"{what}: {form}"
            if form
            else f"{what}: cannot be read as a private key, expected PEM text that has a line"
            " `-----BEGIN PRIVATE KEY-----`; make one with `openssl genpkey`"
        ) from error
    algorithm_of(key, what=what)
    if isinstance(key, rsa.RSAPrivateKey) and _is_restricted_to_pss(pem):
        raise restricted_to_pss(what)
    return cast("PrivateKey", key)


def restricted_to_pss(what: str) -> CertificateError:
    """Return the error for an RSA key that says of itself that it makes PSS signatures only (RFC 4055 section 1.2).

    The library forgets that; the certificate or the key that it writes is then for another kind of key, and OpenSSL
    refuses the pair.
    """
    return CertificateError(
        f"{what}: got an RSA key that is for PSS signatures alone (id-RSASSA-PSS), which few programs can use; make an "
        "ordinary one with `openssl genpkey -algorithm RSA` or `-algorithm EC`"
    )


def _is_restricted_to_pss(pem: str) -> bool:
    """Return whether the first key in clear names that algorithm at its beginning (PKCS#8, RFC 5958 section 2)."""
    body = pem.partition(_PKCS8)[2].partition("-----END")[0]
    try:
        return PSS_ONLY in base64.b64decode("".join(body.split())[:64])
    except ValueError:
        return False


def unknown_algorithm(what: str) -> CertificateError:
    """Return the error for a key that is whole, and of an algorithm or on a curve that the library does not know."""
    return CertificateError(
        f"{what}: got a key of an algorithm or curve that is not known here, expected one of {_CHOICES}; make a new key"
        " of one of these"
    )


def algorithm_of(key: object, *, what: str = "key") -> KeyAlgorithm:
    """Return the algorithm of a private or public key; `what` names the key in messages.

    Raises:
        CertificateError: the algorithm, curve or size is not accepted; the message says which are.
    """
    match key:
        case ec.EllipticCurvePrivateKey() | ec.EllipticCurvePublicKey():
            algorithm = _BY_CURVE.get(key.curve.name)
        case rsa.RSAPrivateKey() | rsa.RSAPublicKey():
            algorithm = _BY_RSA_BITS.get(key.key_size)
        case ed25519.Ed25519PrivateKey() | ed25519.Ed25519PublicKey():
            algorithm = KeyAlgorithm.ED25519
        case _:
            algorithm = None
    if algorithm is None:
        words = key_in_words(key)
        raise CertificateError(f"{what}: got {words}, expected one of {_CHOICES}; make a new key of one of these")
    return algorithm


def key_in_words(key: object) -> str:
    """Return what a private or public key is, for messages: `an RSA key of 1024 bits`."""
    match key:
        case ec.EllipticCurvePrivateKey() | ec.EllipticCurvePublicKey():
            return f"an ECDSA key on curve {key.curve.name}"
        case rsa.RSAPrivateKey() | rsa.RSAPublicKey():
            return f"an RSA key of {key.key_size} bits"
        case dsa.DSAPrivateKey() | dsa.DSAPublicKey():
            return f"a DSA key of {key.key_size} bits"
        case ed448.Ed448PrivateKey() | ed448.Ed448PublicKey():
            return "an Ed448 key"
        case _:
            return f"a key of type {type(key).__name__}"


def choices_of_algorithm() -> str:
    """Return the accepted algorithms, for messages."""
    return _CHOICES


def kind_of_key(key: object) -> str:
    """Return the kind of a private or public key, of which a TLS server holds one certificate each: `RSA`, `ECDSA`.

    A key of no accepted algorithm has a kind as well: the name of its class.
    """
    match key:
        case ec.EllipticCurvePrivateKey() | ec.EllipticCurvePublicKey():
            return "ECDSA"
        case rsa.RSAPrivateKey() | rsa.RSAPublicKey():
            return "RSA"
        case ed25519.Ed25519PrivateKey() | ed25519.Ed25519PublicKey():
            return "ED25519"
        case _:
            return type(key).__name__


def is_deterministic(signing_key: PrivateKey) -> bool | None:
    """Return what to pass as `ecdsa_deterministic` when signing: True for ECDSA (RFC 6979), None where it is moot.

    RSA (PKCS#1 v1.5) and Ed25519 signatures are deterministic by themselves.
    """
    return True if isinstance(signing_key, ec.EllipticCurvePrivateKey) else None
