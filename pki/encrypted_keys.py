"""Open private keys that are encrypted with a passphrase."""

from typing import cast

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from pki.key_forms import form_in_words
from pki.keys import PrivateKey, algorithm_of, load_private_key, private_key_pem, unknown_algorithm
from postseal_core.bounds import LARGEST_KEY_BYTES
from postseal_core.errors import CertificateError

__all__ = ["opened_private_key_pem"]

_MARKS = ("-----BEGIN ENCRYPTED PRIVATE KEY-----", "Proc-Type: 4,ENCRYPTED")
_CIPHER_UNKNOWN = ("unknown key encryption", "unknown cipher")


def opened_private_key_pem(pem: str, passphrase: str, *, what: str) -> str:
    """Return a private key in PEM without its passphrase, as PKCS#8; `what` names it in messages. A secret.

    Opened are PKCS#8 (`ENCRYPTED PRIVATE KEY`, RFC 5958) and the traditional encryption of OpenSSL (`Proc-Type:
    4,ENCRYPTED`). With an empty passphrase a key that is in clear comes back as it is.

    Raises:
        CertificateError: the passphrase is wrong, missing, or none is needed; the cipher is not known; or the key
            cannot be read or is of no accepted algorithm.
    """
    is_encrypted = any(mark in pem for mark in _MARKS)
    if not passphrase and not is_encrypted:
        return pem
    if not passphrase:
        raise CertificateError(
            f"{what}: the key is encrypted: put its passphrase into a secret of its own and name it in "
            "private_key_passphrase_secret"
        )
    if form := form_in_words(pem):
        raise CertificateError(f"{what}: {form}")
    if not is_encrypted:
        load_private_key(pem, what=what)
        raise CertificateError(f"{what}: got a passphrase, but the key is not encrypted; leave the passphrase out")
    if len(pem) > LARGEST_KEY_BYTES:
        raise CertificateError(f"{what}: got more than {LARGEST_KEY_BYTES // 2**10} KiB: hand in only the key")
    try:
        key = serialization.load_pem_private_key(pem.encode(), passphrase.encode())
    except UnsupportedAlgorithm as error:
        raise unknown_algorithm(what) from error
    except (ValueError, TypeError, InternalError) as error:
        raise CertificateError(f"{what}: {_cause(error, passphrase)}") from error
    algorithm_of(key, what=what)
    return private_key_pem(cast("PrivateKey", key))


def _cause(error: Exception, passphrase: str) -> str:
    """Return why an encrypted key stays closed; a cipher that is not known tells itself in the library's words only."""
    if any(words in str(error).lower() for words in _CIPHER_UNKNOWN):
        return (
            "the key is encrypted with a cipher that is not known here; encrypt it anew with "
            "`openssl pkcs8 -topk8 -v2 aes-256-cbc`"
        )
    # A wrong passphrase and a damaged key look alike: what is deciphered makes no sense.
    edges = "; it begins or ends with a blank or a line break" if passphrase != passphrase.strip() else ""
    return f"the passphrase does not open the key (or the key is damaged): try it with `openssl pkey -noout`{edges}"
