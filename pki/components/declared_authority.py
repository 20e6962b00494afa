"""Read the arguments of an authority, root or intermediate, that all its slots share."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Final

import pulumi
from pydantic import StrictStr

from pki.components.reading import is_missing, read_fields
from pki.crl_urls import problems_of_declared_crl_urls
from pki.fields import DeclaredCertificate, SaidBy
from pki.lifetime import LifetimePolicy
from pki.model import FIRST_SLOT, NameConstraints
from pki.rollover import Slots, problems_of_cross_signing
from pki.third_party import ThirdParty
from postseal_core.arguments import Arguments
from postseal_core.errors import Problem
from postseal_core.reading import Raw, Section

__all__ = ["AdoptedAuthority", "DeclaredAuthority", "read_authority"]

_SLOTS: Final = "pki.Slots(...)"
_NAME_CONSTRAINTS: Final = "pki.NameConstraints(...)"
_ADOPTED: Final = "pki.AdoptedAuthority(...)"


@dataclass(frozen=True, slots=True)
class AdoptedAuthority:
    """An authority that was made elsewhere (with openssl, easy-rsa) and is taken over with its key and certificate.

        old = pki.AdoptedAuthority(Path("ca.pem").read_text(), config.require_secret("ca-key"))

    The authority must declare the subject exactly as the certificate has it. The certificate stays as it is until its
    renewal is due.

    Args:
        certificate_pem: The certificate in PEM.
        private_key_pem: Its key in PEM, unencrypted; a secret, which may be an output.
    """

    certificate_pem: str
    private_key_pem: pulumi.Input[str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeclaredAuthority:
    """The checked arguments of an authority, shared by all its slots."""

    content: DeclaredCertificate
    slots: Slots
    crl_urls: tuple[str, ...]
    adopt: AdoptedAuthority | None
    third_party: ThirdParty | None = None

    def content_of(self, number: int) -> DeclaredCertificate:
        """Return the certificate content of a slot; from the second on, the common name ends with its number."""
        if number == FIRST_SLOT:
            return self.content
        return replace(self.content, common_name=f"{self.content.common_name} {number}")


class _OwnArguments(Section):
    """Plain arguments that are no fields of the authority's own certificate."""

    crl_urls: tuple[StrictStr, ...] = ()


def read_authority(
    arguments: Arguments,
    given: Raw,
    *,
    name: str,
    name_constraints: NameConstraints | None,
    crl_urls: Sequence[str],
    lifetime: LifetimePolicy | None,
    slots: Slots | None,
    adopt: AdoptedAuthority | None,
    is_root: bool,
) -> DeclaredAuthority:
    """Read the arguments of an authority; raise ArgumentError with every mistake that shows without its issuer."""
    content = read_fields(arguments, SaidBy.AUTHORITY, given, lifetime)
    if is_missing(given, "common_name"):
        arguments.add([Problem("common_name", "missing; add it")])
    constraints = arguments.record("name_constraints", name_constraints, NameConstraints, _NAME_CONSTRAINTS)
    numbers = arguments.record("slots", slots, Slots, _SLOTS)
    own = arguments.section({"crl_urls": crl_urls}, _OwnArguments)
    if adopt is not None and arguments.expect("adopt", adopt, AdoptedAuthority, _ADOPTED):
        arguments.expect("adopt.certificate_pem", adopt.certificate_pem, str, "a certificate in PEM")
        arguments.expect("adopt.private_key_pem", adopt.private_key_pem, (str, pulumi.Output), "a key in PEM")
    arguments.refuse()
    declared = DeclaredAuthority(_constrained(content, constraints), numbers or Slots(), own.crl_urls, adopt)
    problems = [
        *declared.slots.problems(),
        *problems_of_cross_signing(declared.slots, content.path_length, is_root=is_root),
    ]
    arguments.add(problem.below("slots") for problem in problems)
    arguments.add(problems_of_declared_crl_urls(declared.crl_urls, name, declared.slots))
    return declared


def _constrained(content: DeclaredCertificate, constraints: NameConstraints | None) -> DeclaredCertificate:
    said = {each.name: getattr(constraints, each.name) for each in fields(NameConstraints)} if constraints else {}
    return replace(content, **said)
