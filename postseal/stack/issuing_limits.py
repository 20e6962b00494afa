"""What the authorities of a stack let through: judged on declarations, before any of them is made."""

from collections.abc import Iterator, Mapping, Sequence

from pki.constraints import IssuerLimits, limits_of_certificate, limits_of_declaration, problems_under_limits
from pki.model import CertificateDeclaration
from pki.names import problems_of_declaration
from pki.rollover import FIRST_SLOT
from pki.verification import load_certificate
from postseal.stack.model import Authority
from postseal_core.errors import CertificateError, Problem

__all__ = ["ancestors", "issuing_limits", "problems_below", "problems_of_names"]

# Where an authority stands wrongly is told there, not once more for each certificate below it.
_OF_AUTHORITIES = ("", "profile")


def ancestors(authority: Authority, authorities: Mapping[str, Authority]) -> Iterator[Authority]:
    """Walk up from an authority's issuer; stops before meeting one for the second time."""
    seen: set[str] = set()
    issuer = authorities.get(authority.issuer or "")
    while issuer and issuer.name not in seen:
        yield issuer
        seen.add(issuer.name)
        issuer = authorities.get(issuer.issuer or "")


def issuing_limits(name: str | None, authorities: Mapping[str, Authority]) -> list[IssuerLimits]:
    """Return what the authority of that name and those above it allow, the issuer first; nothing for an unknown one."""
    issuer = authorities.get(name or "")
    return [_limits(each) for each in (issuer, *ancestors(issuer, authorities))] if issuer else []


def _limits(authority: Authority) -> IssuerLimits:
    """Return the limits of the certificate that signs: an adopted one is taken as it is."""
    if authority.adopt and authority.slots.active == FIRST_SLOT:
        try:
            return limits_of_certificate(load_certificate(authority.adopt.certificate_pem, what="certificate"))
        except CertificateError:
            pass
    return limits_of_declaration(authority.name, authority.declaration)


def problems_below(
    declaration: CertificateDeclaration, authority: str | None, authorities: Mapping[str, Authority]
) -> list[Problem]:
    """Return which names of a leaf its authorities may not certify; nothing for names that are no names at all."""
    if problems_of_declaration(declaration):
        return []
    return problems_of_names(declaration, issuing_limits(authority, authorities))


def problems_of_names(declaration: CertificateDeclaration, limits: Sequence[IssuerLimits]) -> list[Problem]:
    """Return which names of a well-formed leaf are beyond these limits; paths as of `CertificateDeclaration`."""
    return [each for each in problems_under_limits(declaration, limits) if each.path not in _OF_AUTHORITIES]
