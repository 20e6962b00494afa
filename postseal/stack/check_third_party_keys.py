"""Try each certificate that was signed elsewhere for a client with its key, before anything is registered."""

from collections.abc import Iterator, Mapping

from pki.keys import load_private_key
from pki.model import Profile
from pki.third_party_answer import problems_of_missing_issuer, read_answer
from pki.verification import common_instant, problems_of_imported_chain
from postseal.stack.model import StackConfig, ThirdPartyClient
from postseal_core.errors import CertificateError, Problem

__all__ = ["problems_of_third_party_keys"]


def problems_of_third_party_keys(config: StackConfig, secrets: Mapping[str, object]) -> Iterator[Problem]:
    """Report keys that cannot be read, or belong to another certificate, and chains that no server would take.

    `secrets`: the values of secret keys in clear; a key that is not among them is told elsewhere. No message shows any.
    Dates are judged by the plugin, which has the clock.
    """
    for name, client in config.third_party_clients.items():
        pem = secrets.get(client.private_key_secret)
        if isinstance(pem, str):
            yield from (each.below(f"clients.{name}.third_party") for each in _problems(client, pem))


def _problems(client: ThirdPartyClient, pem: str) -> Iterator[Problem]:
    try:
        key = load_private_key(pem, what=client.private_key_secret)
    except CertificateError as error:
        yield Problem("private_key_secret", str(error))
        return
    try:
        chain = read_answer(client.signed_chain_pem, what="certificate")
    except CertificateError:
        return  # told where the file is checked
    found = problems_of_imported_chain(
        chain, public_key=key.public_key(), dns_names=(), now=common_instant(chain), profile=Profile.CLIENT
    )
    for each in (*found, *problems_of_missing_issuer(chain)):
        yield Problem("signed_chain", f"{each.path}: {each.message}")
