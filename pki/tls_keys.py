"""Arguments for pulumi-tls private keys, which hold the keys of authorities."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pki.model import KeyAlgorithm

__all__ = ["TlsPrivateKeyArguments", "tls_private_key_arguments"]


@dataclass(frozen=True, slots=True)
class TlsPrivateKeyArguments:
    """Arguments of the pulumi-tls resource `PrivateKey`; None means: leave the argument out."""

    algorithm: str
    ecdsa_curve: str | None = None
    rsa_bits: int | None = None


_ARGUMENTS: Final[Mapping[KeyAlgorithm, TlsPrivateKeyArguments]] = {
    KeyAlgorithm.ECDSA_P256: TlsPrivateKeyArguments("ECDSA", ecdsa_curve="P256"),
    KeyAlgorithm.ECDSA_P384: TlsPrivateKeyArguments("ECDSA", ecdsa_curve="P384"),
    KeyAlgorithm.ECDSA_P521: TlsPrivateKeyArguments("ECDSA", ecdsa_curve="P521"),
    KeyAlgorithm.RSA_2048: TlsPrivateKeyArguments("RSA", rsa_bits=2048),
    KeyAlgorithm.RSA_3072: TlsPrivateKeyArguments("RSA", rsa_bits=3072),
    KeyAlgorithm.RSA_4096: TlsPrivateKeyArguments("RSA", rsa_bits=4096),
    KeyAlgorithm.RSA_8192: TlsPrivateKeyArguments("RSA", rsa_bits=8192),
    KeyAlgorithm.ED25519: TlsPrivateKeyArguments("ED25519"),
}


def tls_private_key_arguments(algorithm: KeyAlgorithm) -> TlsPrivateKeyArguments:
    """Return the arguments with which pulumi-tls makes a key of this algorithm.

    Curve and size are always given: left out, pulumi-tls makes P-224 keys, for which TLS 1.3 has no signatures.
    """
    return _ARGUMENTS[algorithm]
