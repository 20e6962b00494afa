"""What the stack file may say about an authority."""

from postseal.stack.field_types import Count, Flag, KeyAlgorithmWord, PemText, Section, Text, Texts
from postseal.stack.lifetime_config import LifetimeSection

__all__ = ["AdoptSection", "AuthoritySection", "NameConstraintsSection"]


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
