"""Check that authorities can be told apart: by what they are called, and by their keys."""

from collections.abc import Iterator

from cryptography import x509

from pki.common_names import comparable_text
from pki.extensions import extension_of
from pki.fingerprint import public_key_fingerprint_sha256
from postseal.stack.model import Authority, StackConfig
from postseal.stack.reading import DeclaredStack
from postseal.stack.references import adopted_algorithm, adopted_certificate
from postseal_core.errors import Problem
from postseal_core.wording import shown

__all__ = ["problems_of_authorities_alike"]


def problems_of_authorities_alike(stack: DeclaredStack, config: StackConfig) -> Iterator[Problem]:
    """Report common names of two authorities, which logs show and by which verifiers look for issuers, and shared keys.

    Two that were adopted may have one name, for it was not chosen here, if verifiers find each by its key identifier.
    """
    named: dict[str, Authority] = {}
    adopted: dict[str, str] = {}
    for name, authority in config.authorities.items():
        path = stack.authorities[name].path
        certificate = adopted_certificate(authority.adopt)
        if certificate and adopted_algorithm(authority.adopt):
            other = adopted.setdefault(public_key_fingerprint_sha256(certificate), name)
            if other != name:
                message = f"authority {other} has this key already: adopt it once, and name that one wherever it signs"
                yield Problem(f"{path}.adopt.certificate_pem", message)
                continue
        common_name = authority.declared.common_name
        comparable = " ".join(comparable_text(common_name).split())
        first = named.setdefault(comparable, authority) if comparable else authority
        if first.name != name:
            yield from _problems_of_one_name(path, authority, first)


def _problems_of_one_name(path: str, authority: Authority, first: Authority) -> Iterator[Problem]:
    already = f"authority {first.name} is called {shown(authority.declared.common_name)} already"
    both = [certificate for each in (authority, first) if (certificate := adopted_certificate(each.adopt))]
    if not both:
        yield Problem(f"{path}.common_name", f"{already}; give each a name of its own")
    elif len(both) == 1:
        chosen = first.name if authority.adopt else authority.name
        message = f"{already}; give {chosen} another one, for that of an adopted authority stays as it is"
        yield Problem(f"{path}.common_name", message)
    elif any(_is_found_by_name_alone(each) for each in both):
        yield Problem(
            f"{path}.adopt.certificate_pem",
            f"{already}, and without a subjectKeyIdentifier in both, OpenSSL and GnuTLS may take one for the other: "
            "adopt one of them, and list the clients of the other by their fingerprints",
        )


def _is_found_by_name_alone(certificate: x509.Certificate) -> bool:
    return extension_of(certificate, x509.SubjectKeyIdentifier) is None
