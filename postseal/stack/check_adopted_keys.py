"""Open the keys of adopted authorities, and try each, before anything is registered."""

from collections.abc import Iterator, Mapping

from pki.encrypted_keys import opened_private_key_pem
from pki.keys import load_private_key
from postseal.stack.model import Adoption, StackConfig
from postseal.stack.references import adopted_certificate
from postseal_core.errors import CertificateError, Problem

__all__ = ["problems_of_adopted_keys"]

_KEY, _PASSPHRASE = "private_key_secret", "private_key_passphrase_secret"


def problems_of_adopted_keys(config: StackConfig, secrets: Mapping[str, object]) -> Iterator[Problem]:
    """Report keys that cannot be opened, or belong to another certificate.

    `secrets`: the values of secret keys in clear; a key that is not among them is told elsewhere. No message shows any.
    """
    for name, authority in config.authorities.items():
        adopt = authority.adopt
        if adopt and isinstance(secrets.get(adopt.private_key_secret), str):
            path = "authority" if name == "authority" else f"authorities.{name}"
            yield from (each.below(f"{path}.adopt") for each in _problems(adopt, secrets))


def _problems(adopt: Adoption, secrets: Mapping[str, object]) -> Iterator[Problem]:
    pem = str(secrets[adopt.private_key_secret])
    passphrase = str(secrets.get(adopt.private_key_passphrase_secret) or "")
    try:
        opened = opened_private_key_pem(pem, passphrase, what=adopt.private_key_secret)
    except CertificateError as error:
        yield Problem(_PASSPHRASE if adopt.private_key_passphrase_secret else _KEY, str(error))
        return
    try:
        key = load_private_key(opened, what=adopt.private_key_secret)
    except CertificateError as error:
        yield Problem(_KEY, str(error))
        return
    certificate = adopted_certificate(adopt)
    if certificate and key.public_key() != certificate.public_key():
        yield Problem(_KEY, f"{adopt.private_key_secret} is the key of another certificate: hand in its own")
