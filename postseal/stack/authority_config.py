"""What the stack file may say about an authority."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator

from pki.rollover import FIRST_SLOT, STANDBY_HOURS
from postseal.stack.field_types import Count, Flag, Hours, KeyAlgorithmWord, PemText, Section, Text, Texts, WaitHours
from postseal.stack.lifetime_config import LifetimeSection

__all__ = ["AdoptSection", "AuthoritySection", "CrlSection", "NameConstraintsSection", "SlotsSection"]


def _expanded_crl(value: Any) -> Any:
    """Return `{}` for the short form `true`, and nothing for `false`."""
    if isinstance(value, bool):
        return {} if value else None
    if value is not None and not isinstance(value, Mapping):
        raise ValueError(f"got {str(value)[:40]!r}, expected true, or a mapping, as {{lifetime: 7d}}")
    return value


class NameConstraintsSection(Section):
    """Names an authority may and may not certify (RFC 5280 section 4.2.1.10); `example.org` covers what is below."""

    permitted_dns: Texts = ()
    excluded_dns: Texts = ()
    permitted_email: Texts = ()
    excluded_email: Texts = ()


class AdoptSection(Section):
    """An authority that exists already: its certificate, and the secret key of the stack that holds its private key.

    The authority's other fields must say what stands in the certificate: the next renewal is made from them.
    """

    certificate_pem: PemText
    private_key_secret: Text


class SlotsSection(Section):
    """Numbered keys of an authority, for a rollover in reviewed steps; `Slots` in pki/rollover.py."""

    active: Count = FIRST_SLOT
    standby: Count | None = None
    retiring: Count | None = None
    standby_for: WaitHours = STANDBY_HOURS
    cross_sign: Flag = False


class CrlSection(Section):
    """A revocation list of the authority; what is left out has the defaults of `CrlPolicy` in pki/crl_schedule.py."""

    lifetime: Hours | None = None
    renew_before: Hours | None = None
    first_crl_number: Count = 1


class AuthoritySection(Section):
    """An authority: a root, or an intermediate where `issuer` names another authority."""

    common_name: Text | None = None
    organization: Text = ""
    organizational_unit: Text = ""
    locality: Text = ""
    state_or_province: Text = ""
    country: Text = ""
    key_algorithm: KeyAlgorithmWord | None = None
    path_length: Count | None = None
    name_constraints: NameConstraintsSection | None = None
    crl_urls: Texts = ()
    lifetime: LifetimeSection | None = None
    issuer: Text | None = None
    protect: Flag = True
    adopt: AdoptSection | None = None
    slots: SlotsSection = SlotsSection()
    crl: Annotated[CrlSection | None, BeforeValidator(_expanded_crl)] = None
