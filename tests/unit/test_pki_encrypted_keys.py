"""Keys of authorities that are encrypted with a passphrase."""

import subprocess

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from pki.encrypted_keys import opened_private_key_pem
from pki.keys import load_private_key, private_key_pem
from pki.model import KeyAlgorithm
from postseal_core.errors import CertificateError
from tests.support.specimens import key_of

FORMS = pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL], ids=["PKCS#8", "old"])


def encrypted(form: PrivateFormat) -> str:
    """Return a key that is encrypted in this form."""
    key = key_of(KeyAlgorithm.RSA_2048)
    return key.private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"swordfish")).decode()


@FORMS
def test_the_passphrase_opens_the_key(form: PrivateFormat) -> None:
    """The same key comes back in clear."""
    opened = opened_private_key_pem(encrypted(form), "swordfish", what="key")
    assert opened == private_key_pem(key_of(KeyAlgorithm.RSA_2048))


@FORMS
@pytest.mark.parametrize(
    ("passphrase", "sentence"),
    [("sword", "the passphrase does not open the key"), ("", "the key is encrypted: put its passphrase into a secret")],
)
def test_a_wrong_and_a_missing_passphrase_are_told_apart(form: PrivateFormat, passphrase: str, sentence: str) -> None:
    """Neither key nor passphrase is in the message, and nobody is told to write the key in clear."""
    pem = encrypted(form)
    with pytest.raises(CertificateError) as caught:
        opened_private_key_pem(pem, passphrase, what="ca-key")
    assert str(caught.value).startswith(f"ca-key: {sentence}")
    assert pem.splitlines()[4] not in str(caught.value)


def test_a_passphrase_that_nothing_needs_is_told() -> None:
    """Somebody believes that the key is protected."""
    pem = private_key_pem(key_of(KeyAlgorithm.RSA_2048))
    with pytest.raises(CertificateError, match="the key is not encrypted; leave the passphrase out"):
        opened_private_key_pem(pem, "swordfish", what="ca-key")
    assert opened_private_key_pem(pem, "", what="ca-key") == pem


@pytest.mark.needs_openssl
@pytest.mark.parametrize(
    "command", ["rsa -aes256 -traditional", "rsa -des3 -traditional", "pkcs8 -topk8 -v2 aes-256-cbc"]
)
def test_what_openssl_encrypts_is_opened(command: str) -> None:
    """As easy-rsa and old howtos do."""
    key = key_of(KeyAlgorithm.RSA_2048)
    made = subprocess.run(
        ["openssl", *command.split(), "-passout", "pass:swordfish"],
        input=private_key_pem(key).encode(),
        check=True,
        capture_output=True,
        timeout=60,
    )
    opened = opened_private_key_pem(made.stdout.decode(), "swordfish", what="key")
    assert load_private_key(opened, what="key").public_key() == key.public_key()
