"""Build PKCS#12 archives (RFC 7292), which mail programs import.

An archive has random salts, so it is never the same twice: keep it while what is in it stays the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import PrivateFormat, pkcs12

from pki.keys import PrivateKey
from pki.model import KeyAlgorithm, Pkcs12Profile
from postseal_core.errors import CertificateError
from postseal_core.wording import shown

__all__ = ["build_archive", "generate_passphrase", "note_of_archive"]


@dataclass(frozen=True, slots=True)
class _Encryption:
    algorithm: pkcs12.PBES
    mac_hash: hashes.HashAlgorithm
    iterations: int


# What protects an archive is its passphrase: cryptography makes the MAC with 2048 iterations whatever is asked for, and
# whoever guesses does so against the MAC. More iterations here would only cost the time of whoever builds and opens.
_ENCRYPTIONS: Mapping[Pkcs12Profile, _Encryption] = {
    Pkcs12Profile.MODERN: _Encryption(pkcs12.PBES.PBESv2SHA256AndAES256CBC, hashes.SHA256(), 10_000),
    Pkcs12Profile.LEGACY: _Encryption(
        pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC,
        hashes.SHA1(),  # noqa: S303  # the only MAC that the programs of this profile know
        2_048,
    ),
}

# Letters and digits that nobody confuses when reading or dictating: no 0, 1, i, l, o.
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
_PASSPHRASE_BYTES = 17
_PASSPHRASE_LENGTH = 28  # 31 ** 28 > 256 ** 17: each number has its own passphrase, no entropy is lost
_GROUP_LENGTH = 4


def note_of_archive(algorithm: KeyAlgorithm) -> str:
    """Return who cannot read an archive with a key of this algorithm; empty where everybody can.

    Measured: OpenSSL, GnuTLS and Java import all of them, NSS (3.87) all but Ed25519, whatever the profile.
    """
    if algorithm is not KeyAlgorithm.ED25519:
        return ""
    return (
        f"the archive has a key of {algorithm.value}, which Thunderbird and other programs with NSS cannot import: set "
        f"key_algorithm to {KeyAlgorithm.ECDSA_P256.value} if it is for one of them"
    )


def build_archive(
    *,
    name: str,
    private_key: PrivateKey,
    certificate: x509.Certificate,
    ca_chain: Sequence[x509.Certificate],
    passphrase: str,
    profile: Pkcs12Profile,
) -> bytes:
    """Return a DER PKCS#12 archive that holds the key, its certificate and the authorities above it.

    `name` is the friendly name that mail programs list. Salts come from the operating system. Not checked: whether
    `ca_chain` belongs to the certificate, and how strong the passphrase is; everything rests on it, so use
    `generate_passphrase`.

    Raises:
        CertificateError: the key does not belong to the certificate, or name or passphrase is empty.
    """
    if private_key.public_key() != certificate.public_key():
        raise CertificateError(f"archive {name}: the private key does not belong to the certificate: hand in its key")
    if not name or not passphrase:
        raise CertificateError(f"archive {shown(name)}: name and passphrase must not be empty; set both")
    encryption = _ENCRYPTIONS[profile]
    protection = (
        PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(encryption.iterations)
        .key_cert_algorithm(encryption.algorithm)
        .hmac_hash(encryption.mac_hash)
        .build(passphrase.encode())
    )
    return pkcs12.serialize_key_and_certificates(name.encode(), private_key, certificate, ca_chain, protection)


def generate_passphrase(entropy: bytes) -> str:
    """Return a passphrase of seven groups of four letters and digits from 17 random bytes (136 bits).

    Raises:
        ValueError: fewer than 17 bytes; further bytes are not used.
    """
    if len(entropy) < _PASSPHRASE_BYTES:
        raise ValueError(f"got {len(entropy)} bytes, expected at least {_PASSPHRASE_BYTES} random ones")
    number, characters = int.from_bytes(entropy[:_PASSPHRASE_BYTES]), ""
    for _ in range(_PASSPHRASE_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        characters += _ALPHABET[digit]
    return "-".join(characters[start : start + _GROUP_LENGTH] for start in range(0, _PASSPHRASE_LENGTH, _GROUP_LENGTH))
