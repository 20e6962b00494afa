"""Private keys that everybody knows: stored in a file they would look like somebody's."""

from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

__all__ = ["known_keys"]


@cache
def known_keys() -> list[bytes]:
    """Return them in PEM, the last one locked with a passphrase."""
    keys = (ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)), ec.derive_private_key(1, ec.SECP256R1()))
    plain, locked = serialization.NoEncryption(), serialization.BestAvailableEncryption(b"known")
    kinds = [(key, serialization.PrivateFormat.PKCS8, plain) for key in keys]
    kinds += [(keys[1], serialization.PrivateFormat.TraditionalOpenSSL, plain)]
    return [
        *(key.private_bytes(serialization.Encoding.PEM, form, lock) for key, form, lock in kinds),
        keys[0].private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked),
    ]
