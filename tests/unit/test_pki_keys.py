"""Private keys: what is generated, read, refused, and asked for in pulumi-tls."""

from base64 import encodebytes

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from pki.keys import (
    algorithm_of,
    generate_private_key,
    is_deterministic,
    load_private_key,
    private_key_pem,
    signature_hash,
)
from pki.model import KeyAlgorithm
from pki.tls_keys import TlsPrivateKeyArguments, tls_private_key_arguments
from postseal_core.errors import CertificateError
from tests.support.specimens import key_of

# Primes for the largest are sought for seconds.
EVERY_ALGORITHM = pytest.mark.parametrize(
    "algorithm",
    [
        pytest.param(each, marks=[pytest.mark.takes_long] if each is KeyAlgorithm.RSA_8192 else [])
        for each in KeyAlgorithm
    ],
)


def _pem(key: PrivateKeyTypes, passphrase: str = "", *, is_traditional: bool = False) -> str:
    form = serialization.PrivateFormat.TraditionalOpenSSL if is_traditional else serialization.PrivateFormat.PKCS8
    protection: serialization.KeySerializationEncryption = (
        serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    )
    return key.private_bytes(serialization.Encoding.PEM, form, protection).decode()


@EVERY_ALGORITHM
def test_a_generated_key_is_read_back_as_the_same_key_of_the_same_algorithm(algorithm: KeyAlgorithm) -> None:
    """Writing and reading loses nothing, and the algorithm of the pair is known from either half."""
    key = key_of(algorithm)
    read = load_private_key(private_key_pem(key), what="key")
    assert read.public_key() == key.public_key()
    assert algorithm_of(read) == algorithm_of(read.public_key()) == algorithm


def test_a_key_for_pss_alone_is_refused() -> None:
    """Written again it would be an ordinary one, which does not fit its certificate."""
    plain = bytes.fromhex("300d06092a864886f70d0101010500")
    der = key_of(KeyAlgorithm.RSA_2048).private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    inner = der[4:].replace(plain, bytes.fromhex("300b06092a864886f70d01010a"), 1)
    restricted = b"\x30\x82" + len(inner).to_bytes(2, "big") + inner
    pem = f"-----BEGIN PRIVATE KEY-----\n{encodebytes(restricted).decode()}-----END PRIVATE KEY-----\n"
    assert isinstance(serialization.load_pem_private_key(pem.encode(), None), rsa.RSAPrivateKey)
    with pytest.raises(CertificateError, match=r"^key: got an RSA key that is for PSS signatures alone"):
        load_private_key(pem, what="key")


def test_two_generated_keys_differ() -> None:
    """A key is drawn from entropy each time."""
    first, second = (generate_private_key(KeyAlgorithm.ED25519) for _ in range(2))
    assert first.public_key() != second.public_key()


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.ECDSA_P256, KeyAlgorithm.ECDSA_P384, KeyAlgorithm.RSA_2048])
def test_traditional_pem_between_other_text_is_read(algorithm: KeyAlgorithm) -> None:
    """`EC PRIVATE KEY` and `RSA PRIVATE KEY`, text around and Windows line ends are all fine, as in Postfix."""
    key = key_of(algorithm)
    pem = "made by hand\n" + _pem(key, is_traditional=True) + "the end\n"
    assert load_private_key(pem.replace("\n", "\r\n"), what="key").public_key() == key.public_key()


@pytest.mark.parametrize("is_traditional", [False, True])
def test_an_encrypted_key_is_refused_with_the_way_out(is_traditional: bool) -> None:  # noqa: FBT001
    """Postfix starts unattended, so a passphrase cannot stay; neither passphrase nor key is in the message."""
    pem = _pem(key_of(KeyAlgorithm.RSA_2048), "swordfish", is_traditional=is_traditional)
    with pytest.raises(CertificateError, match=r"unattended: remove the passphrase with") as caught:
        load_private_key(pem, what="key of mx1")
    assert str(caught.value).startswith("key of mx1: ")
    assert "swordfish" not in str(caught.value)
    assert pem.splitlines()[2] not in str(caught.value)


@pytest.mark.parametrize(
    "pem",
    [
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n",
        "-----BEGIN GREETING-----\nAAAA\n-----END GREETING-----\n",
        "-----BEGIN GREETING-----\udc80",
    ],
)
def test_garbage_is_refused_with_what_was_expected(pem: str) -> None:
    """What is no key is called so, and the message names the place it was handed in at."""
    with pytest.raises(CertificateError, match=r"^key of mx1: cannot be read as a private key, expected PEM text"):
        load_private_key(pem, what="key of mx1")


@pytest.mark.parametrize(
    ("key", "found"),
    [
        (rsa.generate_private_key(65537, 1024), "an RSA key of 1024 bits"),  # noqa: S505  # weak on purpose
        (rsa.generate_private_key(65537, 2304), "an RSA key of 2304 bits"),
        (ec.generate_private_key(ec.SECP256K1()), "an ECDSA key on curve secp256k1"),
        (ec.generate_private_key(ec.SECP224R1()), "an ECDSA key on curve secp224r1"),
        (ed448.Ed448PrivateKey.generate(), "an Ed448 key"),
        (dsa.generate_private_key(1024), "a DSA key of 1024 bits"),  # noqa: S505  # as above
    ],
    ids=["short RSA", "odd RSA", "secp256k1", "P-224", "Ed448", "DSA"],
)
def test_weak_and_unusual_keys_are_refused_with_the_choices(key: PrivateKeyTypes, found: str) -> None:
    """The message says what was found and names every algorithm that is accepted."""
    with pytest.raises(CertificateError) as caught:
        load_private_key(_pem(key), what="key")
    assert f"got {found}, expected one of {', '.join(KeyAlgorithm)}" in str(caught.value)


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        (KeyAlgorithm.ECDSA_P256, TlsPrivateKeyArguments("ECDSA", ecdsa_curve="P256")),
        (KeyAlgorithm.ECDSA_P384, TlsPrivateKeyArguments("ECDSA", ecdsa_curve="P384")),
        (KeyAlgorithm.ECDSA_P521, TlsPrivateKeyArguments("ECDSA", ecdsa_curve="P521")),
        (KeyAlgorithm.RSA_2048, TlsPrivateKeyArguments("RSA", rsa_bits=2048)),
        (KeyAlgorithm.RSA_3072, TlsPrivateKeyArguments("RSA", rsa_bits=3072)),
        (KeyAlgorithm.RSA_4096, TlsPrivateKeyArguments("RSA", rsa_bits=4096)),
        (KeyAlgorithm.RSA_8192, TlsPrivateKeyArguments("RSA", rsa_bits=8192)),
        (KeyAlgorithm.ED25519, TlsPrivateKeyArguments("ED25519")),
    ],
)
def test_pulumi_tls_is_always_told_curve_and_size(algorithm: KeyAlgorithm, expected: TlsPrivateKeyArguments) -> None:
    """Nothing is left to the defaults of another provider."""
    assert tls_private_key_arguments(algorithm) == expected


@pytest.mark.parametrize(
    ("algorithm", "hash_type", "determinism"),
    [
        (KeyAlgorithm.ECDSA_P256, hashes.SHA256, True),
        (KeyAlgorithm.ECDSA_P384, hashes.SHA384, True),
        (KeyAlgorithm.RSA_2048, hashes.SHA256, None),
        (KeyAlgorithm.ED25519, type(None), None),
    ],
)
def test_signatures_use_the_hash_that_fits_the_key(
    algorithm: KeyAlgorithm,
    hash_type: type,
    determinism: bool | None,  # noqa: FBT001
) -> None:
    """The hash follows the curve, Ed25519 has its own, and ECDSA is signed without random numbers."""
    assert isinstance(signature_hash(key_of(algorithm)), hash_type)
    assert is_deterministic(key_of(algorithm)) is determinism
